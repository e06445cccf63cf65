"""A table of a replica: net changes and the record of their files in one transaction.

Nobody else writes to the table: the replica is the sink's own.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg

from catchment.changes.guard import effective
from catchment.changes.keyless import PRESENT
from catchment.changes.relations import (
    EXISTING,
    HITS,
    KEYS,
    ORD,
    SEQUENCE,
    UNCHANGED,
    UPSERTS,
    VERDICTS,
    WINNERS,
    both,
    comma,
    keys,
    quote,
)
from catchment.changes.session import DuckSession, nothing, numbers
from catchment.errors import ReplicaRefused
from catchment.landing.names import TableName
from catchment.landing.types import STRING, DeltaType
from catchment.sinks.base import Batch, Committed, LostRace, TableState
from catchment.sinks.ledger import Ledger
from catchment.sinks.postgresql import catalog, ddl
from catchment.sinks.postgresql.bulk import fetch, send
from catchment.sinks.postgresql.catalog import Known
from catchment.sinks.postgresql.connection import Connection
from catchment.sinks.postgresql.types import check_names, definition

_ORD = {"ord": DeltaType("long")}
_HIT = {"ord": DeltaType("long"), "part": DeltaType("integer"), "pos": DeltaType("long"), "token": STRING}
_WANTED, _CHOSEN, _GONE, _NEW = (
    "pg_temp.catchment_wanted",
    "pg_temp.catchment_chosen",
    "pg_temp.catchment_gone",
    "pg_temp.catchment_new",
)
_ORDS = f"SELECT {ORD} FROM {UPSERTS} WHERE {ORD} NOT IN (SELECT ord FROM {UNCHANGED})"
_WRITTEN = f"SELECT * EXCLUDE ({ORD}) FROM {UPSERTS} WHERE {ORD} NOT IN (SELECT ord FROM {UNCHANGED})"


@dataclass(frozen=True)
class _Staged:
    """How many rows are to be written, how many of them take the place of one that is there, how many are deleted."""

    written: int
    present: int
    deleted: int


class PostgresSink:
    """The table ``<schema>.<table>`` of a PostgreSQL database."""

    def __init__(self, session: DuckSession, connection: Connection, table: TableName, scratch: Path) -> None:
        self._session, self._connection, self._scratch = session, connection, scratch
        self._name, self._table, self._target = table, str(table), ddl.target(table.schema, table.table)
        self._known: Known | None = None
        self._recorded: set[str] = set()

    def open(self) -> TableState:
        """Look at the table; what is known of it is read anew only where its version is another."""
        with self._connection.transaction() as cursor:
            there = catalog.is_there(cursor)
            version = catalog.version(cursor, self._table) if there else None
            if version is None:
                self._known, self._recorded = None, set()
                return TableState(None, {}, Ledger(), 0)
            if self._known is None or self._known.version != version:
                self._keep(catalog.read(cursor, self._table))
        known = self._known
        assert known is not None
        return TableState(known.version, known.columns, known.ledger, known.rows, files=int(known.rows > 0))

    def find(self, key: Mapping[str, DeltaType]) -> None:
        """Make ``"~hits"``: the winners' keys are sent to the server, which looks them up by the primary key."""
        self._create(HITS, _HIT)
        if self._known is None:
            return
        named = {"ord": _ORD["ord"], **dict(zip(keys(len(key)), key.values(), strict=True))}
        same = both(keys(len(key), "w"), [f"t.{quote(column)}" for column in key])
        with self._connection.transaction() as cursor:
            self._stage(cursor, _WANTED, f"SELECT {comma(named)} FROM {WINNERS}", named)
            query = f"SELECT w.ord, 0, 0, t.{quote(SEQUENCE)} FROM {_WANTED} w JOIN {self._target} t ON {same}"
            fetch(self._session, cursor, query, _HIT, HITS, self._scratch)

    def find_tokens(self, tokens: str) -> None:
        """Make ``"~present"``: the tokens of the relation ``tokens`` that the table carries."""
        self._create(PRESENT, {"token": STRING})
        if self._known is None:
            return
        with self._connection.transaction() as cursor:
            self._stage(cursor, _CHOSEN, f"SELECT token FROM {tokens}", {"token": STRING})
            query = f"SELECT DISTINCT token FROM {_CHOSEN} c JOIN {self._target} t ON t.{quote(SEQUENCE)} = c.token"
            fetch(self._session, cursor, query, {"token": STRING}, PRESENT, self._scratch)

    def existing(self, wanted: str, columns: Mapping[str, DeltaType]) -> None:
        """Make ``"~existing"``: the table's rows, whole, of the hits that ``wanted`` (a query of ``ord``) selects."""
        stored = {"~ord": _ORD["ord"], **ddl.stored(columns)}
        self._create(EXISTING, stored)
        chosen = f"SELECT ord FROM {HITS} WHERE ord IN ({wanted})"
        if self._known is None or not numbers(self._session, f"SELECT count(*) FROM ({chosen})")[0]:
            return
        key = self._known.ledger.generation.key or ()
        same = both(keys(len(key), "w"), [f"t.{quote(column)}" for column in key])
        # a column that comes with this batch is in no row yet
        shown = comma(
            f"t.{quote(name)}" if name in self._known.columns or name == SEQUENCE else "NULL"
            for name in ddl.stored(columns)
        )
        with self._connection.transaction() as cursor:
            self._stage(cursor, _CHOSEN, chosen, _ORD)
            query = (
                f"SELECT w.ord, {shown} FROM {_CHOSEN} c JOIN {_WANTED} w USING (ord) JOIN {self._target} t ON {same}"
            )
            fetch(self._session, cursor, query, stored, EXISTING, self._scratch)

    def keys(self, key: Mapping[str, DeltaType]) -> None:
        """Make ``"~keys"``: the keys of all rows."""
        named = dict(zip(keys(len(key)), key.values(), strict=True))
        self._create(KEYS, named)
        if self._known is not None:
            with self._connection.transaction() as cursor:
                query = f"SELECT {comma(quote(column) for column in key)} FROM {self._target}"
                fetch(self._session, cursor, query, named, KEYS, self._scratch)

    def commit(self, batch: Batch, before_commit: Callable[[], None]) -> Committed:
        """Write what changes and record the batch, in one transaction. Raises LostRace, ReplicaRefused.

        Rows are sent to the server before the transaction begins, so that it is short.
        """
        check_names(self._table, batch.columns)
        columns = {**(self._known.columns if self._known else {}), **batch.columns}
        anew = batch.overwrite or self._known is None
        try:
            staged = None if anew else self._stage_changes(batch, columns)
            with self._connection.transaction() as cursor:
                self._have_alone(cursor)
                rows = (
                    self._rebuild(cursor, batch, columns)
                    if staged is None
                    else self._change(cursor, batch, columns, staged)
                )
                after = self._after(batch, columns, rows)
                self._record(cursor, after, batch, before_commit)
        except psycopg.DataError as error:
            raise ReplicaRefused(self._table, str(error).strip()) from error
        self._keep(after)
        return Committed(after.version, after.rows)

    def rename(self, names: Mapping[str, str], before_commit: Callable[[], None]) -> None:
        """Give columns new names, in a commit that adds nothing to the ledger. Raises LostRace."""
        before = self._known
        assert before is not None
        columns = {names.get(name, name): kind for name, kind in before.columns.items()}
        check_names(self._table, columns)
        generation = before.ledger.generation
        if generation.key is not None:
            generation = replace(generation, key=tuple(names.get(part, part) for part in generation.key))
        batch = Batch(columns, [], before.ledger.watermark, {}, generation)
        with self._connection.transaction() as cursor:
            self._have_alone(cursor)
            self._run(cursor, ddl.rename(self._target, names))
            after = self._after(batch, columns, before.rows)
            self._record(cursor, after, batch, before_commit)
        self._keep(after)

    def save_ledger(self) -> None:
        """Nothing: what is known is read from tables, not from a log that grows."""

    def _have_alone(self, cursor: psycopg.Cursor) -> None:
        """Keep others from committing to the table until the transaction ends. Raises LostRace."""
        if not catalog.is_there(cursor):
            catalog.create(cursor)
        found = catalog.version(cursor, self._table, lock=True)
        if found != (self._known.version if self._known else None):
            raise LostRace(f"{self._table}: version {found} came first")

    def _rebuild(self, cursor: psycopg.Cursor, batch: Batch, columns: Mapping[str, DeltaType]) -> int:
        """Build the table beside the one there is, which is read until the commit. Returns its rows."""
        beside = ddl.beside(self._name.schema, self._name.table)
        self._run(cursor, [f"DROP TABLE IF EXISTS {beside}", *ddl.create(self._name.schema, beside, columns)])
        rows = send(self._session, cursor, _WRITTEN, ddl.stored(batch.columns), beside, self._scratch)
        self._run(cursor, [ddl.index(beside, batch.generation.key or ())])
        self._run(cursor, ddl.replace(self._name.schema, self._name.table))
        return rows

    def _stage_changes(self, batch: Batch, columns: Mapping[str, DeltaType]) -> _Staged:
        """Rows to write, and the keys of those to delete, in temporary tables."""
        key = batch.generation.key or ()
        named = {name: columns[column] for name, column in zip(keys(len(key)), key, strict=True)}
        gone = (
            f"SELECT {comma(named)} FROM {VERDICTS} v "
            f"WHERE v.kind = 'D' AND {effective('v')} AND v.ord IN (SELECT ord FROM {HITS})"
        )
        present = f"SELECT count(*) FROM ({_ORDS}) WHERE {ORD} IN (SELECT ord FROM {HITS})"
        with self._connection.transaction() as cursor:
            written = self._stage(cursor, _NEW, _WRITTEN, ddl.stored(batch.columns))
            deleted = self._stage(cursor, _GONE, gone, named) if key and self._has_rows else 0
        return _Staged(written, numbers(self._session, present)[0], deleted)

    @property
    def _has_rows(self) -> bool:
        return self._known is not None and self._known.rows > 0

    def _change(self, cursor: psycopg.Cursor, batch: Batch, columns: Mapping[str, DeltaType], staged: _Staged) -> int:
        """Delete and write the rows that the batch changes. Returns the rows the table then has."""
        known, key = self._known, batch.generation.key or ()
        assert known is not None
        self._run(cursor, ddl.alter(self._target, known.columns, columns))
        if staged.deleted:
            same = both(keys(len(key), "g"), [f"t.{quote(column)}" for column in key])
            self._run(cursor, [f"DELETE FROM {self._target} t USING {_GONE} g WHERE {same}"])
        if staged.written:
            self._run(
                cursor, [ddl.upsert(self._target, _NEW, ddl.stored(batch.columns), key if staged.present else ())]
            )
        return known.rows - staged.deleted + staged.written - staged.present

    def _after(self, batch: Batch, columns: Mapping[str, DeltaType], rows: int) -> Known:
        before = self._known
        ledger = copy.copy(before.ledger) if before else Ledger()
        ledger.files = dict(ledger.files)
        ledger.add(batch.files, batch.watermark, batch.generation)
        return Known(before.version + 1 if before else 0, rows, columns, ledger)

    def _record(self, cursor: psycopg.Cursor, after: Known, batch: Batch, before_commit: Callable[[], None]) -> None:
        gone = [path for path in self._recorded if path not in after.ledger.files]
        if not catalog.write(cursor, self._table, after, batch, gone):
            raise LostRace(f"{self._table}: somebody else has made it")
        before_commit()

    def _keep(self, known: Known) -> None:
        self._known, self._recorded = known, set(known.ledger.files)

    def _stage(self, cursor: psycopg.Cursor, name: str, query: str, columns: Mapping[str, DeltaType]) -> int:
        """Rows of a DuckDB query in a temporary table of the connection; returns how many."""
        self._run(cursor, [f"DROP TABLE IF EXISTS {name}", f"CREATE TEMP TABLE {name} ({comma(definition(columns))})"])
        rows = send(self._session, cursor, query, columns, name, self._scratch)
        self._run(cursor, [f"ANALYZE {name}"])
        return rows

    def _create(self, relation: str, columns: Mapping[str, DeltaType]) -> None:
        self._session.create(relation, nothing({name: kind.duckdb for name, kind in columns.items()}))

    @staticmethod
    def _run(cursor: psycopg.Cursor, statements: Iterable[str]) -> None:
        for statement in statements:
            cursor.execute(statement)
