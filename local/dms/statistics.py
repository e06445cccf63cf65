"""What a task says of itself, in the words of the API."""

from __future__ import annotations

import time
from typing import Any

from local.dms.state import TableStatistics, TaskStatus


def task_statistics(status: TaskStatus, stopped: float | None) -> dict[str, Any]:
    """ReplicationTaskStats. ``stopped`` is when the task stopped, None while it runs."""
    states = [line.state for line in status.tables.values()]
    loaded, errored = states.count("Table completed"), states.count("Table error")
    loading = sum(state in ("Full load", "Table is being reloaded") for state in states)
    queued = states.count("Before load")
    statistics = {
        "FullLoadProgressPercent": 100 * loaded // len(states) if states else 0,
        "ElapsedTimeMillis": int(((stopped or time.time()) - status.started) * 1000),
        "TablesLoaded": loaded,
        "TablesLoading": loading,
        "TablesQueued": queued,
        "TablesErrored": errored,
        "FreshStartDate": status.started,
        "StartDate": status.started,
        "StopDate": stopped,
        "FullLoadStartDate": status.load_started,
        "FullLoadFinishDate": status.load_finished,
    }
    return {name: value for name, value in statistics.items() if value is not None}


def table_statistics(line: TableStatistics) -> dict[str, Any]:
    """One TableStatistics."""
    shown = {
        "SchemaName": line.schema,
        "TableName": line.table,
        "Inserts": line.inserts,
        "Updates": line.updates,
        "Deletes": line.deletes,
        "Ddls": line.ddls,
        "AppliedInserts": line.applied_inserts,
        "AppliedUpdates": line.applied_updates,
        "AppliedDeletes": line.applied_deletes,
        "AppliedDdls": line.ddls,
        "FullLoadRows": line.load_rows,
        "FullLoadCondtnlChkFailedRows": 0,
        "FullLoadErrorRows": line.load_error_rows,
        "FullLoadStartTime": line.load_start,
        "FullLoadEndTime": line.load_end,
        "FullLoadReloaded": line.reloaded,
        "LastUpdateTime": line.updated,
        "TableState": line.state,
        "ValidationPendingRecords": 0,
        "ValidationFailedRecords": 0,
        "ValidationSuspendedRecords": 0,
        "ValidationState": "Not enabled",
    }
    return {name: value for name, value in shown.items() if value is not None}
