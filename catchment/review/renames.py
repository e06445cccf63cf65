"""A stack under another name is another stack to CloudFormation, with everything in it."""

from __future__ import annotations

from collections.abc import Iterator

from catchment.review.context import Context
from catchment.review.effects import Effect, Level

_TASKS = ("AWS::DMS::ReplicationTask", "AWS::DMS::ReplicationConfig")


def renamed_stacks(context: Context) -> Iterator[Effect]:
    """What becomes of stacks that are deployed under another name than before."""
    for stack in context.after.values():
        before = context.before.get(stack.name)
        if before is None or not before.deployed_as or before.deployed_as == stack.deployed_as:
            continue
        tasks = [resource for resource in stack.resources.values() if resource.type in _TASKS]
        words = (
            f"deploys {stack.deployed_as}, all of it new, beside {before.deployed_as}, which stays until it is removed"
        )
        if tasks:
            words += " → full load of every table"
        level = Level.RELOAD if tasks else Level.INTERRUPTION
        yield Effect(level, stack.name, stack.name, words, "AWS CDK Developer Guide, Stack names")
