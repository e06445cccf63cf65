"""Delta tables by copy-on-write: DuckDB finds and rewrites the files, deltalake commits.

delta-rs' own MERGE is not used: copying says exactly what happened to each row, keeps the types as they are, and
needs less memory and time (docs/decisions/0020).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from deltalake import DeltaTable
from deltalake._internal import RemoveAction
from deltalake.exceptions import TableNotFoundError
from deltalake.transaction import AddAction

from catchment.changes.guard import effective
from catchment.changes.relations import (
    EXISTING,
    HITS,
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
from catchment.errors import ForeignWriter, SettingsError
from catchment.landing.names import TableName
from catchment.landing.types import STRING, DeltaType
from catchment.sinks import delta_log
from catchment.sinks.base import Batch, Committed, TableState
from catchment.sinks.delta_commit import append, create, delta_type
from catchment.sinks.delta_files import Bin, Part, live_parts, may_hold, plan_bins
from catchment.sinks.delta_write import PART_FILE, PartReader, write_part
from catchment.sinks.ledger import Ledger
from catchment.storage import ObjectStore

_REFUSED = {"deletionVectors", "columnMapping"}
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_TARGET_ROWS = 1_000_000
PRESENT, _GONE, _NEW = '"~present"', '"~gone"', '"~new"'
_HIT = {"ord": "BIGINT", "part": "INTEGER", "pos": "BIGINT", "token": "VARCHAR"}


class DeltaSink:
    """The Delta table of one source table, at ``<schema>/<table>`` of the lake."""

    def __init__(self, session: DuckSession, store: ObjectStore, table: TableName, scratch: Path) -> None:
        self._session, self._con = session, session.con
        self._store, self._table, self._scratch = store, table, scratch
        self._path = f"{table.schema}/{table.table}"
        self._url = f"{store.url}/{self._path}"
        if _ESCAPE.search(self._url):  # deltalake decodes it, and looks for the table elsewhere
            raise SettingsError("lake", "path", self._url, "allowed are paths without percent escapes")
        self._delta: DeltaTable | None = None
        self._parts: list[Part] = []
        self._known: tuple[str, int, Ledger] | None = None

    def open(self) -> TableState:
        """Read the table anew. Raises ForeignWriter (also for a feature that this engine does not read), LedgerLost."""
        try:
            self._delta = DeltaTable(self._url, storage_options=self._store.delta_options())
        except TableNotFoundError:
            self._delta, self._parts = None, []
            return TableState(None, {}, Ledger(), 0)
        version = self._delta.version()
        protocol = self._delta.protocol()
        if refused := _REFUSED & set(protocol.reader_features or []):
            raise ForeignWriter(str(self._table), version, f"the table uses {', '.join(sorted(refused))}")
        columns = {field.name: delta_type(field) for field in self._delta.schema().fields}
        columns.pop(SEQUENCE, None)
        self._parts = live_parts(self._delta)
        rows = sum(part.records or 0 for part in self._parts)
        return TableState(version, columns, self._ledger(version), rows)

    def find(self, key: Mapping[str, DeltaType]) -> None:
        """Make ``"~hits"``; only files whose statistics allow one of the keys are looked into."""
        self._session.create(HITS, nothing(_HIT))
        candidates = self._candidates(key)
        if not candidates:
            return
        reader = PartReader(self._con, self._store, self._path, self._scratch, candidates)
        named = [f"CAST(t.{quote(column)} AS {kind.duckdb})" for column, kind in key.items()]
        self._session.append(
            HITS,
            f"SELECT w.ord, p.part, t.file_row_number, COALESCE(t.{quote(SEQUENCE)}, '') "
            f"FROM {reader.scan('t')} JOIN {reader.parts} p ON p.local = t.{PART_FILE} "
            f"JOIN {WINNERS} w ON {both(keys(len(key), 'w'), named)}",
        )

    def find_tokens(self, tokens: str) -> None:
        """Make ``"~present"``: the tokens of the relation ``tokens`` that the table carries."""
        self._session.create(PRESENT, nothing({"token": "VARCHAR"}))
        if self._parts:
            reader = PartReader(self._con, self._store, self._path, self._scratch, self._parts)
            self._session.append(
                PRESENT,
                f"SELECT DISTINCT t.{quote(SEQUENCE)} FROM {reader.scan('t')} "
                f"WHERE t.{quote(SEQUENCE)} IN (SELECT token FROM {tokens})",
            )

    def existing(self, wanted: str, columns: Mapping[str, DeltaType]) -> None:
        """Make ``"~existing"``: the table's rows, whole, of the hits that ``wanted`` (a query of ``ord``) selects."""
        kinds = {name: kind.duckdb for name, kind in _stored(columns).items()}
        self._session.create(EXISTING, nothing({"~ord": "BIGINT", **kinds}))
        hit = self._session.rows(f"SELECT DISTINCT part FROM {HITS} WHERE ord IN ({wanted})")
        if not hit:
            return
        wanted_parts = {number for (number,) in hit}
        parts = [part for part in self._parts if part.number in wanted_parts]
        reader = PartReader(self._con, self._store, self._path, self._scratch, parts)
        self._session.append(
            EXISTING,
            f"SELECT h.ord, {reader.columns(_stored(columns), 't')} "
            f"FROM {reader.scan('t')} JOIN {reader.parts} p ON p.local = t.{PART_FILE} "
            f"JOIN {HITS} h ON h.part = p.part AND h.pos = t.file_row_number WHERE h.ord IN ({wanted})",
        )

    def commit(self, batch: Batch, before_commit: Callable[[], None]) -> Committed:
        """Rewrite what changes and commit it with the batch's files and watermark. Raises LostRace."""
        stored = _stored(batch.columns)
        if self._delta is None:
            adds = self._write([Bin([], True)], stored)
            before_commit()
            create(self._url, self._store.delta_options(), stored, adds, batch)
            return self._committed()
        before = {field.name: delta_type(field) for field in self._delta.schema().fields}
        widened = any(before.get(name, kind) != kind for name, kind in stored.items())
        bins = self._bins(everything=widened)
        adds = self._write(bins, stored)
        before_commit()
        new = {name: kind for name, kind in stored.items() if name not in before}
        order = {name: stored.get(name, kind) for name, kind in {**before, **new}.items()}
        now = int(time.time() * 1000)
        removes = [RemoveAction(part.path, True, now, part.size, {}) for each in bins for part in each.parts]
        append(self._delta, order, new, [*adds, *([] if widened else removes)], batch, overwrite=widened)
        return self._committed()

    def save_ledger(self, ledger: Ledger, version: int) -> None:
        """Keep a digest in the table's folder, under ``_catchment/`` where VACUUM does not look."""
        assert self._delta is not None
        delta_log.save_digest(self._store, self._path, str(self._delta.metadata().id), ledger, version)

    def _ledger(self, version: int) -> Ledger:
        assert self._delta is not None
        identity = str(self._delta.metadata().id)
        known = self._known if self._known and self._known[0] == identity and self._known[1] <= version else None
        ledger = delta_log.load_ledger(
            self._store, self._path, str(self._table), identity, version, known[1:] if known else None
        )
        self._known = (identity, version, ledger)
        return ledger

    def _candidates(self, key: Mapping[str, DeltaType]) -> list[Part]:
        if self._delta is None or not self._parts:
            return []
        parts = live_parts(self._delta, key)
        tests = comma(f"COALESCE(bool_or({may_hold(part, key, 'w')}), FALSE)" for part in parts)
        [answer] = self._session.rows(f"SELECT {tests} FROM {WINNERS} w")
        return [part for part, possible in zip(parts, answer, strict=True) if possible]

    def _bins(self, *, everything: bool) -> list[Bin]:
        """The files to write. Makes ``"~gone"`` (part, pos) and ``"~new"`` (ord, part: where the row was, if any)."""
        gone = f"SELECT h.part, h.pos FROM {HITS} h JOIN {VERDICTS} v ON v.ord = h.ord WHERE {effective()}"
        where = f"SELECT ord, min(part) AS part FROM {HITS} GROUP BY ord"
        self._session.create(_GONE, gone)
        self._session.create(
            _NEW,
            f"SELECT u.{ORD} AS ord, h.part FROM {UPSERTS} u "
            f"LEFT JOIN ({where}) h ON h.ord = u.{ORD} WHERE u.{ORD} NOT IN (SELECT ord FROM {UNCHANGED})",
        )
        touched = {number for (number,) in self._session.rows(f"SELECT DISTINCT part FROM {_GONE}")}
        if everything:
            touched = {part.number for part in self._parts}
        (inserts,) = numbers(self._session, f"SELECT count(*) FROM {_NEW} WHERE part IS NULL")
        return plan_bins(self._parts, touched, inserts, target_rows=_TARGET_ROWS)

    def _write(self, bins: Sequence[Bin], columns: Mapping[str, DeltaType]) -> list[AddAction]:
        adds = []
        for each in bins:
            rows = self._rows(each, columns)
            if (add := write_part(self._con, self._store, self._path, self._scratch, rows, columns)) is not None:
                adds.append(add)
        return adds

    def _rows(self, each: Bin, columns: Mapping[str, DeltaType]) -> str:
        """The query of a bin's rows."""
        named = comma(f"CAST(u.{quote(name)} AS {kind.duckdb}) AS {quote(name)}" for name, kind in columns.items())
        if self._delta is None:
            return f"SELECT {named} FROM {UPSERTS} u"
        parts = comma(str(part.number) for part in each.parts) or "NULL"
        home = f"n.part IN ({parts})" + (" OR n.part IS NULL" if each.inserts else "")
        new = f"SELECT {named} FROM {UPSERTS} u JOIN {_NEW} n ON n.ord = u.{ORD} WHERE {home}"
        if not each.parts:
            return new
        reader = PartReader(self._con, self._store, self._path, self._scratch, each.parts)
        return (
            f"SELECT {reader.columns(columns, 't')} FROM {reader.scan('t')} "
            f"JOIN {reader.parts} p ON p.local = t.{PART_FILE} "
            f"WHERE NOT EXISTS (SELECT 1 FROM {_GONE} g WHERE g.part = p.part AND g.pos = t.file_row_number) "
            f"UNION ALL {new}"
        )

    def _committed(self) -> Committed:
        table = DeltaTable(self._url, storage_options=self._store.delta_options())
        return Committed(table.version(), sum(part.records or 0 for part in live_parts(table)))


def _stored(columns: Mapping[str, DeltaType]) -> dict[str, DeltaType]:
    """The source's columns and the lake's own."""
    return {**columns, SEQUENCE: STRING}
