"""A PostgreSQL source in one life of a task: slot and snapshot, COPY, the stream of pgoutput."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.csv as pcsv
from psycopg2 import sql

from local.dms.address import SourceAddress
from local.dms.plan import TaskPlan
from local.dms.rows import DecodedRows, Lookup
from local.dms.segments import Ranges
from local.dms.shapes import SourceTable, TableShape
from local.dms.sources.base import TakeRows
from local.dms.sources.postgresql.changes import PostgresChanges
from local.dms.sources.postgresql.database import (
    Catalog,
    connect,
    connect_replication,
    create_slot,
    drop_slot,
    format_lsn,
)
from local.dms.sources.postgresql.lookup import lookup_at
from local.dms.sources.postgresql.pgoutput import decode_rows
from local.dms.sources.postgresql.publication import add_to_publications, create_publications, install_ddl_capture
from local.dms.state import Position

CHUNK_BYTES = 8 * 1024 * 1024
"""COPY text handed over at a time."""


class PostgresSource:
    """A session on the database of one task."""

    def __init__(self, plan: TaskPlan, address: SourceAddress) -> None:
        self._plan, self._address = plan, address
        self._session = connect(address)
        self.catalog = Catalog(self._session)
        self._replication: Any = None
        self._snapshot: str | None = None

    def tables(self) -> list[tuple[str, str]]:
        """All tables a task could take, by schema and name."""
        return self.catalog.tables()

    def read(self, schema: str, table: str) -> SourceTable | None:
        """A table's definition as of now, None if it is not there."""
        return self.catalog.read(schema, table)

    def begin(self, tables: Sequence[SourceTable]) -> int:
        """Make DMS's objects, the publications, and the slot; its consistent point."""
        schema = self._plan.own["DdlArtifactsSchema"]
        install_ddl_capture(self._session, schema)
        drop_slot(self._session, self._plan.slot)
        create_publications(self._session, self._plan.slot, tables, schema)
        self._replication = connect_replication(self._address)
        point, snapshot = create_slot(self._replication, self._plan.slot)
        if self._plan.behaviour.load_snapshot == "slot":
            self._snapshot = snapshot
        return point

    def admit(self, tables: Iterable[SourceTable]) -> None:
        """Let the publications send more tables."""
        add_to_publications(self._session, self._plan.slot, tables)

    @contextmanager
    def loading(self, *, first: bool) -> Iterator[CopyReader]:
        """A session for each table; in the first load in the slot's snapshot."""
        connection = connect(self._address)
        try:
            with connection.cursor() as cursor:
                cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                if first and self._snapshot is not None:
                    cursor.execute("SET TRANSACTION SNAPSHOT %s", [self._snapshot])
            yield CopyReader(connection)
        finally:
            connection.close()

    def changes(self, start: Position) -> PostgresChanges:
        """Start replication from the slot."""
        session, self._replication = self._replication or connect_replication(self._address), None
        return PostgresChanges(session, self._plan.slot, start, self.catalog)

    def decode(self, messages: Sequence[Any], shape: TableShape) -> DecodedRows:
        """Understand I, U and D messages of one table."""
        return decode_rows(messages, len(shape.columns), full_rows=self._uses_full_rows)

    @property
    def _uses_full_rows(self) -> bool:
        """Whether old rows logged whole fill in what an update did not send: pglogical does not give them."""
        return bool(self._plan.own["PluginName"] != "pglogical") and self._plan.behaviour.toast != "null"

    @property
    def lookup(self) -> Lookup | None:
        """Reads what TOAST left out, where the switch says so."""
        return lookup_at(self._session) if self._plan.behaviour.toast == "lookup" else None

    def spell(self, lsn: int) -> str:
        """``X/Y``."""
        return format_lsn(lsn)

    def close(self) -> None:
        """End the session."""
        self._session.close()


class CopyReader:
    """Reads tables through COPY in one session's snapshot."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def rows(self, table: SourceTable, ranges: Ranges | None, part: int | None, take: TakeRows) -> None:
        """Hand over a table's rows, or those of a part of it."""
        text = _Text(len(table.shape.columns), take)
        with self._connection.cursor() as cursor:
            condition = "true"
            if ranges is not None and part is not None:
                name, value = partial(_spell, sql.Identifier, cursor), partial(_spell, sql.Literal, cursor)
                condition = ranges.conditions(name, value)[part - 1]
            cursor.copy_expert(_copy_statement(table, condition).as_string(cursor), text, size=1 << 16)
        text.hand_over()


def _spell(kind: Any, cursor: Any, text: str) -> str:
    return str(kind(text).as_string(cursor))


def _copy_statement(table: SourceTable, condition: str) -> sql.Composed:
    columns = sql.SQL(", ").join(sql.Identifier(c.name) for c in table.shape.columns)
    name = sql.Identifier(table.shape.schema, table.shape.table)
    # without ONLY a parent would bring the rows of tables that inherit from it, which are replicated on their own
    only = sql.SQL("" if table.partitioned else "ONLY ")
    statement = sql.SQL("COPY (SELECT {} FROM {}{} WHERE {}) TO STDOUT (FORMAT csv)")
    return statement.format(columns, only, name, sql.SQL(condition))


class _Text:
    """Takes COPY text as psycopg2 hands it over, a row at a time."""

    def __init__(self, columns: int, take: TakeRows) -> None:
        self._columns, self._take = columns, take
        self._text: list[bytes] = []
        self._size = 0

    def write(self, row: bytes) -> int:
        """One row."""
        self._text.append(row)
        self._size += len(row)
        if self._size >= CHUNK_BYTES:
            self.hand_over()
        return len(row)

    def hand_over(self) -> None:
        """What has come since the last time."""
        if self._text:
            text, self._text, self._size = b"".join(self._text), [], 0
            self._take(_parse(text, self._columns))


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
