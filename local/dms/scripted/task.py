"""A task that reads a written history: its files, in the names, columns and types that DMS gives them."""

from __future__ import annotations

import copy
import datetime as dt
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from catchment.engines import engine
from catchment.engines.dms_types import Form
from local.dms.changes import FIRST_COUNTER, STEP
from local.dms.formats import file_format
from local.dms.layout import Commit, Layout, fitted, sequence_texts, timestamp_text
from local.dms.mappings import CHANGE_SEQ, AddedColumn
from local.dms.names import KeyNames
from local.dms.rows import load_rows
from local.dms.scripted.database import Record, Table
from local.dms.scripted.script import Script, StepScript
from local.dms.settings import s3_settings
from local.dms.shapes import Column, TableShape
from local.dms.target import FolderTarget
from local.dms.values import convert

LANDING = {"timestamp_column": "dms_ts", "sequence_column": "dms_seq", "before_image_prefix": "BI_"}
"""What the files are written as, in the words of a tables file."""

_LAYOUT = Layout(
    operation_in_load=True,
    timestamp=LANDING["timestamp_column"],
    added=(AddedColumn(LANDING["sequence_column"], CHANGE_SEQ),),
    before=(LANDING["before_image_prefix"], ""),
)
_FLUSH_MILLISECONDS = 4
"""How long after its time a file is named, as seen in files of DMS."""


@dataclass(frozen=True)
class Step:
    """What became of one step of a history: the files that it wrote, as keys."""

    at: dt.datetime
    """UTC; the files bear this time as well."""
    files: tuple[str, ...]
    loaded: tuple[str, ...] = ()
    """Tables that it loaded."""


@dataclass
class _Buffer:
    """A table's changes that are in no file yet."""

    records: list[Record] = field(default_factory=list)
    commits: list[Commit] = field(default_factory=list)
    counters: list[int] = field(default_factory=list)
    shape: TableShape | None = None
    due: int = 0


class ScriptedTask:
    """Plays a history into the folder ``landing``.

    Example: ``for step in ScriptedTask(load_script(path), landing).run(): print(step.files)``
    """

    def __init__(self, script: Script, landing: Path) -> None:
        facts = engine(script.engine)
        self._script = script
        self.tables = {name: Table(name, said, facts.types, facts.capture) for name, said in script.tables.items()}
        """The source's tables, as they are after what has been played."""
        settings = s3_settings({"BucketName": "landing", "BucketFolder": "", "DatePartitionEnabled": True})
        self._format = file_format({**settings, "DataFormat": "parquet"})
        self._names = KeyNames({**settings, "BucketFolder": ""}, self._format.suffix)
        self._landing, self._target = landing, FolderTarget(landing)
        self._lob_limit = script.lob_max_kb * 1024
        self._buffers = {name: _Buffer() for name in self.tables}
        self._sent: list[tuple[str, TableShape, pa.Table, int]] = []
        self._last: dict[str, int] = {}
        self._counter = FIRST_COUNTER

    @property
    def contract(self) -> str:
        """The tables file of ``catchment apply``."""
        tables = {name: {"key": list(table.shape.key)} for name, table in self.tables.items()}
        return json.dumps({"landing": LANDING, "tables": tables}, indent=1)

    def run(self) -> Iterator[Step]:
        """Play one step after the other, and at the end what still waits. Raises ScriptError."""
        for step in self._script.history:
            if waited := tuple(self._flush(step.microseconds)):
                yield Step(_moment(step.microseconds), waited)
            yield Step(_moment(step.microseconds), tuple(self._play(step)), tuple(step.load or ()))
        last = max((buffer.due for buffer in self._buffers.values() if buffer.records), default=0)
        if files := tuple(self._flush(last)):
            yield Step(_moment(last), files)

    def source(self, name: str) -> pa.Table:
        """What a table holds, in the types in which DMS delivers it, nothing cut."""
        table = self.tables[name]
        return pa.table(
            {
                column.name: convert(_texts((row.get(column.name) for row in table.rows), column), column, 2**40).values
                for column in table.shape.columns
            }
        )

    def _play(self, step: StepScript) -> Iterator[str]:
        if step.load is not None:
            if step.task == "new":
                self._counter = FIRST_COUNTER
            for name in step.load:
                yield from self._load(name, step.microseconds)
        elif step.add is not None:
            yield from self._flush_table(step.add.table, step.microseconds)
            self.tables[step.add.table].add(step.add)
            self._counter += 3 * STEP
        elif step.again is not None:
            for name, shape, rows, dated in self._sent[-step.again :]:
                yield self._send(name, shape, rows, step.microseconds, dated)
        else:
            self._transaction(step)

    def _transaction(self, step: StepScript) -> None:
        before = {name: copy.deepcopy(table.rows) for name, table in self.tables.items()}
        told = [
            (name, record)
            for name, statement in zip(step.tables(), step.do or [], strict=True)
            for record in self.tables[name].run(statement)
        ]
        if step.undone:
            for name, rows in before.items():
                self.tables[name].rows = rows
            return
        self._counter += STEP
        for name, record in told:
            self._counter += STEP
            self._keep(name, record, Commit.at(step.microseconds))
        self._counter += STEP

    def _keep(self, name: str, record: Record, commit: Commit) -> None:
        buffer = self._buffers[name]
        if not buffer.records:
            buffer.due = commit.microseconds + int(self._script.interval_seconds * 1e6)
            buffer.shape = self.tables[name].shape
        buffer.records.append(record)
        buffer.commits.append(commit)
        buffer.counters.append(self._counter)

    def _load(self, name: str, at: int) -> Iterator[str]:
        table = self.tables[name]
        if not table.rows:
            return
        shape = table.shape
        texts = [_texts((row.get(column.name) for row in table.rows), column) for column in shape.columns]
        stamps = pa.array([timestamp_text(at + number) for number in range(len(table.rows))])
        rows, _ = load_rows(shape, _LAYOUT, texts, self._lob_limit, stamps)
        yield self._put(self._names.load(shape.folder, 1), rows, at)

    def _flush(self, now: int) -> Iterator[str]:
        for name, buffer in self._buffers.items():
            if buffer.records and buffer.due <= now:
                yield from self._flush_table(name, buffer.due)

    def _flush_table(self, name: str, at: int) -> Iterator[str]:
        buffer, self._buffers[name] = self._buffers[name], _Buffer()
        if buffer.shape is not None:
            rows = self._rows(buffer.shape, buffer)
            dated = buffer.commits[0].microseconds
            self._sent.append((name, buffer.shape, rows, dated))
            yield self._send(name, buffer.shape, rows, at + _FLUSH_MILLISECONDS * 1000, dated)

    def _rows(self, shape: TableShape, buffer: _Buffer) -> pa.Table:
        columns = [
            pa.array([record.operation for record in buffer.records]),
            pa.array([commit.text for commit in buffer.commits]),
        ]
        for column in shape.columns:
            told = _texts((record.values.get(column.name) for record in buffer.records), column)
            columns.append(convert(told, column, self._lob_limit).values)
        columns.append(sequence_texts(buffer.commits, buffer.counters))
        for column in _LAYOUT.before_columns(shape):
            told = _texts((record.before.get(column.name) for record in buffer.records), column)
            columns.append(convert(told, column, self._lob_limit).values)
        schema = _LAYOUT.schema(shape, load=False)
        arrays = [fitted(values, field) for values, field in zip(columns, schema, strict=True)]
        return pa.Table.from_arrays(arrays, schema=schema)

    def _send(self, name: str, shape: TableShape, rows: pa.Table, at: int, dated: int) -> str:
        named = max(at // 1000 * 1000, self._last.get(name, 0) + 1000)
        self._last[name] = named
        return self._put(self._names.changes(shape.folder, named, dated), rows, named)

    def _put(self, key: str, rows: pa.Table, at: int) -> str:
        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch) / "file"
            file = self._format.open(path, rows.schema)
            file.write(rows)
            file.close()
            self._target.put(key, path)
        # whoever tells a load from the one before looks at when its files were written
        os.utime(self._landing / key, ns=(at * 1000, at * 1000))
        return key


def _moment(microseconds: int) -> dt.datetime:
    return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=microseconds)


def _texts(values: Iterable[str | None], column: Column) -> pa.Array:
    """A column's text in the emulator's spelling of bytes."""
    if column.type.form is Form.HEX:
        values = [None if value is None else value.replace("0x", r"\x", 1) for value in values]
    return pa.array(list(values), pa.string())
