"""The steps of a teardown, each of which can be done again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import boto3
from botocore.exceptions import WaiterError

from catchment.errors import SourceUnreachable, TeardownFailed
from catchment.reload.serverless import is_serverless, task_api
from catchment.teardown.inventory import Inventory, StackFound
from catchment.teardown.source import Source

WAIT_SECONDS = 3600
"""For one thing at most."""
_AT_REST = ("ready", "stopped", "failed")


@dataclass(frozen=True)
class Step:
    """``words`` say what will be done; ``do`` does it and says what came of it."""

    words: str
    do: Callable[[], str]


@dataclass
class _Sources:
    """The source databases, those that cannot be reached from here, and what kept the log in the others for a task."""

    found: dict[str, Source]
    unreachable: dict[str, str] = field(default_factory=dict)
    held: dict[str, list[str]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    """SSM parameters that say what a task holds in a source."""


def steps(inventory: Inventory, *, poll_seconds: int = 15) -> Iterator[Step]:
    """What a teardown does, in order. A step raises TeardownFailed; done again, it goes on where it failed."""
    found = {name: Source(*said) for name, said in inventory.sources().items()}
    notes = {name: note for stack in inventory.stacks for name, note in stack.notes.items()}
    sources = _Sources(found, notes=notes)
    for source in found:
        yield Step(f"look at what keeps the log of {source}", partial(_look, sources, source, inventory.tasks))
    for arn in inventory.tasks:
        yield Step(f"stop {arn.rsplit(':', 1)[-1]}, and wait", partial(_stop, arn, poll_seconds))
    for stack in inventory.stacks:
        yield Step(_removal(stack), partial(_remove, stack, poll_seconds))
        if stack.tasks:
            yield Step("drop what replication left in the sources", partial(_clean, sources))


def _removal(stack: StackFound) -> str:
    words = f"remove the stack {stack.name}"
    if stack.emptied:
        words += f", with all that is in {', '.join(stack.emptied)}"
    return words


def _look(sources: _Sources, source: str, tasks: Sequence[str]) -> str:
    try:
        sources.held[source] = sources.found[source].held(tasks)
    except SourceUnreachable as error:
        sources.unreachable[source] = str(error)
        return f"cannot be reached from here: {error}"
    return ", ".join(sources.held[source]) or "nothing"


def _stop(arn: str, poll_seconds: int) -> str:
    dms = task_api(boto3.client("dms"), arn)
    only: list[Any] = [{"Name": "replication-task-arn", "Values": [arn]}]

    def status() -> str:
        [task] = dms.describe_replication_tasks(Filters=only, WithoutSettings=True)["ReplicationTasks"]
        return str(task["Status"])

    if (now := status()) in _AT_REST:
        return f"it is {now}"
    if now == "running":
        dms.stop_replication_task(ReplicationTaskArn=arn)
    if is_serverless(arn):  # botocore waits for tasks only
        until = time.monotonic() + WAIT_SECONDS
        while status() not in _AT_REST:
            if time.monotonic() > until:
                raise TeardownFailed(arn, "it does not stop")
            time.sleep(poll_seconds)
    else:
        _wait(dms, "replication_task_stopped", poll_seconds, f"{arn} does not stop", Filters=only)
    return "it stands"


def _clean(sources: _Sources) -> str:
    said = [f"{source}: {_left_in(source, sources)}" for source in sources.unreachable]
    for source, held in sources.held.items():
        dropped = sources.found[source].clean(held)
        said.append(f"{source}: {', '.join(dropped) or 'nothing was left'}")
    sources.held.clear()
    return "; ".join(said) or "nothing"


def _left_in(source: str, sources: _Sources) -> str:
    """What the function beside a database, which cannot be reached from here, has made of what replication left."""
    if source not in sources.notes:
        return "see for yourself, it was not reached"
    ssm: Any = boto3.client("ssm")
    try:
        noted = json.loads(ssm.get_parameter(Name=sources.notes[source])["Parameter"]["Value"])
    except ssm.exceptions.ParameterNotFound:
        return "cleared up by its agent"
    return f"see for yourself, it was not reached; {', '.join(noted['held']) or 'nothing'} was noted of its task"


def _remove(stack: StackFound, poll_seconds: int) -> str:
    formation = boto3.client("cloudformation")
    formation.delete_stack(StackName=stack.name)
    try:
        _wait(formation, "stack_delete_complete", poll_seconds, f"{stack.name} is still there", StackName=stack.name)
    except TeardownFailed as failed:
        raise TeardownFailed(stack.name, _reason(formation, stack.name) or str(failed)) from failed
    return "removed"


def _reason(formation: Any, stack: str) -> str:
    events = formation.describe_stack_events(StackName=stack)["StackEvents"]
    failed = [event for event in events if event["ResourceStatus"] == "DELETE_FAILED" and event["ResourceStatusReason"]]
    return "; ".join(f"{event['LogicalResourceId']}: {event['ResourceStatusReason']}" for event in reversed(failed[:3]))


def _wait(client: Any, waiter: str, poll_seconds: int, complaint: str, **named: Any) -> None:
    try:
        client.get_waiter(waiter).wait(
            WaiterConfig={"Delay": poll_seconds, "MaxAttempts": WAIT_SECONDS // poll_seconds}, **named
        )
    except WaiterError as error:
        raise TeardownFailed(complaint, str(error)) from error
