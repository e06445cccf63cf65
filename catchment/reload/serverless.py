"""A DMS Serverless replication, spoken to as if it were a replication task.

Both do the same by calls of other names; what is built on tasks need not know. AWS DMS API Reference: StartReplication,
StopReplication, DescribeReplications, DescribeReplicationTableStatistics, ReloadReplicationTables. The states on the
way to running: AWS DMS User Guide, "AWS DMS Serverless components".
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

NEVER_RAN = ("created", "ready")
AS_OF_TASKS = ("running", "stopping", "stopped", "failed", "deleting", "modifying")
"""States that mean the same for both. Any other lies between the call to start and running."""


def task_api(dms: Any, arn: str) -> Any:
    """The boto3 client ``dms`` itself for a task's ARN; for that of a replication config what speaks for it."""
    return ServerlessAsTask(dms) if is_serverless(arn) else dms


def is_serverless(arn: str) -> bool:
    """Whether an ARN is that of a replication config."""
    return arn.split(":")[5:6] == ["replication-config"]


class ServerlessAsTask:
    """The calls about tasks of a boto3 client, for replications. ``ReplicationTaskArn`` is the config's ARN."""

    def __init__(self, dms: Any) -> None:
        self._dms = dms

    def describe_replication_tasks(self, *, Filters: list[dict[str, Any]], **_: Any) -> dict[str, Any]:
        """Its state, as a task's."""
        only = [{"Name": "replication-config-arn", "Values": each["Values"]} for each in Filters]
        return {"ReplicationTasks": [_as_task(each) for each in self._pages("Replications", Filters=only)]}

    def start_replication_task(self, *, ReplicationTaskArn: str, StartReplicationTaskType: str) -> None:
        """Start, resume or reload it."""
        self._dms.start_replication(
            ReplicationConfigArn=ReplicationTaskArn, StartReplicationType=StartReplicationTaskType
        )

    def stop_replication_task(self, *, ReplicationTaskArn: str) -> None:
        """Stop it."""
        self._dms.stop_replication(ReplicationConfigArn=ReplicationTaskArn)

    def reload_tables(self, *, ReplicationTaskArn: str, TablesToReload: list[dict[str, str]]) -> None:
        """Load tables again."""
        self._dms.reload_replication_tables(ReplicationConfigArn=ReplicationTaskArn, TablesToReload=TablesToReload)

    def describe_table_statistics(self, *, ReplicationTaskArn: str, **filters: Any) -> dict[str, Any]:
        """All of its tables that the filters let through."""
        asked = {"ReplicationConfigArn": ReplicationTaskArn, **filters}
        return {"TableStatistics": list(self._pages("ReplicationTableStatistics", **asked))}

    def get_paginator(self, operation: str) -> ServerlessAsTask:
        """For ``describe_table_statistics``, whose only page is whole."""
        if operation != "describe_table_statistics":
            raise ValueError(f"{operation}: only describe_table_statistics has pages here")
        return self

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
        """See get_paginator."""
        yield self.describe_table_statistics(**asked)

    def __getattr__(self, name: str) -> Any:
        """What is the same for both, for example tags."""
        return getattr(self._dms, name)

    def _pages(self, kind: str, **asked: Any) -> Iterator[dict[str, Any]]:
        calls = {
            "Replications": self._dms.describe_replications,
            "ReplicationTableStatistics": self._dms.describe_replication_table_statistics,
        }
        answer = calls[kind](**asked)
        yield from answer[kind]
        while answer.get("Marker"):
            answer = calls[kind](**asked, Marker=answer["Marker"])
            yield from answer[kind]


def _as_task(replication: dict[str, Any]) -> dict[str, Any]:
    said = str(replication["Status"]).lower()
    status = "ready" if said in NEVER_RAN else said if said in AS_OF_TASKS else "starting"
    gone = replication.get("ReplicationDeprovisionTime")
    task = {
        "ReplicationTaskArn": replication["ReplicationConfigArn"],
        "Status": status,
        "MigrationType": replication.get("ReplicationType"),
        "LastFailureMessage": "; ".join(replication.get("FailureMessages") or []),
        "StopReason": replication.get("StopReason", ""),
        "ReplicationTaskStartDate": replication.get("ReplicationStats", {}).get("StartDate"),
        "CannotResume": status in ("stopped", "failed") and gone is not None and gone <= datetime.now(UTC),
    }
    return {name: value for name, value in task.items() if value is not None}
