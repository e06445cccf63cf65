"""A DMS task, looked at and moved one step at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

NEVER_RAN = ("ready",)
RAN_BEFORE = ("stopped", "failed")
AT_REST = (*NEVER_RAN, *RAN_BEFORE)
GONE = "(gone)"
IN_ERROR = ("Table error", "Table cancelled", "Table does not exist", "Error")
PATIENCE = 4
"""Looks at a table before DMS is told to load it."""
MOST_RELOADED = 10
"""Tables of one ReloadTables call."""
HELD = "catchment:held"
"""The tag of a task that a deployment has stopped and not yet let go on."""

_LOG = logging.getLogger(__name__)


class TaskFailed(Exception):
    """The task, or a connection it needs, failed; the message is what DMS says about it."""


class Task:
    """One DMS task. ``dms`` is a boto3 client. What returns a text says what has to be waited for; None: it is done.

    States and start types: AWS DMS API Reference, StartReplicationTask and DescribeReplicationTasks.
    """

    def __init__(self, dms: Any, arn: str) -> None:
        self._dms, self._arn = dms, arn

    def run(self, memory: dict[str, Any], *, reload: bool = False) -> str | None:
        """Start the task, resume it where it has run before, or load everything again. Harmless where it runs.

        ``memory`` remembers that it was started. Raises TaskFailed when it fails instead.
        """
        task = self._find()
        status = task.get("Status", GONE)
        if status == "running":
            self.let_go()
            return None
        if status == GONE:
            raise TaskFailed(f"{self._arn} is not there")
        if status not in AT_REST:
            return f"{self._arn} is still {status}"
        if memory.get("started"):
            if status == "failed":
                raise TaskFailed(task.get("LastFailureMessage") or "the task failed; its log says why")
            if status == "stopped":
                return None
        # A load by itself has no place to go on from, nor has what was taken away after standing still too long.
        reload = reload or task.get("MigrationType") == "full-load" or task.get("CannotResume", False)
        how = "start-replication" if status in NEVER_RAN else "reload-target" if reload else "resume-processing"
        _LOG.info("%s: %s", self._arn, how)
        self._dms.start_replication_task(ReplicationTaskArn=self._arn, StartReplicationTaskType=how)
        memory["started"] = True
        return f"{self._arn} is starting"

    def go_on(self, memory: dict[str, Any]) -> str | None:
        """Run the task after its connections were tried; it says itself which they are. Raises TaskFailed."""
        task = self._find()
        # A serverless replication has no instance, and tries its connections whenever it starts.
        if (instance_arn := task.get("ReplicationInstanceArn")) is not None:
            ends = [task["SourceEndpointArn"], task["TargetEndpointArn"]]
            if (waited_for := self.test_connections(instance_arn, ends, memory)) is not None:
                return waited_for
        return self.run(memory)

    def load(self, tables: Sequence[str], memory: dict[str, Any]) -> str | None:
        """See to it that DMS loads tables (``schema.table``) that are new to the task since it was last started.

        DMS does so by itself where it has never seen them; one that was taken out and put back it may take for loaded,
        though it was not followed in between. ``memory`` remembers how often it was looked.
        """
        task = self._find()
        if not tables or task.get("Status") != "running" or task.get("MigrationType") == "cdc":
            return None
        lines = self._statistics()
        loading = any(line.get("TableState") == "Full load" for line in lines.values())
        idle = [name for name in tables if not _is_seen_to(lines.get(name), task["ReplicationTaskStartDate"], loading)]
        memory["looks"] = memory.get("looks", 0) + 1
        if not idle:
            return None
        if memory["looks"] >= PATIENCE:
            told = memory.setdefault("reloaded", [])
            late = [name for name in idle if name in lines and name not in told]
            self._reload(late)
            told += late
            for name in (name for name in idle if name not in lines):
                _LOG.warning("%s: there is no table %s at the source", self._arn, name)
            if not any(name in lines for name in idle):
                return None
        return f"{self._arn} has not begun to load {', '.join(idle)}"

    def _reload(self, tables: Sequence[str]) -> None:
        for first in range(0, len(tables), MOST_RELOADED):
            some = tables[first : first + MOST_RELOADED]
            _LOG.info("%s: reload %s", self._arn, ", ".join(some))
            named = [dict(zip(("SchemaName", "TableName"), name.split(".", 1), strict=True)) for name in some]
            self._dms.reload_tables(ReplicationTaskArn=self._arn, TablesToReload=named)

    def _statistics(self) -> dict[str, dict[str, Any]]:
        pages = self._dms.get_paginator("describe_table_statistics").paginate(ReplicationTaskArn=self._arn)
        lines = [line for page in pages for line in page["TableStatistics"]]
        return {f"{line['SchemaName']}.{line['TableName']}": line for line in lines}

    def stop(self) -> str | None:
        """Stop the task, so that it can be changed or deleted. Harmless where it stands, or is gone."""
        status = self._find().get("Status", GONE)
        if status in (GONE, *AT_REST):
            return None
        if status == "running":
            _LOG.info("%s: stop", self._arn)
            self._dms.stop_replication_task(ReplicationTaskArn=self._arn)
        return f"{self._arn} is still {status}"

    def is_running(self) -> bool:
        """Whether it follows its source now, or is about to."""
        return self._find().get("Status") in ("starting", "running")

    def hold(self) -> None:
        """Remember at the task itself that a deployment stopped it."""
        self._dms.add_tags_to_resource(ResourceArn=self._arn, Tags=[{"Key": HELD, "Value": "true"}])

    def let_go(self) -> None:
        """Forget that."""
        self._dms.remove_tags_from_resource(ResourceArn=self._arn, TagKeys=[HELD])

    def is_held(self) -> bool:
        """Whether a deployment stopped it and did not come to start it again."""
        tags = self._dms.list_tags_for_resource(ResourceArn=self._arn)["TagList"]
        return any(tag["Key"] == HELD for tag in tags)

    def test_connections(self, instance_arn: str, endpoint_arns: Sequence[str], memory: dict[str, Any]) -> str | None:
        """Let DMS try each endpoint; a task without a tested connection does not start. Raises TaskFailed."""
        for endpoint in endpoint_arns:
            found = self._connection(endpoint)
            if endpoint not in memory.setdefault("tested", []):
                if found.get("Status") != "testing":
                    self._dms.test_connection(ReplicationInstanceArn=instance_arn, EndpointArn=endpoint)
                memory["tested"].append(endpoint)
        for endpoint in endpoint_arns:
            found = self._connection(endpoint)
            if found.get("Status") in (None, "testing"):
                return f"{endpoint}: the connection is still being tested"
            if found["Status"] != "successful":
                raise TaskFailed(f"{endpoint}: {found.get('LastFailureMessage') or found['Status']}")
        return None

    def _connection(self, endpoint_arn: str) -> dict[str, Any]:
        only = [{"Name": "endpoint-arn", "Values": [endpoint_arn]}]
        return self._first(self._dms.describe_connections, "Connections", Filters=only)

    def _find(self) -> dict[str, Any]:
        only = [{"Name": "replication-task-arn", "Values": [self._arn]}]
        return self._first(self._dms.describe_replication_tasks, "ReplicationTasks", Filters=only, WithoutSettings=True)

    @staticmethod
    def _first(describe: Callable[..., dict[str, Any]], kind: str, **filters: Any) -> dict[str, Any]:
        """What is described, or nothing: DMS answers with an error where it knows none."""
        try:
            found = describe(**filters)[kind]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundFault":
                raise
            return {}
        return dict(found[0]) if found else {}


def _is_seen_to(line: dict[str, Any] | None, began: datetime, loading: bool) -> bool:
    """Whether a table's load began after the task did, or waits for its turn, or DMS has given the table up."""
    if line is None:
        return False
    start, state = line.get("FullLoadStartTime"), line.get("TableState")
    return (start is not None and start >= began) or state in IN_ERROR or (state == "Before load" and loading)
