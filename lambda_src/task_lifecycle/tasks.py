"""Starting and stopping a DMS task, whatever state it is in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from lambda_src.deadline import Deadline

NEVER_RAN = ("ready",)
RAN_BEFORE = ("stopped", "failed")
AT_REST = (*NEVER_RAN, *RAN_BEFORE)
GONE = "(gone)"


class TaskFailed(Exception):
    """The task, or a connection it needs, failed; the message is what DMS says about it."""


class Task:
    """One DMS task. ``dms`` is a boto3 client.

    States and start types: AWS DMS API Reference, StartReplicationTask and DescribeReplicationTasks.
    """

    def __init__(self, dms: Any, arn: str, deadline: Deadline) -> None:
        self._dms, self._arn, self._deadline = dms, arn, deadline

    def start(self) -> None:
        """Start the task, or resume it where it has run before. Returns once it runs; harmless if it does already.

        Raises TaskFailed when it fails instead, TimeoutError when it takes longer than the function may.
        """
        status = self._settle("running", *AT_REST)
        if status == "running":
            return
        how = "start-replication" if status in NEVER_RAN else "resume-processing"
        self._dms.start_replication_task(ReplicationTaskArn=self._arn, StartReplicationTaskType=how)
        self._settle("running", "stopped", "failed")
        task = self._find()
        if task.get("Status") == "failed":
            raise TaskFailed(task.get("LastFailureMessage") or "the task failed; its log says why")

    def stop(self) -> None:
        """Stop the task and wait until it stands, so that it can be deleted. Harmless if it does, or is gone.

        Raises TimeoutError when it takes longer than the function may.
        """
        if self._settle("running", GONE, *AT_REST) == "running":
            self._dms.stop_replication_task(ReplicationTaskArn=self._arn)
            self._settle(GONE, *AT_REST)

    def test_connections(self, instance_arn: str, endpoint_arns: Sequence[str]) -> None:
        """Let DMS try each endpoint; a task without a tested connection does not start. Raises TaskFailed."""
        for endpoint in endpoint_arns:
            if self._connection(endpoint).get("Status") != "testing":
                self._dms.test_connection(ReplicationInstanceArn=instance_arn, EndpointArn=endpoint)
        for endpoint in endpoint_arns:
            self._deadline.wait(partial(self._is_tested, endpoint), f"{endpoint}: the connection is still being tested")
            found = self._connection(endpoint)
            if found["Status"] != "successful":
                raise TaskFailed(f"{endpoint}: {found.get('LastFailureMessage') or found['Status']}")

    def _is_tested(self, endpoint_arn: str) -> bool:
        return self._connection(endpoint_arn).get("Status") not in (None, "testing")

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

    def _settle(self, *settled: str) -> str:
        """Wait for one of the states; the one it is."""
        seen = GONE

        def arrived() -> bool:
            nonlocal seen
            seen = self._find().get("Status", GONE)
            return seen in settled

        try:
            self._deadline.wait(arrived, "")
        except TimeoutError:
            raise TimeoutError(f"{self._arn} is still {seen}, waited for {', '.join(settled)}") from None
        return seen
