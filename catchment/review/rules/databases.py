"""RDS: parameter groups, which databases they restart, and who reaches a database."""

from __future__ import annotations

from collections.abc import Iterator

from catchment.review.assembly import Resource
from catchment.review.changes import Change
from catchment.review.context import Context, Rule, effect
from catchment.review.effects import Effect, Level
from catchment.review.nouns import called
from catchment.review.rules.generic import generic

_GROUPS = "Amazon RDS User Guide, Working with DB parameter groups"


def instance(change: Change, context: Context) -> Iterator[Effect]:
    """A database."""
    told = {"BackupRetentionPeriod", "PubliclyAccessible"}
    yield from generic(change, context, frozenset(told))
    for difference in change.differing(*told):
        resource = change.resource
        if difference.top == "PubliclyAccessible":
            words = f"{'gives' if difference.after else 'takes'} {called(resource)} a public address"
            yield effect(Level.SECURITY, resource, words, "CFN AWS::RDS::DBInstance")
        elif (difference.before == 0) != (difference.after == 0):
            words = f"restarts {called(resource)} (backups are switched {'off' if difference.after == 0 else 'on'})"
            level = Level.DATA_LOSS if difference.after == 0 else Level.INTERRUPTION
            yield effect(level, resource, words, "Amazon RDS User Guide, Working with backups")
        elif difference.before is not None and difference.after is not None:
            level = Level.COST if difference.after > difference.before else Level.DATA_LOSS
            words = f"keeps backups of {called(resource)} for {difference.after} days instead of {difference.before}"
            yield effect(level, resource, words, "Amazon RDS User Guide, Working with backups")


def parameter_group(change: Change, context: Context) -> Iterator[Effect]:
    """A parameter group: static parameters wait for a restart of each database that has it."""
    yield from generic(change, context, frozenset({"Parameters"}))
    names = [difference.path[-1] for difference in change.differing("Parameters")]
    if not names or change.after is None:
        return
    users = list(_users(change.resource, context))
    for database in users:
        words = f"restarts {called(database)} ({', '.join(names)} in its parameter group), if one of them is static"
        yield effect(Level.INTERRUPTION, database, words, _GROUPS)
    if not users:
        yield effect(Level.NONE, change.resource, f"changes {', '.join(names)} of {called(change.resource)}", _GROUPS)


def _users(group: Resource, context: Context) -> Iterator[Resource]:
    for resource in context.after[group.stack].resources.values():
        if resource.properties.get("DBParameterGroupName") == {"Ref": group.logical_id}:
            yield resource


RULES: dict[str, Rule] = {"AWS::RDS::DBInstance": instance, "AWS::RDS::DBParameterGroup": parameter_group}
