"""DMS: what stops, what resumes, and what is loaded again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from catchment.review.assembly import Resource
from catchment.review.changes import Change, document
from catchment.review.context import Context, Rule, effect
from catchment.review.effects import Effect, Level
from catchment.review.rules.generic import generic

_TASKS = ("AWS::DMS::ReplicationTask", "AWS::DMS::ReplicationConfig")
_CREATE_ONLY = "CloudFormation resource schema of AWS::DMS::ReplicationTask, createOnlyProperties"
_MODIFY = "AWS DMS User Guide, Modifying a task: stop, modify, resume"
_RESTART = "AWS DMS User Guide, Transformation rules: a changed rule takes effect on restart, not on resume"
_START = "AWS DMS API Reference, StartReplicationTask and StopReplicationTask"
_STOPPED_FOR = (
    "TableMappings",
    "ReplicationTaskSettings",
    "ReplicationSettings",
    "ReplicationType",
    "ComputeConfig",
    "CdcStartPosition",
    "CdcStopPosition",
)
_BEHIND = "about 4 minutes behind"


def task(change: Change, context: Context) -> Iterator[Effect]:
    """A replication task."""
    name = f"replication task {task_name(change.resource)}"
    why = context.replacement(change)
    tables = list(_tables(change.after or change.before))
    if change.before is None:
        words = f"creates {name} → full load of {context.about(tables)}, once it is started"
        yield effect(Level.NONE, change.resource, words)
    elif change.after is None:
        words = f"removes {name}: {context.about(tables)} are followed no more, its place in the log is given up"
        yield effect(Level.INTERRUPTION, change.resource, words, "AWS DMS User Guide, Deleting a task")
    elif why is not None and why.certain:
        words = f"replaces {name} ({why.because}) → full reload of {context.about(tables)}"
        yield effect(Level.RELOAD, change.resource, words, _CREATE_ONLY)
    else:
        yield from _changed(change, change.before, change.after, name, context)


def _changed(change: Change, before: Resource, after: Resource, name: str, context: Context) -> Iterator[Effect]:
    if _rules(before, "transformation") != _rules(after, "transformation"):
        words = f"changes the columns that {name} adds or renames → full reload of {context.about(_tables(after))}"
        yield effect(Level.RELOAD, change.resource, words, _RESTART)
    old, new = list(_tables(before)), list(_tables(after))
    if added := [table for table in new if table not in old]:
        words = f"adds {', '.join(added)} to {name} → full load of {context.about(added)}, of no other"
        yield effect(Level.INTERRUPTION, change.resource, words, _MODIFY)
    if gone := [table for table in old if table not in new]:
        words = f"takes {', '.join(gone)} off {name}: in the lake they stay as they are"
        yield effect(Level.INTERRUPTION, change.resource, words, _MODIFY)
    touched = change.differing(*_STOPPED_FOR)
    if touched:
        yield effect(Level.INTERRUPTION, change.resource, f"stops and resumes {name}, {_BEHIND}", _MODIFY)
    told = frozenset(difference.top for difference in touched)
    if any(difference.top not in told for difference in change.differences):
        yield from generic(change, context, told)


def endpoint(change: Change, context: Context) -> Iterator[Effect]:
    """An endpoint: DMS changes none that a running task uses."""
    why = context.replacement(change)
    settings = [difference for difference in change.differences if difference.top != "Tags"]
    tasks = list(_tasks_on(change.resource, context)) if change.before and change.after else []
    if settings and tasks and not (why and why.certain):
        for using in tasks:
            changed = ", ".join(dict.fromkeys(difference.dotted for difference in settings))
            if (using.stack, using.logical_id) in context.changed:
                words = f"changes {changed} of an endpoint of replication task {task_name(using)} while it stands still"
                yield effect(Level.NONE, change.resource, words, "AWS DMS User Guide, Modifying an endpoint")
                continue
            words = f"stops and resumes replication task {task_name(using)}, {_BEHIND} ({changed} of its endpoint)"
            yield effect(Level.INTERRUPTION, change.resource, words, "AWS DMS User Guide, Modifying an endpoint")
        return
    yield from generic(change, context)


def lifecycle(change: Change, context: Context) -> Iterator[Effect]:
    """What has a task run or stand still: the task's own effects tell what it does around a change."""
    name = f"replication task {change.resource.name.rsplit('/', 1)[-1]}"
    was, will = (_runs(resource) for resource in (change.before, change.after))
    if will and not was:
        yield effect(Level.NONE, change.resource, f"starts {name}", _START)
    elif was and not will:
        kept = "" if change.after is None else ": its source keeps what it logs until the task is started again"
        yield effect(Level.INTERRUPTION, change.resource, f"stops {name}{kept}", _START)


def hold(change: Change, context: Context) -> Iterator[Effect]:
    """What stops a task before its parts are changed: their own effects tell it."""
    yield from ()


def _runs(managed: Resource | None) -> bool:
    return managed is not None and managed.properties.get("Running") == "true"


def task_name(resource: Resource) -> str:
    """``sales`` for the task at ``Source-sales/Task``."""
    words = (resource.fixed_name or resource.name).removesuffix("/Task").removesuffix("/Serverless")
    return words.rsplit("/", 1)[-1].removeprefix("Source-")


def _tables(resource: Resource | None) -> Iterator[str]:
    for rule in _rules(resource, "selection"):
        if rule.get("rule-action") in ("include", "explicit"):
            place = rule["object-locator"]
            yield f"{place['schema-name']}.{place['table-name']}"


def _rules(resource: Resource | None, kind: str) -> list[Mapping[str, Any]]:
    mappings = document(resource.properties.get("TableMappings", "{}")) if resource else {}
    if not isinstance(mappings, Mapping):
        return []
    return [rule for rule in mappings.get("rules", []) if rule.get("rule-type") == kind]


def _tasks_on(found: Resource, context: Context) -> Iterator[Resource]:
    for resource in context.after[found.stack].resources.values():
        if resource.type in _TASKS and {"Ref": found.logical_id} in (
            resource.properties.get("SourceEndpointArn"),
            resource.properties.get("TargetEndpointArn"),
        ):
            yield resource


def clean_up(change: Change, context: Context) -> Iterator[Effect]:
    """What clears up in a source after its task."""
    if change.before is None:
        return
    was, will = (_cleans_up(resource) for resource in (change.before, change.after))
    source = f"source {change.before.properties.get('Source')}"
    if change.after is None and was:
        yield effect(Level.NONE, change.resource, f"clears up in {source} what its task left there")
    elif change.after is not None and was != will:
        verb = "will clear up" if will else "will leave"
        yield effect(Level.NONE, change.resource, f"{verb} in {source} what its task leaves there, once it is removed")


def note(change: Change, context: Context) -> Iterator[Effect]:
    """What is written down of a task: nobody notices."""
    yield from ()


def prepare(change: Change, context: Context) -> Iterator[Effect]:
    """What sets a source up before its task, and puts it back."""
    was, will = (_prepares(resource) for resource in (change.before, change.after))
    source = f"source {change.resource.properties.get('Source')}"
    if will and not was:
        yield effect(Level.NONE, change.resource, f"sets {source} up for its task, where it is not yet")
    elif was and not will:
        yield effect(Level.NONE, change.resource, f"puts {source} back as it was before it was set up for its task")


def _prepares(resource: Resource | None) -> bool:
    return resource is not None and resource.properties.get("Prepare") == "true"


def _cleans_up(resource: Resource | None) -> bool:
    return resource is not None and resource.properties.get("CleanUp") == "true"


RULES: dict[str, Rule] = {
    "AWS::DMS::Endpoint": endpoint,
    "AWS::DMS::ReplicationConfig": task,
    "AWS::DMS::ReplicationTask": task,
    "Custom::DmsTaskHold": hold,
    "Custom::DmsTaskLifecycle": lifecycle,
    "Custom::SourceCleanUp": clean_up,
    "Custom::SourceHeld": note,
    "Custom::SourcePreflight": note,
    "Custom::SourcePrepared": prepare,
}
