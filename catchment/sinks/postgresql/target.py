"""A table of a PostgreSQL database: everything a commit does to it is one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psycopg

from catchment.changes.relations import both, comma, keys, quote
from catchment.changes.session import DuckSession
from catchment.errors import ReplicaRefused
from catchment.landing.names import TableName
from catchment.landing.types import DeltaType
from catchment.sinks.base import LostRace
from catchment.sinks.postgresql import catalog, ddl
from catchment.sinks.postgresql.bulk import fetch, send, write
from catchment.sinks.postgresql.types import check_names, definition
from catchment.sinks.replica.target import ALREADY_THERE, Build, Change, Columns, Known, Record


class PostgresTarget:
    """The table ``<schema>.<table>`` of the database of a connection."""

    def __init__(
        self,
        session: DuckSession,
        transaction: Callable[[], AbstractContextManager[psycopg.Cursor]],
        table: TableName,
        scratch: Path,
    ) -> None:
        self._session, self._transaction, self._scratch = session, transaction, scratch
        self._place, self._table = table, str(table)
        self.name = ddl.target(table.schema, table.table)

    def check(self, columns: Columns, key: Sequence[str]) -> None:
        """Raises SchemaConflict for a column that PostgreSQL would give another name."""
        check_names(self._table, columns)

    def look(self, known: Known | None) -> Known | None:
        """The table as its record has it."""
        with self._transaction() as cursor:
            there = catalog.is_there(cursor)
            version = catalog.version(cursor, self._table) if there else None
            if version is None:
                return None
            if known is None or known.version != version:
                return catalog.read(cursor, self._table)
        return known

    def stage(self, name: str, query: str, columns: Columns, key: Sequence[str] = ()) -> tuple[str, int]:
        """Rows of a DuckDB query in a temporary table."""
        table = f"pg_temp.catchment_{name}"
        with self._transaction() as cursor:
            _run(cursor, [f"DROP TABLE IF EXISTS {table}", f"CREATE TEMP TABLE {table} ({comma(definition(columns))})"])
            rows = send(cursor, write(self._session, query, columns, self._scratch), table)
            cursor.execute(f"ANALYZE {table}")
        return table, rows

    def fetch(self, query: str, columns: Columns, relation: str) -> None:
        """Append the rows of a query to a relation of the session."""
        with self._transaction() as cursor:
            fetch(self._session, cursor, query, columns, relation, self._scratch)

    def joined(self, *, by_token: bool = False) -> str:
        """A plain join: the server knows how many rows both have."""
        return f"JOIN {self.name} t"

    def shown(self, column: str, kind: DeltaType) -> str:
        """The column as it is."""
        return column

    def replace(
        self, version: int | None, build: Build, record: Callable[[int], Record], before_commit: Callable[[], None]
    ) -> Known:
        """Build the table beside the one there is, which is read until the commit."""
        schema, table = self._place.schema, self._place.table
        beside = ddl.beside(schema, table)
        # before the transaction: the server takes it back from one who is silent for long
        written = write(self._session, build.query, build.written, self._scratch)
        with self._committing(version) as cursor:
            if version is None:
                self._refuse_foreign(cursor)
            _run(cursor, [f"DROP TABLE IF EXISTS {beside}", *ddl.create(schema, beside, build.columns)])
            rows = send(cursor, written, beside)
            cursor.execute(ddl.index(beside, build.key))
            _run(cursor, ddl.replace(schema, table))
            done = record(rows)
            self._record(cursor, done, before_commit)
        return done.known

    def change(self, change: Change, record: Record, before_commit: Callable[[], None]) -> None:
        """Delete and write the staged rows."""
        with self._committing(record.known.version - 1) as cursor:
            _run(cursor, ddl.alter(self.name, change.before, change.after))
            if change.gone:
                same = both(keys(len(change.key), "g"), [f"t.{quote(column)}" for column in change.key])
                cursor.execute(f"DELETE FROM {self.name} t USING {change.gone} g WHERE {same}")
            if change.new:
                cursor.execute(ddl.upsert(self.name, change.new, change.written, change.key))
            self._record(cursor, record, before_commit)

    def rename(self, names: Mapping[str, str], record: Record, before_commit: Callable[[], None]) -> None:
        """Give columns new names."""
        with self._committing(record.known.version - 1) as cursor:
            _run(cursor, ddl.rename(self.name, names))
            self._record(cursor, record, before_commit)

    @contextmanager
    def _committing(self, version: int | None) -> Iterator[psycopg.Cursor]:
        """A transaction in which nobody else commits to the table. Raises LostRace, ReplicaRefused."""
        try:
            with self._transaction() as cursor:
                if not catalog.is_there(cursor):
                    catalog.create(cursor)
                found = catalog.version(cursor, self._table, lock=True)
                if found != version:
                    raise LostRace(f"{self._table}: version {found} came first")
                yield cursor
        except psycopg.DatabaseError as error:
            raise ReplicaRefused(self._table, str(error).strip()) from error

    def _refuse_foreign(self, cursor: psycopg.Cursor) -> None:
        """A table that is there and in no record is somebody else's. Raises ReplicaRefused, LostRace."""
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [self.name])
        if cursor.fetchone() == (True,):
            if catalog.version(cursor, self._table) is not None:
                raise LostRace(f"{self._table}: somebody else has made it")
            raise ReplicaRefused(self._table, ALREADY_THERE)

    def _record(self, cursor: psycopg.Cursor, record: Record, before_commit: Callable[[], None]) -> None:
        if not catalog.write(cursor, self._table, record):
            raise LostRace(f"{self._table}: somebody else has made it")
        before_commit()


def _run(cursor: psycopg.Cursor, statements: Iterable[str]) -> None:
    for statement in statements:
        cursor.execute(statement)
