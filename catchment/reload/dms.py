"""The DMS task of a source: how far its loads are, and loading tables again.

AWS DMS API Reference, DescribeTableStatistics, ReloadTables, StartReplicationTask.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from catchment.apply.loads import LoadState
from catchment.errors import ReloadFailed, StorageUnavailable
from catchment.landing.names import TableName
from catchment.reload.serverless import task_api

MOST_PER_CALL = 10
"""Tables ReloadTables takes."""
_LOADING = ("Before load", "Full load", "Table is being reloaded")
_BROKEN = ("Table error", "Table cancelled", "Table does not exist", "Error")
_SETTLING = ("starting", "stopping", "modifying", "creating", "testing", "moving")


class DmsTask:
    """One replication task, or serverless replication, by its ARN. ``dms`` is a boto3 client.

    ``patience``: seconds ``state`` waits for a load under way to end, for who is told of its last file a moment
    before DMS says that it was the last.
    """

    def __init__(
        self,
        dms: Any,
        arn: str,
        *,
        patience: float = 0.0,
        pause: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._dms, self._arn = task_api(dms, arn), arn
        self._patience, self._pause, self._clock = patience, pause, clock

    def state(self, table: TableName) -> LoadState | None:
        """The table's newest load; None for a table that the task does not know. Raises StorageUnavailable."""
        until = self._clock() + self._patience
        while True:
            found = self._state(table)
            if found is None or found.complete or found.error or found.started is None or self._clock() >= until:
                return found
            self._pause(0.25)

    def make_run(self, timeout: float) -> bool:
        """Resume the task where it stopped or failed; whether that was necessary. Raises ReloadFailed."""
        until = self._clock() + timeout
        status = self._settled(until)
        if status == "running":
            return False
        if status == "ready":
            raise ReloadFailed(self._arn, "the task has never been started: its first load is what is missing")
        self._ask(
            self._dms.start_replication_task,
            ReplicationTaskArn=self._arn,
            StartReplicationTaskType="resume-processing",
        )
        if (status := self._settled(until)) != "running":
            raise ReloadFailed(self._arn, f"the task is {status} again after it was resumed: {self._why()}")
        return True

    def check(self) -> None:
        """Raise ReloadFailed where the task stopped or failed in the meantime."""
        if (status := str(self._task()["Status"])) != "running":
            raise ReloadFailed(self._arn, f"the task is {status}: {self._why()}; ask for the reload again")

    def reload(self, tables: Sequence[TableName]) -> None:
        """Have the tables loaded again, from now on. Raises ReloadFailed."""
        for start in range(0, len(tables), MOST_PER_CALL):
            named = [{"SchemaName": each.schema, "TableName": each.table} for each in tables[start:][:MOST_PER_CALL]]
            self._ask(self._dms.reload_tables, ReplicationTaskArn=self._arn, TablesToReload=named)

    def _state(self, table: TableName) -> LoadState | None:
        only = [{"Name": "schema-name", "Values": [table.schema]}, {"Name": "table-name", "Values": [table.table]}]
        try:
            answer = self._dms.describe_table_statistics(ReplicationTaskArn=self._arn, Filters=only)
        except (ClientError, BotoCoreError) as error:
            raise StorageUnavailable(self._arn, f"no statistics of {table}: {error}") from error
        for line in answer["TableStatistics"]:
            if (line["SchemaName"], line["TableName"]) == table:
                return _load_state(line)
        return None

    def _task(self) -> dict[str, Any]:
        only = [{"Name": "replication-task-arn", "Values": [self._arn]}]
        answer = self._ask(self._dms.describe_replication_tasks, Filters=only, WithoutSettings=True)
        return dict(answer["ReplicationTasks"][0])

    def _why(self) -> str:
        task = self._task()
        return str(task.get("LastFailureMessage") or task.get("StopReason") or "its log says why")

    def _settled(self, until: float) -> str:
        while (status := str(self._task()["Status"])) in _SETTLING:
            if self._clock() > until:
                raise ReloadFailed(self._arn, f"the task is still {status}")
            self._pause(0.25)
        return status

    def _ask(self, call: Callable[..., Any], **parameters: Any) -> Any:
        try:
            return call(**parameters)
        except (ClientError, BotoCoreError) as error:
            raise ReloadFailed(self._arn, str(error)) from error


class TaskLoads:
    """The loads of the task that the SSM parameter ``<prefix>/<source>/task-arn`` names; nobody's where there is none.

    The parameter is read each time: a task that is replaced has another ARN. ``dms`` and ``ssm`` are boto3 clients.
    """

    def __init__(self, dms: Any, ssm: Any, prefix: str, source: str, *, patience: float = 0.0) -> None:
        self._dms, self._ssm, self._patience = dms, ssm, patience
        self._parameter = f"{prefix}/{source}/task-arn"

    def state(self, table: TableName) -> LoadState | None:
        """The table's newest load. Raises StorageUnavailable."""
        try:
            arn = self._ssm.get_parameter(Name=self._parameter)["Parameter"]["Value"]
        except self._ssm.exceptions.ParameterNotFound:
            return None
        except (ClientError, BotoCoreError) as error:
            raise StorageUnavailable(self._parameter, f"the task of {table} cannot be found: {error}") from error
        return DmsTask(self._dms, arn, patience=self._patience).state(table)


def _load_state(line: dict[str, Any]) -> LoadState:
    started, ended, state = line.get("FullLoadStartTime"), line.get("FullLoadEndTime"), line.get("TableState", "")
    complete = started is not None and ended is not None and ended >= started and state not in _LOADING
    return LoadState(
        complete,
        started,
        int(line.get("FullLoadRows", 0)),
        str(state) if state in _BROKEN and not complete else "",
    )
