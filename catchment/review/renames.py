"""A stack under another name is another stack to CloudFormation, with everything in it."""

from __future__ import annotations

from collections.abc import Iterator

from catchment.review.assembly import Assembly
from catchment.review.effects import Effect, Level

_TASKS = ("AWS::DMS::ReplicationTask", "AWS::DMS::ReplicationConfig")


def renamed(before: Assembly, after: Assembly) -> frozenset[str]:
    """The stacks, by their names in the app, that are deployed under another name than before."""
    return frozenset(
        name
        for name, stack in after.items()
        if name in before and before[name].deployed_as and before[name].deployed_as != stack.deployed_as
    )


def rename_effects(before: Assembly, after: Assembly) -> Iterator[Effect]:
    """What becomes of them: all there is to say, for nothing of the old stack is changed."""
    anew = renamed(before, after)
    for old, new in ((before[name], after[name]) for name in after if name in anew):
        words = f"deploys {new.deployed_as}, all of it new, beside {old.deployed_as}, which stays until it is removed"
        loads = any(resource.type in _TASKS for resource in new.resources.values())
        words += " → full load of every table" if loads else ""
        level = Level.RELOAD if loads else Level.INTERRUPTION
        yield Effect(level, new.name, new.name, words, "AWS CDK Developer Guide, Stack names")
