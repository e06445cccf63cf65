"""Delta tables by copy-on-write: DuckDB finds and rewrites the files, one commit of our own swaps them.

delta-rs' own MERGE is not used: copying says exactly what happened to each row, keeps the types as they are, and
needs less memory and time (docs/decisions/0020).
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import duckdb

from catchment.changes.keyless import PRESENT
from catchment.changes.relations import EXISTING, HITS, KEYS, SEQUENCE, WINNERS, both, comma, keys, quote
from catchment.changes.session import DuckSession, nothing
from catchment.errors import ForeignWriter, SettingsError
from catchment.landing.names import TableName
from catchment.landing.types import STRING, DeltaType
from catchment.sinks.base import Batch, Committed, TableState
from catchment.sinks.copy_on_write import CopyOnWrite
from catchment.sinks.delta_actions import Add
from catchment.sinks.delta_commit import applied, table_actions
from catchment.sinks.delta_files import live_parts
from catchment.sinks.delta_protocol import refusal
from catchment.sinks.delta_schema import schema_of
from catchment.sinks.delta_snapshot import Snapshot
from catchment.sinks.delta_table import DeltaLogs
from catchment.sinks.delta_write import PartFiles
from catchment.sinks.layout import Layout
from catchment.sinks.ledger import Ledger
from catchment.sinks.masks import Masks
from catchment.sinks.merge_on_read import MaskingPolicy, mark_actions
from catchment.sinks.partitions import typed
from catchment.sinks.renaming import rename_columns
from catchment.storage import ObjectStore

_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_HIT = {"ord": "BIGINT", "part": "INTEGER", "pos": "BIGINT", "token": "VARCHAR"}


class DeltaSink:
    """The Delta table of one source table, at ``<schema>/<table>`` of the lake.

    ``partition_by`` is for a table that is made or built anew; any other is partitioned as it is.
    """

    def __init__(
        self,
        session: DuckSession,
        store: ObjectStore,
        table: TableName,
        scratch: Path,
        masking: MaskingPolicy | None = None,
        logs: DeltaLogs | None = None,
        partition_by: Sequence[str] = (),
    ) -> None:
        self._session = session
        self._store, self._table, self._scratch = store, table, scratch
        self._path = f"{table.schema}/{table.table}"
        self._url = f"{store.url}/{self._path}"
        if _ESCAPE.search(self._url):  # deltalake decodes it, and looks for the table elsewhere
            raise SettingsError("lake", "path", self._url, "allowed are paths without percent escapes")
        self._log = (logs or DeltaLogs()).of(store, self._path, str(table))
        self._current = False  # whether the log's state is what this sink has just committed
        self._masking, self._partition_by = masking, partition_by
        self._layout: Layout | None = None
        self._part_files: PartFiles | None = None
        self._look_at([])

    def open(self) -> TableState:
        """Look at the table; right after a commit of this sink, it is as that left it.

        Raises ForeignWriter (also for a feature that this engine does not know), LedgerLost, LogBroken.
        """
        found = self._log.snapshot if self._current else self._log.refresh(lambda: self._con)
        self._current = False
        if found is None:
            self._look_at([])
            return TableState(None, {}, Ledger(), 0)
        if (why := refusal(found.protocol, found.metadata)) is not None:
            raise ForeignWriter(str(self._table), found.version, why)
        columns = self._columns(found)
        columns.pop(SEQUENCE, None)
        self._look_at(found.adds.values())
        size = sum(part.size for part in self._parts)
        return TableState(
            found.version,
            columns,
            self._log.ledger,
            _rows(found),
            size,
            len(self._parts),
            found.metadata.partition_columns,
        )

    def find(self, key: Mapping[str, DeltaType]) -> None:
        """Make ``"~hits"``; only files whose statistics allow one of the keys are looked into."""
        self._session.create(HITS, nothing(_HIT))
        if self._log.snapshot is None:
            return
        self._layout = layout = Layout(self._session, self._parts, key, self._partitioned())
        candidates = layout.candidates()
        if not candidates:
            return
        reader = self._files.reader(self._con, candidates)
        named = [reader.column(column, kind) for column, kind in key.items()]
        self._session.append(
            HITS,
            f"SELECT w.ord, {reader.part}, t.file_row_number, COALESCE(t.{quote(SEQUENCE)}, '') "
            f"FROM {reader.scan_all} JOIN {WINNERS} w ON {both(keys(len(key), 'w'), named)} WHERE {reader.spared}",
        )

    def find_tokens(self, tokens: str) -> None:
        """Make ``"~present"``: the tokens of the relation ``tokens`` that the table carries."""
        self._session.create(PRESENT, nothing({"token": "VARCHAR"}))
        if self._parts:
            reader = self._files.reader(self._con, self._parts)
            self._session.append(
                PRESENT,
                f"SELECT DISTINCT t.{quote(SEQUENCE)} FROM {reader.scan} "
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
        reader = self._files.reader(self._con, parts)
        self._session.append(
            EXISTING,
            f"SELECT h.ord, {reader.columns(_stored(columns))} FROM {reader.scan} "
            f"JOIN {HITS} h ON h.part = {reader.part} AND h.pos = t.file_row_number WHERE h.ord IN ({wanted})",
        )

    def keys(self, key: Mapping[str, DeltaType]) -> None:
        """Make ``"~keys"``: the keys of all rows."""
        names = keys(len(key))
        self._session.create(KEYS, nothing({name: kind.duckdb for name, kind in zip(names, key.values(), strict=True)}))
        if self._parts:
            reader = self._files.reader(self._con, self._parts)
            named = comma(
                f"{reader.column(column, kind)} AS {name}"
                for name, (column, kind) in zip(names, key.items(), strict=True)
            )
            self._session.append(KEYS, f"SELECT {named} FROM {reader.scan}")

    def commit(self, batch: Batch, before_commit: Callable[[], None]) -> Committed:
        """Rewrite what changes and commit it with the batch's files and watermark. Raises LostRace."""
        stored = _stored(batch.columns)
        before = self._log.snapshot
        known = before.columns if before else {}
        widened = any(known.get(name, kind) != kind for name, kind in stored.items())
        layout = self._layout
        as_it_is = before is not None and not batch.overwrite
        partition_by = before.metadata.partition_columns if before and as_it_is else self._partition_by
        if layout is None or batch.overwrite or (widened and partition_by):
            key = {name: stored[name] for name in batch.generation.key or ()}
            parts = [] if batch.overwrite else self._parts
            layout = Layout(self._session, parts, key, typed(partition_by, stored))
        done = CopyOnWrite(self._session, self._files, layout, stored).run(self._masking, everything=widened)
        now = int(time.time() * 1000)
        removes, masked = mark_actions(done.marked, [part.add for part in self._parts], self._store, self._path, now)
        before_commit()
        removes += [part.add.removed(now) for part in (self._parts if batch.overwrite else done.parts)]
        adds = [*done.adds, *masked]
        head = table_actions(before, stored, partition_by, vectors=bool(masked))
        after = self._log.commit(
            [*head, applied(batch.watermark), *removes, *adds],
            operation="WRITE",
            parameters={"mode": "Overwrite" if widened or batch.overwrite else "Append"},
            metrics={"numAddedFiles": len(adds), "numRemovedFiles": len(removes)},
            record=batch.record(),
        )
        self._current = True
        return Committed(after.version, _rows(after))

    def rename(self, names: Mapping[str, str], before_commit: Callable[[], None]) -> None:
        """Write every file again with the new names, in one commit that adds nothing to the ledger. Raises LostRace."""
        before, ledger = self._log.snapshot, self._log.ledger
        assert before is not None
        adds = rename_columns(self._con, self._files, self._parts, before.columns, names)
        key = tuple(names.get(part, part) for part in ledger.generation.key or ()) or ledger.generation.key
        columns = {names.get(name, name): kind for name, kind in before.columns.items()}
        partition_by = tuple(names.get(name, name) for name in before.metadata.partition_columns)
        batch = Batch(columns, [], ledger.watermark, {}, replace(ledger.generation, key=key))
        now = int(time.time() * 1000)
        before_commit()
        self._log.commit(
            [
                replace(before.metadata, schema=schema_of(columns), partition_columns=partition_by),
                *(part.add.removed(now) for part in self._parts),
                *adds,
            ],
            operation="RENAME COLUMN",
            parameters={"names": json.dumps(names, ensure_ascii=False)},
            metrics={"numAddedFiles": len(adds), "numRemovedFiles": len(self._parts)},
            record=batch.record(),
        )

    def save_ledger(self) -> None:
        """Every so many commits a digest of the ledger and a checkpoint, so that a cold open reads little."""
        self._log.save_when_due()

    def _look_at(self, adds: Iterable[Add]) -> None:
        self._parts, self._layout, self._part_files = live_parts(adds), None, None

    def _partitioned(self) -> dict[str, DeltaType]:
        """The columns that the table is partitioned by."""
        found = self._log.snapshot
        return typed(found.metadata.partition_columns, found.columns) if found else {}

    @property
    def _con(self) -> duckdb.DuckDBPyConnection:
        return self._session.con

    @property
    def _files(self) -> PartFiles:
        """The files of the state last looked at; made when first needed, since DuckDB is opened for it."""
        if self._part_files is None:
            masks = Masks(self._con, self._store, self._path)
            self._part_files = PartFiles(self._store, self._path, self._scratch, masks)
        return self._part_files

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
