"""Functions, layers and jobs: a new asset is new code, and stops nothing."""

from __future__ import annotations

from collections.abc import Iterator

from catchment.review.changes import Change
from catchment.review.context import Context, Rule, effect
from catchment.review.effects import Effect, Level
from catchment.review.nouns import called
from catchment.review.rules.generic import NO_EFFECT, generic


def function(change: Change, context: Context) -> Iterator[Effect]:
    """A function: code and layers by what they hold, the rest like any resource."""
    code = frozenset({"Code", "Layers"})
    if change.before and change.after and change.differences and all(each.top in code for each in change.differences):
        yield effect(Level.NONE, change.resource, f"puts new code into {called(change.resource)}: calls go on")
        return
    yield from generic(change, context, code)


def layer(change: Change, context: Context) -> Iterator[Effect]:
    """A layer version: another one each time its content changes."""
    if change.before and change.after:
        yield effect(Level.NONE, change.resource, f"publishes {called(change.resource)} anew: {NO_EFFECT}")
    else:
        yield from generic(change, context)


def job(change: Change, context: Context) -> Iterator[Effect]:
    """A Glue job: runs that are under way end as they began."""
    scripts = frozenset({"Command.ScriptLocation", "DefaultArguments.--extra-py-files"})
    dotted = {difference.dotted for difference in change.differences}
    if change.before and change.after and dotted and dotted <= scripts:
        yield effect(Level.NONE, change.resource, f"gives {called(change.resource)} new code: runs under way go on")
        return
    yield from generic(change, context, scripts)


RULES: dict[str, Rule] = {
    "AWS::Lambda::Function": function,
    "AWS::Lambda::LayerVersion": layer,
    "AWS::Glue::Job": job,
}
