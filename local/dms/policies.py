"""What becomes of a value that does not survive, as the task's ErrorBehavior and the endpoint say."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from local.dms.values import Problem

log = logging.getLogger("dms")


class TaskFailed(Exception):
    """The whole task stops as failed; the message is its LastFailureMessage."""


class TableSuspended(Exception):
    """One table stops with "Table error"; the task goes on."""

    def __init__(self, table: str, why: str) -> None:
        super().__init__(table, why)
        self.table, self.why = table, why


@dataclass(frozen=True)
class ErrorPolicy:
    """The policies of a task. Each is LOG_ERROR, IGNORE_RECORD, SUSPEND_TABLE or STOP_TASK."""

    data: str
    truncation: str
    table: str
    fail_on_lob_truncation: bool
    fail_on_truncate: bool

    @classmethod
    def of(cls, behaviour: Mapping[str, Any], source: Mapping[str, Any]) -> ErrorPolicy:
        """From the task's ErrorBehavior and the source endpoint's own settings."""
        return cls(
            behaviour["DataErrorPolicy"],
            behaviour["DataTruncationErrorPolicy"],
            behaviour["TableErrorPolicy"],
            bool(source.get("FailTasksOnLobTruncation", False)),
            bool(behaviour["ApplyErrorFailOnTruncationDdl"]),
        )

    def rows_to_drop(self, table: str, problems: Iterable[Problem]) -> set[int]:
        """The rows that must not be written. Raises TableSuspended or TaskFailed where the policy says so.

        A large object that is too long is cut with a warning, whatever DataTruncationErrorPolicy says, unless the
        endpoint has FailTasksOnLobTruncation.
        """
        dropped: set[int] = set()
        for problem in problems:
            what = f"{table}: column {problem.column}: {problem.detail}"
            log.warning("%s", what)
            if problem.kind == "lob":
                if self.fail_on_lob_truncation:
                    raise TaskFailed(f"{what} (FailTasksOnLobTruncation)")
                continue
            policy = self.data if problem.kind == "data" else self.truncation
            if policy == "STOP_TASK":
                raise TaskFailed(what)
            if policy == "SUSPEND_TABLE":
                self.suspend(table, what)
            dropped.add(problem.row)
        return dropped

    def suspend(self, table: str, why: str) -> None:
        """Raise TableSuspended, or TaskFailed where TableErrorPolicy is STOP_TASK."""
        if self.table == "STOP_TASK":
            raise TaskFailed(why)
        raise TableSuspended(table, why)
