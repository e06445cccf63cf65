"""Full load: a table's rows through COPY into LOAD files."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
from psycopg2 import sql

from local.dms.formats import OpenFile
from local.dms.layout import timestamp_text
from local.dms.plan import TaskPlan
from local.dms.rows import load_rows, without
from local.dms.sender import FileSender
from local.dms.source import SourceTable
from local.dms.state import TableStatistics

log = logging.getLogger("dms")

CHUNK_BYTES = 8 * 1024 * 1024
"""COPY text converted at a time."""


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
        self._plan, self._sender, self._shape, self._line = plan, sender, table.shape, line
        self._partitioned = table.partitioned
        self._layout = plan.layout(table.shape)
        self._task_start, self._clock, self._tick = task_start, clock, tick
        self._text: list[bytes] = []
        self._size = 0
        self._file: tuple[OpenFile, Path] | None = None
        self._file_rows = 0
        self._number = 0
        self._segment: int | None = None
        self._last_stamp = 0

    def run(self, connection: Any) -> int:
        """Load the table through ``connection`` in whatever snapshot it is; rows written.

        Raises TableSuspended or TaskFailed as the error policy says.
        """
        self._line.load_start = self._clock()
        self._line.load_rows = 0
        self._sender.prepare(self._shape, self._plan.settings["FullLoadSettings"]["TargetTablePrepMode"])
        ranges = self._plan.rules.ranges.get((self._shape.schema, self._shape.table))
        if ranges is None:
            self._load(connection, sql.SQL("true"))
        else:
            for self._segment, condition in enumerate(ranges.conditions(), start=1):
                self._number = 0
                self._load(connection, condition)
        self._line.load_end = self._line.updated = self._clock()
        return self._line.load_rows

    def _load(self, connection: Any, condition: sql.Composable) -> None:
        with connection.cursor() as cursor:
            cursor.copy_expert(self._copy_statement(condition).as_string(cursor), self, size=1 << 16)
        self._convert()
        self._finish_file()

    def write(self, row: bytes) -> int:
        """One row of COPY text, as psycopg2 hands it over."""
        self._text.append(row)
        self._size += len(row)
        if self._size >= CHUNK_BYTES:
            self._convert()
        return len(row)

    def _copy_statement(self, condition: sql.Composable) -> sql.Composed:
        columns = sql.SQL(", ").join(sql.Identifier(c.name) for c in self._shape.columns)
        name = sql.Identifier(self._shape.schema, self._shape.table)
        # without ONLY a parent would bring the rows of tables that inherit from it, which are replicated on their own
        only = sql.SQL("" if self._partitioned else "ONLY ")
        statement = sql.SQL("COPY (SELECT {} FROM {}{} WHERE {}) TO STDOUT (FORMAT csv)")
        return statement.format(columns, only, name, condition)

    def _convert(self) -> None:
        if not self._text:
            return
        text, self._text, self._size = b"".join(self._text), [], 0
        columns = _parse(text, len(self._shape.columns))
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


def _parse(text: bytes, columns: int) -> list[pa.Array]:
    names = [str(number) for number in range(columns)]
    table = pcsv.read_csv(
        io.BytesIO(text),
        pcsv.ReadOptions(column_names=names, use_threads=False, block_size=len(text) + 1),
        pcsv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        pcsv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
    return [pa.concat_arrays(column.chunks) for column in table.columns]
