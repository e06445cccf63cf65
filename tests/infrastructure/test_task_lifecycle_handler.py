"""The custom resource that runs DMS tasks, in process: against a DMS of a few lines that keeps DMS's states."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambda_src.custom_resource import custom_resource
from lambda_src.task_lifecycle import handler
from lambda_src.task_lifecycle.tasks import Task, TaskFailed
from lambda_src.waiting import waiting_custom_resource
from tests.infrastructure.cloudformation import CloudFormation

TASK, INSTANCE, SOURCE, LAKE = "arn:task", "arn:instance", "arn:source", "arn:lake"


class Dms:
    """A task and its connections; each look lets DMS get one step further."""

    def __init__(
        self,
        status: str,
        *,
        becomes: dict[str, str] | None = None,
        connection: str = "successful",
        migration: str = "full-load-and-cdc",
    ) -> None:
        self.status = status
        self._migration = migration
        self.calls: list[str] = []
        self._becomes = {"starting": "running", "stopping": "stopped", "creating": "ready", **(becomes or {})}
        self._tested: dict[str, str] = {}
        self._connection = connection

    def describe_replication_tasks(self, **_: Any) -> dict[str, Any]:
        if self.status == "gone":
            raise ClientError({"Error": {"Code": "ResourceNotFoundFault"}}, "DescribeReplicationTasks")
        seen, self.status = self.status, self._becomes.get(self.status, self.status)
        task = {"Status": seen, "MigrationType": self._migration, "LastFailureMessage": "no such slot"}
        return {"ReplicationTasks": [task]}

    def start_replication_task(self, *, ReplicationTaskArn: str, StartReplicationTaskType: str) -> None:
        assert ReplicationTaskArn == TASK
        self.calls.append(StartReplicationTaskType)
        self.status = "starting"

    def stop_replication_task(self, *, ReplicationTaskArn: str) -> None:
        if self.status != "running":
            raise ClientError({"Error": {"Code": "InvalidResourceStateFault"}}, "StopReplicationTask")
        self.calls.append(f"stop {ReplicationTaskArn}")
        self.status = "stopping"

    def remove_tags_from_resource(self, *, ResourceArn: str, TagKeys: list[str]) -> None:
        assert (ResourceArn, TagKeys) == (TASK, ["catchment:held"])

    def test_connection(self, *, ReplicationInstanceArn: str, EndpointArn: str) -> None:
        assert ReplicationInstanceArn == INSTANCE
        self.calls.append(f"test {EndpointArn}")
        self._tested[EndpointArn] = "testing"

    def describe_connections(self, *, Filters: list[dict[str, Any]]) -> dict[str, Any]:
        ((endpoint,),) = [each["Values"] for each in Filters]
        if endpoint not in self._tested:
            raise ClientError({"Error": {"Code": "ResourceNotFoundFault"}}, "DescribeConnections")
        seen, self._tested[endpoint] = self._tested[endpoint], self._connection
        return {"Connections": [{"Status": seen, "LastFailureMessage": "no route"}]}


def until_done(step: Callable[[], str | None], calls: int = 20) -> list[str]:
    """Look again and again, as the queue has it done; what was waited for."""
    waited = []
    for _ in range(calls):
        if (said := step()) is None:
            return waited
        waited.append(said)
    raise AssertionError(waited[-1])


@pytest.mark.parametrize(
    ("before", "calls"),
    [
        ("ready", ["start-replication"]),
        ("creating", ["start-replication"]),
        ("stopped", ["resume-processing"]),
        ("failed", ["resume-processing"]),
        ("stopping", ["resume-processing"]),
        ("starting", []),
        ("running", []),
    ],
)
def test_a_task_is_started_the_first_time_and_resumed_ever_after(before: str, calls: list[str]) -> None:
    dms, memory = Dms(before), {}
    until_done(lambda: Task(dms, TASK).run(memory))
    assert (dms.calls, dms.status) == (calls, "running")


@pytest.mark.parametrize(("before", "how"), [("stopped", "reload-target"), ("ready", "start-replication")])
def test_other_columns_take_a_load_of_everything(before: str, how: str) -> None:
    dms, memory = Dms(before), {}
    until_done(lambda: Task(dms, TASK).run(memory, reload=True))
    assert dms.calls == [how]


@pytest.mark.parametrize(("before", "how"), [("ready", "start-replication"), ("stopped", "reload-target")])
def test_a_task_that_only_loads_loads_again_and_is_done_when_it_stops(before: str, how: str) -> None:
    dms, memory = Dms(before, becomes={"starting": "running", "running": "stopped"}, migration="full-load"), {}
    until_done(lambda: Task(dms, TASK).run(memory))
    assert dms.calls == [how]


def test_a_task_that_fails_instead_of_starting_says_why() -> None:
    dms, memory = Dms("ready", becomes={"starting": "failed"}), {}
    with pytest.raises(TaskFailed, match="no such slot"):
        until_done(lambda: Task(dms, TASK).run(memory))


class Following(Dms):
    """A task that follows its source since noon; ``lines`` is what it says of its tables."""

    def __init__(self, lines: dict[str, dict[str, Any]]) -> None:
        super().__init__("running")
        self.lines = lines

    def describe_replication_tasks(self, **_: Any) -> dict[str, Any]:
        (task,) = super().describe_replication_tasks()["ReplicationTasks"]
        return {"ReplicationTasks": [{**task, "ReplicationTaskStartDate": NOON}]}

    def get_paginator(self, operation: str) -> Following:
        assert operation == "describe_table_statistics"
        return self

    def paginate(self, *, ReplicationTaskArn: str) -> list[dict[str, Any]]:
        shown = [
            {"SchemaName": name.partition(".")[0], "TableName": name.partition(".")[2], **line}
            for name, line in self.lines.items()
        ]
        return [{"TableStatistics": [line]} for line in shown]

    def reload_tables(self, *, ReplicationTaskArn: str, TablesToReload: list[dict[str, str]]) -> None:
        assert 1 <= len(TablesToReload) <= 10
        for table in TablesToReload:
            name = f"{table['SchemaName']}.{table['TableName']}"
            self.calls.append(name)
            self.lines[name] = {"TableState": "Table is being reloaded", "FullLoadStartTime": AFTERNOON}


NOON, MORNING, AFTERNOON = (datetime(2026, 3, 1, hour, tzinfo=UTC) for hour in (12, 9, 15))
LOADED_BEFORE = {"TableState": "Table completed", "FullLoadStartTime": MORNING}


@pytest.mark.parametrize(
    ("lines", "reloaded"),
    [
        ({"s.new": {"TableState": "Table completed", "FullLoadStartTime": AFTERNOON}}, []),
        ({"s.new": {"TableState": "Full load", "FullLoadStartTime": AFTERNOON}}, []),
        ({"s.new": {"TableState": "Table error"}}, []),
        ({"s.new": {"TableState": "Before load"}, "s.other": {"TableState": "Full load"}}, []),
        ({"s.new": {"TableState": "Before load"}, "s.other": LOADED_BEFORE}, ["s.new"]),
        ({"s.new": LOADED_BEFORE, "s.other": LOADED_BEFORE}, ["s.new"]),
        ({"s.other": LOADED_BEFORE}, []),
    ],
)
def test_a_table_new_to_a_task_is_loaded_and_no_other(lines: dict[str, dict[str, Any]], reloaded: list[str]) -> None:
    dms, memory = Following(lines), {}
    until_done(lambda: Task(dms, TASK).load(["s.new"], memory))
    assert dms.calls == reloaded


def test_many_new_tables_are_loaded_by_several_calls() -> None:
    names = [f"s.{number}" for number in range(23)]
    dms, memory = Following(dict.fromkeys(names, LOADED_BEFORE)), {}
    until_done(lambda: Task(dms, TASK).load(names, memory))
    assert dms.calls == names


@pytest.mark.parametrize(
    ("before", "calls"),
    [
        ("running", [f"stop {TASK}"]),
        ("starting", [f"stop {TASK}"]),
        ("stopping", []),
        ("stopped", []),
        ("ready", []),
        ("failed", []),
        ("gone", []),
    ],
)
def test_a_task_is_stopped_so_that_it_can_be_deleted(before: str, calls: list[str]) -> None:
    dms = Dms(before)
    until_done(Task(dms, TASK).stop)
    assert dms.calls == calls
    assert dms.status in ("stopped", "ready", "failed", "gone")


def test_every_endpoint_is_tried() -> None:
    dms, memory = Dms("ready"), {}
    until_done(lambda: Task(dms, TASK).test_connections(INSTANCE, [SOURCE, LAKE], memory))
    assert dms.calls == [f"test {SOURCE}", f"test {LAKE}"]


def test_an_endpoint_that_cannot_be_reached_is_named() -> None:
    dms, memory = Dms("ready", connection="failed"), {}
    with pytest.raises(TaskFailed, match="arn:source: no route"):
        until_done(lambda: Task(dms, TASK).test_connections(INSTANCE, [SOURCE, LAKE], memory))


def _restarted(dms: Dms, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the handler did after a password was changed, its queue handing back what it puts there."""
    waiting: list[str] = [json.dumps({"restart": "/lake/sales/task-arn"})]
    monkeypatch.setattr(handler, "into_queue", waiting.append)
    monkeypatch.setattr(handler, "_task_arn", {"/lake/sales/task-arn": TASK}.get)
    monkeypatch.setattr(handler.boto3, "client", lambda _service: dms)
    handler.handler(json.loads(waiting.pop()), None)
    for _ in range(20):
        if not waiting:
            return dms.calls
        handler.handler({"Records": [{"body": waiting.pop()}]}, None)
    raise AssertionError(waiting)


def test_a_task_that_runs_connects_anew_after_its_password_was_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    dms = Dms("running")
    assert _restarted(dms, monkeypatch) == [f"stop {TASK}", "resume-processing"]
    assert dms.status == "running"


@pytest.mark.parametrize("status", ["stopped", "ready", "failed", "gone"])
def test_a_task_that_somebody_has_stopped_stays_so(status: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _restarted(Dms(status), monkeypatch) == []


def test_a_task_that_fails_with_its_new_password_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TaskFailed, match="no such slot"):
        _restarted(Dms("running", becomes={"starting": "failed"}), monkeypatch)


@pytest.fixture
def cloudformation() -> Iterator[CloudFormation]:
    server = CloudFormation()
    yield server
    server.stop()


def test_cloudformation_is_told_of_success(cloudformation: CloudFormation) -> None:
    custom_resource(lambda event: event["ResourceProperties"]["TaskArn"])(lambda *_: None)(
        cloudformation.event("Create"), None
    )
    ids = {"StackId": "stack", "RequestId": "request", "LogicalResourceId": "Task"}
    assert cloudformation.answers == [{"Status": "SUCCESS", "Reason": "", "PhysicalResourceId": TASK, **ids}]


def test_cloudformation_is_told_of_failure_with_its_reason(cloudformation: CloudFormation) -> None:
    def work(*_: object) -> None:
        raise TaskFailed("no route")

    custom_resource(lambda event: TASK)(work)(cloudformation.event("Create"), None)
    (answer,) = cloudformation.answers
    assert (answer["Status"], answer["Reason"]) == ("FAILED", "TaskFailed: no route")
    assert answer["PhysicalResourceId"] == TASK


def test_what_is_deleted_is_what_was_made(cloudformation: CloudFormation) -> None:
    event = cloudformation.event("Delete", PhysicalResourceId="arn:former")
    custom_resource(lambda event: TASK)(lambda *_: None)(event, None)
    assert cloudformation.answers[0]["PhysicalResourceId"] == "arn:former"


class Queue(list[str]):
    """Keeps what is to be looked at again, and hands it back as Lambda does."""

    def next(self) -> dict[str, Any]:
        return {"Records": [{"body": self.pop()}]}


def test_a_request_is_answered_once_it_is_done_and_remembers_till_then(
    cloudformation: CloudFormation,
) -> None:
    queue = Queue()

    def work(_event: dict[str, Any], memory: dict[str, Any]) -> str | None:
        memory["looks"] = memory.get("looks", 0) + 1
        return None if memory["looks"] == 3 else "not yet"

    handler = waiting_custom_resource(lambda event: TASK, ask_again=queue.append)(work)
    handler(cloudformation.event("Update"), None)
    handler(queue.next(), None)
    assert cloudformation.answers == []
    handler(queue.next(), None)
    assert [answer["Status"] for answer in cloudformation.answers] == ["SUCCESS"]
    assert not queue


def test_who_waits_too_long_says_for_what(cloudformation: CloudFormation) -> None:
    queue = Queue()
    handler = waiting_custom_resource(lambda event: TASK, ask_again=queue.append)(lambda *_: "it is still starting")
    handler(cloudformation.event("Create"), None)
    body = {**json.loads(queue.pop()), "began": 0.0}
    handler({"Records": [{"body": json.dumps(body)}]}, None)
    (answer,) = cloudformation.answers
    assert (answer["Status"], answer["Reason"]) == ("FAILED", "after 55 minutes it is still starting")


def test_a_busy_aws_is_asked_again(cloudformation: CloudFormation) -> None:
    queue = Queue()

    def work(*_: object) -> str | None:
        raise ClientError({"Error": {"Code": "ThrottlingException"}}, "DescribeReplicationTasks")

    waiting_custom_resource(lambda event: TASK, ask_again=queue.append)(work)(cloudformation.event("Update"), None)
    assert len(queue) == 1
    assert cloudformation.answers == []
