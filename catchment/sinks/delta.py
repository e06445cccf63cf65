"""Delta tables by copy-on-write: DuckDB finds and rewrites the files, one commit of our own swaps them.

delta-rs' own MERGE is not used: copying says exactly what happened to each row, keeps the types as they are, and
needs less memory and time (docs/decisions/0020).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from catchment.changes.guard import effective
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
from catchment.errors import ForeignWriter, SettingsError
from catchment.landing.names import TableName
from catchment.landing.types import STRING, DeltaType
from catchment.sinks.base import Batch, Committed, TableState
from catchment.sinks.delta_actions import Add
from catchment.sinks.delta_commit import applied, record, table_actions
from catchment.sinks.delta_files import Bin, Part, live_parts, may_hold, plan_bins
from catchment.sinks.delta_protocol import refusal
from catchment.sinks.delta_snapshot import Snapshot
from catchment.sinks.delta_table import DeltaLog
from catchment.sinks.delta_write import PART_FILE, PartReader, write_part
from catchment.sinks.ledger import Ledger
from catchment.sinks.masks import Masks
from catchment.sinks.merge_on_read import Marked, MaskingPolicy, mark, mark_actions
from catchment.storage import ObjectStore

_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_TARGET_ROWS = 1_000_000
PRESENT, _GONE, _NEW = '"~present"', '"~gone"', '"~new"'
_HIT = {"ord": "BIGINT", "part": "INTEGER", "pos": "BIGINT", "token": "VARCHAR"}


class DeltaSink:
    """The Delta table of one source table, at ``<schema>/<table>`` of the lake."""

    def __init__(
        self,
        session: DuckSession,
        store: ObjectStore,
        table: TableName,
        scratch: Path,
        masking: MaskingPolicy | None = None,
    ) -> None:
        self._session, self._con = session, session.con
        self._store, self._table, self._scratch = store, table, scratch
        self._path = f"{table.schema}/{table.table}"
        self._url = f"{store.url}/{self._path}"
        if _ESCAPE.search(self._url):  # deltalake decodes it, and looks for the table elsewhere
            raise SettingsError("lake", "path", self._url, "allowed are paths without percent escapes")
        self._log = DeltaLog(store, self._path, str(table))
        self._masking, self._masks = masking, Masks(self._con, store, self._path)
        self._parts: list[Part] = []
        self._adds: list[Add] = []

    def open(self) -> TableState:
        """Look at the table. Raises ForeignWriter (also for a feature that this engine does not know), LedgerLost."""
        found = self._log.refresh()
        if found is None:
            self._adds, self._parts = [], []
            return TableState(None, {}, Ledger(), 0)
        if (why := refusal(found.protocol, found.metadata)) is not None:
            raise ForeignWriter(str(self._table), found.version, why)
        columns = self._columns(found)
        columns.pop(SEQUENCE, None)
        self._adds = list(found.adds.values())
        self._parts = live_parts(self._adds)
        self._masks = Masks(self._con, self._store, self._path)
        size = sum(part.size for part in self._parts)
        return TableState(found.version, columns, self._log.ledger, _rows(found), size, len(self._parts))

    def find(self, key: Mapping[str, DeltaType]) -> None:
        """Make ``"~hits"``; only files whose statistics allow one of the keys are looked into."""
        self._session.create(HITS, nothing(_HIT))
        candidates = self._candidates(key)
        if not candidates:
            return
        reader = PartReader(self._con, self._store, self._path, self._scratch, candidates, self._masks)
        named = [f"CAST(t.{quote(column)} AS {kind.duckdb})" for column, kind in key.items()]
        self._session.append(
            HITS,
            f"SELECT w.ord, p.part, t.file_row_number, COALESCE(t.{quote(SEQUENCE)}, '') "
            f"FROM {reader.scan_all('t')} JOIN {reader.parts} p ON p.local = t.{PART_FILE} "
            f"JOIN {WINNERS} w ON {both(keys(len(key), 'w'), named)} WHERE {reader.spared('t', 'p')}",
        )

    def find_tokens(self, tokens: str) -> None:
        """Make ``"~present"``: the tokens of the relation ``tokens`` that the table carries."""
        self._session.create(PRESENT, nothing({"token": "VARCHAR"}))
        if self._parts:
            reader = PartReader(self._con, self._store, self._path, self._scratch, self._parts, self._masks)
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
        reader = PartReader(self._con, self._store, self._path, self._scratch, parts, self._masks)
        self._session.append(
            EXISTING,
            f"SELECT h.ord, {reader.columns(_stored(columns), 't')} "
            f"FROM {reader.scan('t')} JOIN {reader.parts} p ON p.local = t.{PART_FILE} "
            f"JOIN {HITS} h ON h.part = p.part AND h.pos = t.file_row_number WHERE h.ord IN ({wanted})",
        )

    def keys(self, key: Mapping[str, DeltaType]) -> None:
        """Make ``"~keys"``: the keys of all rows."""
        names = keys(len(key))
        self._session.create(KEYS, nothing({name: kind.duckdb for name, kind in zip(names, key.values(), strict=True)}))
        if self._parts:
            reader = PartReader(self._con, self._store, self._path, self._scratch, self._parts)
            named = comma(
                f"CAST(t.{quote(column)} AS {kind.duckdb}) AS {name}"
                for name, (column, kind) in zip(names, key.items(), strict=True)
            )
            self._session.append(KEYS, f"SELECT {named} FROM {reader.scan('t')}")

    def commit(self, batch: Batch, before_commit: Callable[[], None]) -> Committed:
        """Rewrite what changes and commit it with the batch's files and watermark. Raises LostRace."""
        stored = _stored(batch.columns)
        before = self._log.snapshot
        known = before.columns if before else {}
        widened = any(known.get(name, kind) != kind for name, kind in stored.items())
        marked, bins = Marked(), [Bin([], True)]
        if before:
            marked, bins = self._plan(everything=widened, replaced=batch.overwrite)
        now = int(time.time() * 1000)
        adds = self._write(bins, stored)
        removes, masked = mark_actions(marked, self._adds, self._store, self._path, now)
        before_commit()
        gone = self._parts if batch.overwrite else [part for each in bins for part in each.parts]
        removes += [self._adds[part.number].removed(now) for part in gone]
        adds += masked
        after = self._log.commit(
            [*table_actions(before, stored, vectors=bool(masked)), applied(batch.watermark), *removes, *adds],
            operation="WRITE",
            parameters={"mode": "Overwrite" if widened or batch.overwrite else "Append"},
            metrics={"numAddedFiles": len(adds), "numRemovedFiles": len(removes)},
            record=record(batch),
        )
        return Committed(after.version, _rows(after))

    def save_ledger(self) -> None:
        """Every so many commits a digest of the ledger and a checkpoint, so that a cold open reads little."""
        self._log.save_when_due()

    def _candidates(self, key: Mapping[str, DeltaType]) -> list[Part]:
        if not self._adds:
            return []
        parts = live_parts(self._adds, key)
        tests = comma(f"COALESCE(bool_or({may_hold(part, key, 'w')}), FALSE)" for part in parts)
        [answer] = self._session.rows(f"SELECT {tests} FROM {WINNERS} w")
        return [part for part, possible in zip(parts, answer, strict=True) if possible]

    def _plan(self, *, everything: bool, replaced: bool) -> tuple[Marked, list[Bin]]:
        """The files to mark, and those to write.

        Makes ``"~gone"`` (part, pos) and ``"~new"`` (ord, part: the file the row stays in, if any).
        """
        gone = f"SELECT h.part, h.pos FROM {HITS} h JOIN {VERDICTS} v ON v.ord = h.ord WHERE {effective()}"
        where = f"SELECT ord, min(part) AS part FROM {HITS} GROUP BY ord"
        self._session.create(_GONE, gone)
        self._session.create(
            _NEW,
            f"SELECT u.{ORD} AS ord, h.part FROM {UPSERTS} u "
            f"LEFT JOIN ({where}) h ON h.ord = u.{ORD} WHERE u.{ORD} NOT IN (SELECT ord FROM {UNCHANGED})",
        )
        if replaced:
            return Marked(), [Bin([], True)]
        touched = {number for (number,) in self._session.rows(f"SELECT DISTINCT part FROM {_GONE}")}
        marked = Marked()
        if everything:
            touched = {part.number for part in self._parts}
        elif self._masking is not None:
            marked = mark(self._session, _GONE, self._parts, self._masks, self._masking)
            touched -= marked.numbers
        if marked.numbers:
            left_behind = comma(map(str, marked.numbers))
            self._session.create(
                _NEW, f"SELECT ord, CASE WHEN part NOT IN ({left_behind}) THEN part END AS part FROM {_NEW}"
            )
        (inserts,) = numbers(self._session, f"SELECT count(*) FROM {_NEW} WHERE part IS NULL")
        left = [part for part in self._parts if part.number not in marked.numbers]
        return marked, plan_bins(left, touched, inserts, target_rows=_TARGET_ROWS)

    def _write(self, bins: Sequence[Bin], columns: Mapping[str, DeltaType]) -> list[Add]:
        adds = []
        for each in bins:
            rows = self._rows(each, columns)
            if (add := write_part(self._con, self._store, self._path, self._scratch, rows, columns)) is not None:
                adds.append(add)
        return adds

    def _rows(self, each: Bin, columns: Mapping[str, DeltaType]) -> str:
        """The query of a bin's rows."""
        named = comma(f"CAST(u.{quote(name)} AS {kind.duckdb}) AS {quote(name)}" for name, kind in columns.items())
        if self._log.snapshot is None:
            return f"SELECT {named} FROM {UPSERTS} u"
        parts = comma(str(part.number) for part in each.parts) or "NULL"
        home = f"n.part IN ({parts})" + (" OR n.part IS NULL" if each.inserts else "")
        new = f"SELECT {named} FROM {UPSERTS} u JOIN {_NEW} n ON n.ord = u.{ORD} WHERE {home}"
        if not each.parts:
            return new
        reader = PartReader(self._con, self._store, self._path, self._scratch, each.parts, self._masks)
        return (
            f"SELECT {reader.columns(columns, 't')} FROM {reader.scan('t')} "
            f"JOIN {reader.parts} p ON p.local = t.{PART_FILE} "
            f"WHERE NOT EXISTS (SELECT 1 FROM {_GONE} g WHERE g.part = p.part AND g.pos = t.file_row_number) "
            f"UNION ALL {new}"
        )

    def _columns(self, found: Snapshot) -> dict[str, DeltaType]:
        try:
            return dict(found.columns)
        except ValueError as error:
            raise ForeignWriter(str(self._table), found.version, str(error)) from error


def _stored(columns: Mapping[str, DeltaType]) -> dict[str, DeltaType]:
    """The source's columns and the lake's own."""
    return {**columns, SEQUENCE: STRING}


def _rows(snapshot: Snapshot) -> int:
    return sum(add.rows or 0 for add in snapshot.adds.values())
