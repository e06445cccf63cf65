"""A MySQL source in one life of a task: a consistent snapshot with its place in the log, rows, changes from there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

import numpy as np
import pyarrow as pa
from pymysql.connections import Connection

from local.dms.address import SourceAddress
from local.dms.plan import TaskPlan
from local.dms.rows import DecodedRows, Lookup
from local.dms.segments import Ranges
from local.dms.shapes import Column, SourceTable, TableShape
from local.dms.sources.base import TakeRows
from local.dms.sources.mysql.changes import MySqlChanges, RowChange
from local.dms.sources.mysql.database import (
    Catalog,
    check_log,
    connect,
    format_position,
    identifier,
    literal,
    parse_position,
)
from local.dms.state import Position

ROWS_AT_ONCE = 20_000


class MySqlSource:
    """A session on the server of one task."""

    def __init__(self, plan: TaskPlan, address: SourceAddress) -> None:
        self._plan, self._address = plan, address
        self._session = connect(address)
        self._catalog = Catalog(self._session, plan.policy)
        self._base = ""
        self._snapshot: Connection | None = None

    def tables(self) -> list[tuple[str, str]]:
        """All tables a task could take, by schema and name."""
        return self._catalog.tables()

    def read(self, schema: str, table: str) -> SourceTable | None:
        """A table's definition as of now, None if it is not there."""
        return self._catalog.read(schema, table)

    def begin(self, tables: Sequence[SourceTable]) -> int:
        """The place in the log at which the snapshot of the first load is, or at which the log is now."""
        check_log(self._catalog)
        if self._plan.behaviour.load_snapshot != "slot":
            return self._place(self._catalog.rows("SHOW MASTER STATUS")[0])
        self._snapshot = connect(self._address, raw=True)
        _begin_snapshot(self._snapshot)
        found = dict(Catalog(self._snapshot, self._plan.policy).rows("SHOW STATUS LIKE 'binlog_snapshot_%'"))
        return self._place((found["Binlog_snapshot_file"], found["Binlog_snapshot_position"]))

    def _place(self, found: Sequence[Any]) -> int:
        return parse_position(f"{found[0]}:{found[1]}")

    def admit(self, tables: Iterable[SourceTable]) -> None:
        """Nothing: the log has the changes of every table."""

    @contextmanager
    def loading(self, *, first: bool) -> Iterator[RowReader]:
        """A session for each table; in the first load the snapshot's."""
        if first and self._snapshot is not None:
            yield RowReader(self._snapshot)
            return
        with closing(connect(self._address, raw=True)) as connection:
            _begin_snapshot(connection)
            yield RowReader(connection)

    def changes(self, start: Position) -> MySqlChanges:
        """Have the log from there on."""
        self._end_snapshot()
        check_log(self._catalog)
        return MySqlChanges(self._address, self._plan.slot, start, self._base_name(), self._catalog, self._plan.policy)

    def decode(self, messages: Sequence[RowChange], shape: TableShape) -> DecodedRows:
        """Rows of the log, which have all their columns."""
        count = len(messages)
        operations = np.fromiter((message.operation for message in messages), np.uint8, count)
        columns = zip(*(message.values for message in messages), strict=True)
        values = [_array(column, found) for column, found in zip(shape.columns, columns, strict=True)]
        # of a key that an update left alone nothing is said before, as of a row that had none
        old = [
            _array(column, [None if m.old is None else m.old[place] for m in messages]) if column.in_key else nothing
            for place, (column, nothing) in enumerate(
                zip(shape.columns, (pa.nulls(count, found.type) for found in values), strict=True)
            )
        ]
        return DecodedRows(operations, values, [np.zeros(count, bool)] * len(values), old)

    @property
    def lookup(self) -> Lookup | None:
        """Nothing is missing in the log."""
        return None

    def spell(self, lsn: int) -> str:
        """``mysql-bin-changelog.000024:373``."""
        return format_position(self._base_name(), lsn)

    def close(self) -> None:
        """End its sessions."""
        self._end_snapshot()
        self._session.close()

    def _end_snapshot(self) -> None:
        if self._snapshot is not None:
            self._snapshot.close()
            self._snapshot = None

    def _base_name(self) -> str:
        if not self._base:
            [(path,)] = self._catalog.rows("SELECT @@log_bin_basename")
            self._base = str(path).rpartition("/")[2]
        return self._base


class RowReader:
    """Reads tables in one session's snapshot, as the server sends them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def rows(self, table: SourceTable, ranges: Ranges | None, part: int | None, take: TakeRows) -> None:
        """Hand over a table's rows, or those of a part of it."""
        shape = table.shape
        condition = "true"
        if ranges is not None and part is not None:
            condition = ranges.conditions(identifier, literal)[part - 1]
        query = (
            f"SELECT {', '.join(map(_selected, shape.columns))}"
            f" FROM {identifier(shape.schema)}.{identifier(shape.table)} WHERE {condition}"
        )
        with self._connection.cursor() as cursor:
            cursor.execute(query)
            while rows := cursor.fetchmany(ROWS_AT_ONCE):
                columns = zip(shape.columns, zip(*rows, strict=True), strict=True)
                take([_array(column, list(map(_as_logged(column), found))) for column, found in columns])


def _begin_snapshot(connection: Connection) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")


def _selected(column: Column) -> str:
    # a FLOAT in a result has six digits; the log has all of them
    name = identifier(column.name)
    return f"CAST({name} AS DOUBLE)" if column.type.name == "REAL8" else name


def _as_logged(column: Column) -> Any:
    """From a value in a result to what the log's reader makes of it."""
    if column.type.name in ("DATE", "DATETIME"):
        return _date
    return _bit if column.type.name == "BOOLEAN" else _same


def _same(value: Any) -> Any:
    return value


def _date(text: str | None) -> str | None:
    return None if text is None or text[:4] == "0000" or "-00" in text[4:10] else text


def _bit(value: bytes | None) -> str | None:
    return None if value is None else "true" if value[-1] & 1 else "false"


def _array(column: Column, values: Sequence[Any]) -> pa.Array:
    return pa.array(values, pa.binary() if column.type.delta == "binary" else pa.string())
