"""Full load: a table's rows into LOAD files."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from local.dms.formats import OpenFile
from local.dms.layout import timestamp_text
from local.dms.plan import TaskPlan
from local.dms.rows import load_rows, without
from local.dms.sender import FileSender
from local.dms.shapes import SourceTable
from local.dms.sources.base import TableReader
from local.dms.state import TableStatistics

log = logging.getLogger("dms")


class TableLoad:
    """Loads one table. ``task_start`` and what ``clock`` gives are seconds since 1970; ``tick`` is called between
    chunks, so that a waiting stream can be kept alive."""

    def __init__(
        self,
        plan: TaskPlan,
        sender: FileSender,
        table: SourceTable,
        line: TableStatistics,
        *,
        task_start: float,
        clock: Callable[[], float],
        tick: Callable[[], None],
    ) -> None:
        self._plan, self._sender, self._table, self._line = plan, sender, table, line
        self._shape = table.shape
        self._layout = plan.layout(table.shape)
        self._task_start, self._clock, self._tick = task_start, clock, tick
        self._file: tuple[OpenFile, Path] | None = None
        self._file_rows = 0
        self._number = 0
        self._segment: int | None = None
        self._last_stamp = 0

    def run(self, reader: TableReader) -> int:
        """Load the table through ``reader`` in whatever snapshot it is; rows written.

        Raises TableSuspended or TaskFailed as the error policy says.
        """
        self._line.load_start = self._clock()
        self._line.load_rows = 0
        self._sender.prepare(self._shape, self._plan.settings["FullLoadSettings"]["TargetTablePrepMode"])
        ranges = self._plan.rules.ranges.get((self._shape.schema, self._shape.table))
        for self._segment in [None] if ranges is None else range(1, ranges.parts + 1):
            self._number = 0
            reader.rows(self._table, ranges, self._segment, self._convert)
            self._finish_file()
        self._line.load_end = self._line.updated = self._clock()
        return self._line.load_rows

    def _convert(self, columns: list[pa.Array]) -> None:
        rows, problems = load_rows(
            self._shape, self._layout, columns, self._plan.lob_limit(self._shape), self._timestamps(len(columns[0]))
        )
        dropped = self._plan.policy.rows_to_drop(self._shape.name, problems)
        self._line.load_error_rows += len(dropped)
        self._write(without(rows, dropped))
        self._tick()

    def _timestamps(self, count: int) -> pa.Array:
        if self._plan.s3["UseTaskStartTimeForFullLoadTimestamp"]:
            same = pa.array([timestamp_text(int(self._task_start * 1e6))])
            return same.take(pa.array(np.zeros(count, np.int64)))
        # the time of transfer, rising by a microsecond from row to row
        first = max(int(self._clock() * 1e6), self._last_stamp + 1)
        self._last_stamp = first + count - 1
        moments = pa.array(np.arange(first, first + count)).cast(pa.timestamp("us"))
        return pc.strftime(moments, "%Y-%m-%d %H:%M:%S")

    def _write(self, rows: pa.Table) -> None:
        limit = self._plan.behaviour.load_file_rows
        while rows.num_rows:
            if self._file is None:
                self._file = self._sender.new_file(rows.schema)
            part = rows.slice(0, limit - self._file_rows)
            self._file[0].write(part)
            self._file_rows += part.num_rows
            self._line.load_rows += part.num_rows
            rows = rows.slice(part.num_rows)
            if self._file_rows >= limit or self._too_large(self._file[1]):
                self._finish_file()

    def _too_large(self, path: Path) -> bool:
        # MaxFileSize, in kilobytes, is for CSV only
        limit = int(self._plan.s3["MaxFileSize"]) * 1024
        return bool(self._plan.s3["DataFormat"] == "csv") and path.stat().st_size >= limit

    def _finish_file(self) -> None:
        if self._file is None:
            return
        file, path = self._file
        file.close()
        self._number += 1
        self._sender.send_load(self._shape, self._number, path, self._segment)
        self._file, self._file_rows = None, 0
