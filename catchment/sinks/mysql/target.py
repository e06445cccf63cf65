"""A table of a MySQL database: rows and record are one transaction, a new table and its record one RENAME.

DDL commits whatever goes before it. A table is therefore built anew beside the present one, with a record of its own,
and RENAME TABLE is the commit. Columns are added before the transaction: should that fail, nobody has written to them.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from catchment.changes.relations import comma, quote
from catchment.changes.session import DuckSession
from catchment.errors import ReplicaRefused, StorageUnavailable
from catchment.landing.names import TableName
from catchment.landing.types import DeltaType
from catchment.sinks.base import LostRace
from catchment.sinks.mysql import ddl, types
from catchment.sinks.mysql.bulk import fetch, send, write
from catchment.sinks.mysql.catalog import Catalog, identify
from catchment.sinks.mysql.session import MySqlSession
from catchment.sinks.replica.target import ALREADY_THERE, Build, Change, Columns, Known, Record, stored

Working = Callable[[str], AbstractContextManager[MySqlSession]]
"""Gives the connection for some statements on a table, whose name is for errors."""


class MySqlTarget:
    """One table. ``database`` is where all tables lie; empty: each in one called as its schema is."""

    def __init__(
        self,
        session: DuckSession,
        working: Working,
        table: TableName,
        scratch: Path,
        *,
        database: str,
        lock_seconds: float,
        idle_seconds: float,
    ) -> None:
        self._session, self._working, self._scratch = session, working, scratch
        self._table, self._own = str(table), database
        self._place = ddl.Place(database or table.schema, table.table)
        self._lock_seconds, self._idle_seconds = lock_seconds, idle_seconds
        self.name = self._place.name

    def check(self, columns: Columns, key: Sequence[str]) -> None:
        """Raises SchemaConflict for a column that MySQL cannot have."""
        types.check(self._table, columns)

    def look(self, known: Known | None) -> Known | None:
        """The table as its record has it."""
        with self._working(self._table) as server:
            catalog = self._catalog(server)
            _, version = self._found(server, catalog)
            if version is None:
                return None
            if known is not None and known.version == version:
                return known
            identity, version = self._found(server, catalog)
            return None if version is None else catalog.read(server, identity)

    def stage(self, name: str, query: str, columns: Columns, key: Sequence[str] = ()) -> tuple[str, int]:
        """Rows of a DuckDB query in a temporary table."""
        table = self._place.temporary(name)
        with self._working(self._table) as server:
            defined = types.definition(types.Types(server.collation).definitions(columns, key))
            server.run(f"DROP TEMPORARY TABLE IF EXISTS {table}")
            server.run(f"CREATE TEMPORARY TABLE {table} ({comma(defined)}) ENGINE=InnoDB ROW_FORMAT=DYNAMIC")
            return table, send(server, write(self._session, server, query, columns, self._scratch), table)

    def fetch(self, query: str, columns: Columns, relation: str) -> None:
        """Append the rows of a query to a relation of the session."""
        with self._working(self._table) as server:
            fetch(self._session, server, query, columns, relation)

    def joined(self, *, by_token: bool = False) -> str:
        """A join from the staged rows to the index."""
        return ddl.looked_up(self.name, by_token=by_token)

    def shown(self, column: str, kind: DeltaType) -> str:
        """The column as text that says its value."""
        return types.shown(column, kind)

    def replace(
        self, version: int | None, build: Build, record: Callable[[int], Record], before_commit: Callable[[], None]
    ) -> Known:
        """Build the table beside the one there is, which is read until the commit."""
        # InnoDB keeps rows in the order of the key
        order = f" ORDER BY {comma(map(quote, build.key))}" if build.key else ""
        with self._working(self._table) as server:
            rows = write(self._session, server, f"{build.query}{order}", build.written, self._scratch)

        def fill(server: MySqlSession, beside: str) -> int:
            return send(server, rows, beside)

        return self._rebuild(version, build.columns, build.key, fill, record, before_commit)

    def change(self, change: Change, record: Record, before_commit: Callable[[], None]) -> None:
        """Delete and write the staged rows."""
        with self._committing(record.known.version - 1) as (server, catalog, identity):
            # a DELETE of several tables asks for a current database, whatever the names in it say
            server.run(f"USE {quote(self._place.database)}")
            there = self._columns(server)
            kinds = types.Types(server.collation)
            if altered := ddl.alter(self.name, kinds, change.before, change.after, change.key, there):
                server.run(altered)
            with server.transaction():
                if catalog.version(server, self._table, identity, lock=True) != record.known.version - 1:
                    raise LostRace(f"{self._table}: another commit came first")
                if change.gone:
                    server.run(ddl.delete(self.name, change.gone, change.key))
                if change.new and change.key:
                    server.run(ddl.update(self.name, change.new, change.written, change.key))
                if change.new:
                    server.run(ddl.insert(self.name, change.new, change.written))
                catalog.write(server, self._table, identity, record)
                before_commit()

    def rename(self, names: Mapping[str, str], record: Record, before_commit: Callable[[], None]) -> None:
        """Give columns new names, in a copy of the table."""
        columns = record.known.columns
        former = {name: old for old, name in names.items()}

        def fill(server: MySqlSession, beside: str) -> int:
            return server.run(ddl.copy(beside, self.name, [former.get(name, name) for name in stored(columns)], names))

        key = record.batch.generation.key or ()
        self._rebuild(record.known.version - 1, columns, key, fill, lambda _: record, before_commit)

    def _rebuild(
        self,
        version: int | None,
        columns: Columns,
        key: Sequence[str],
        fill: Callable[[MySqlSession, str], int],
        record: Callable[[int], Record],
        before_commit: Callable[[], None],
    ) -> Known:
        place, identity = self._place, uuid.uuid4().hex
        with self._committing(version) as (server, catalog, former):
            catalog.forget_others(server, self._table, former)
            server.run(f"CREATE DATABASE IF NOT EXISTS {quote(place.database)}")
            server.run(f"DROP TABLE IF EXISTS {place.beside}, {place.former}")
            server.run(ddl.create(place.beside, identity, types.Types(server.collation), columns, key))
            done = record(fill(server, place.beside))
            with server.transaction():
                if former:
                    catalog.inherit(server, identity, former)
                catalog.write(server, self._table, identity, done)
            before_commit()
            moved = f"{place.name} TO {place.former}, " if former else ""
            server.run(f"RENAME TABLE {moved}{place.beside} TO {place.name}")
            catalog.forget_others(server, self._table, identity)
            server.run(f"DROP TABLE IF EXISTS {place.former}")
        return done.known

    @contextmanager
    def _committing(self, version: int | None) -> Iterator[tuple[MySqlSession, Catalog, str]]:
        """The connection while nobody else commits to the table, and the id of the table. Raises LostRace."""
        with (
            self._working(self._table) as server,
            server.alone(self._place.lock, self._lock_seconds, self._idle_seconds) as alone,
        ):
            if not alone:
                raise StorageUnavailable("the replica", f"{self._table}: somebody else is writing to it")
            catalog = self._catalog(server)
            if not catalog.is_there(server):
                catalog.create(server)
            identity, found = self._found(server, catalog)
            if found != version:
                raise LostRace(f"{self._table}: version {found} came first")
            yield server, catalog, identity

    def _found(self, server: MySqlSession, catalog: Catalog) -> tuple[str, int | None]:
        """The table's id and version. Raises ReplicaRefused for somebody else's table."""
        identity = identify(server, self._place.database, self._place.table)
        if identity is None:
            return "", None
        version = catalog.version(server, self._table, identity) if identity and catalog.is_there(server) else None
        if version is None:
            owner = catalog.owner(server, identity) if identity and catalog.is_there(server) else None
            raise ReplicaRefused(self._table, f"it is called as {owner} is here" if owner else ALREADY_THERE)
        return identity, version

    def _columns(self, server: MySqlSession) -> set[str]:
        """The names of the table's columns, which MySQL does not tell by case."""
        place = self._place
        names = (place.database, place.table)
        found = server.rows(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = %s AND table_name = %s",
            [name.lower() for name in names] if server.folds_names else list(names),
        )
        return {str(name).casefold() for (name,) in found}

    def _catalog(self, server: MySqlSession) -> Catalog:
        prefix = "catchment_" if self._own else ""
        return Catalog(self._own or "catchment", prefix, server.collation)
