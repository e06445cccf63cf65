"""Delta tables by Spark: Delta's reader finds the rows and its writer rewrites the touched files.

The commit is the one of the other engine, so the record, new columns and wider types are in it with the data, and two
writers of whatever engine cannot both win (docs/decisions/0070).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from pyspark.sql import DataFrame

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
from catchment.changes.session import nothing, numbers
from catchment.landing.contract import TableContract
from catchment.landing.types import STRING, DeltaType
from catchment.sinks.base import Batch, Committed, TableState
from catchment.sinks.delta_actions import Add, Metadata
from catchment.sinks.delta_commit import applied, table_actions
from catchment.sinks.delta_schema import schema_of
from catchment.sinks.delta_state import open_state
from catchment.sinks.delta_table import DeltaLog
from catchment.spark.delta_files import FILE, DeltaFiles
from catchment.spark.session import SparkSession
from catchment.spark.start import spark_url
from catchment.storage import ObjectStore

FILE_ROWS = 1_000_000
FILE_BYTES = 128 * 1024 * 1024
_PRESENT, _GONE, _FOUND, _TOUCHED = '"~present"', '"~gone"', '"~found"', '"~touched_rows"'
_CHANGED, _STAYS = '"~changed"', '"~stays"'
_HIT = {"ord": "BIGINT", "part": "VARCHAR", "token": "VARCHAR"}


class SparkSink:
    """The Delta table of one source table, at ``<schema>/<table>`` of the lake."""

    def __init__(self, session: SparkSession, store: ObjectStore, contract: TableContract) -> None:
        name = contract.name
        self._session, self._contract = session, contract
        self.path = f"{name.schema}/{name.table}"
        self._log = DeltaLog(store, self.path, str(name))
        self._files = DeltaFiles(session.spark, spark_url(f"{store.url}/{self.path}"))

    def open(self) -> TableState:
        """Look at the table. Raises ForeignWriter (also for a feature that Catchment does not know), LedgerLost."""
        self._files.forget()
        return open_state(self._log, str(self._contract.name))

    def find(self, key: Mapping[str, DeltaType]) -> None:
        """Make ``"~hits"``; of the table only the key and the token are read."""
        adds = self._adds()
        if not adds:
            self._session.create(HITS, nothing(_HIT))
            return
        self._session.view('"~table"', self._files.read(adds))
        named = [f"CAST(t.{quote(column)} AS {kind.duckdb})" for column, kind in key.items()]
        joined = f'"~table" t JOIN {WINNERS} w ON {both(keys(len(key), "w"), named)}'
        self._session.view(_FOUND, self._session.frame(f"SELECT w.ord AS {ORD}, t.* FROM {joined}"))
        token = f"COALESCE({quote(SEQUENCE)}, '')"
        self._session.create(HITS, f"SELECT {ORD} AS ord, {quote(FILE)} AS part, {token} AS token FROM {_FOUND}")

    def find_tokens(self, tokens: str) -> None:
        """Make ``"~present"``: the tokens of the relation ``tokens`` that the table carries."""
        adds = self._adds()
        if not adds:
            self._session.create(_PRESENT, nothing({"token": "VARCHAR"}))
            return
        self._session.view('"~table"', self._files.read(adds))
        self._session.create(
            _PRESENT,
            f'SELECT DISTINCT t.{quote(SEQUENCE)} AS token FROM "~table" t '
            f"WHERE t.{quote(SEQUENCE)} IN (SELECT token FROM {tokens})",
        )

    def existing(self, wanted: str, columns: Mapping[str, DeltaType]) -> None:
        """Make ``"~existing"``: the table's rows, whole, of the hits that ``wanted`` (a query of ``ord``) selects."""
        stored = _stored(columns)
        [(any_hit,)] = self._session.rows(f"SELECT count(*) FROM {HITS} WHERE ord IN ({wanted})")
        if not any_hit:
            kinds = {name: kind.duckdb for name, kind in stored.items()}
            self._session.create(EXISTING, nothing({"~ord": "BIGINT", **kinds}))
            return
        chosen = self._as(stored, self._known())
        self._session.create(EXISTING, f"SELECT {ORD}, {chosen} FROM {_FOUND} t WHERE {ORD} IN ({wanted})")

    def keys(self, key: Mapping[str, DeltaType]) -> None:
        """Make ``"~keys"``: the keys of all rows."""
        names, adds = keys(len(key)), self._adds()
        self._session.expect(sum(add.records or FILE_ROWS for add in adds))
        if not adds:
            kinds = {name: kind.duckdb for name, kind in zip(names, key.values(), strict=True)}
            self._session.create(KEYS, nothing(kinds))
            return
        self._session.view('"~table"', self._files.read(adds))
        named = comma(
            f"CAST(t.{quote(column)} AS {kind.duckdb}) AS {name}"
            for name, (column, kind) in zip(names, key.items(), strict=True)
        )
        self._session.create(KEYS, f'SELECT {named} FROM "~table" t')

    def rename(self, names: Mapping[str, str], before_commit: Callable[[], None]) -> None:
        """Write every file again with the new names, in one commit that adds nothing to the ledger. Raises LostRace."""
        before, ledger = self._log.snapshot, self._log.ledger
        assert before is not None
        columns = {names.get(name, name): kind for name, kind in before.columns.items()}
        partition_by = tuple(names.get(name, name) for name in before.metadata.partition_columns)
        table = replace(before.metadata, schema=schema_of(columns), partition_columns=partition_by)
        gone = self._adds()
        adds: list[Add] = []
        if gone:
            self._session.view(_TOUCHED, self._files.read(gone))
            chosen = comma(f"{quote(name)} AS {quote(names.get(name, name))}" for name in before.columns)
            rows = self._in_order(self._session.frame(f"SELECT {chosen} FROM {_TOUCHED}"), _files_of(gone, 0), table)
            adds = self._files.write(rows, table)
        key = tuple(names.get(part, part) for part in ledger.generation.key or ()) or ledger.generation.key
        batch = Batch(columns, [], ledger.watermark, {}, replace(ledger.generation, key=key))
        before_commit()
        now = int(time.time() * 1000)
        self._log.commit(
            [table, *(add.removed(now) for add in gone), *adds],
            operation="RENAME COLUMN",
            parameters={"names": json.dumps(names, ensure_ascii=False)},
            metrics={"numAddedFiles": len(adds), "numRemovedFiles": len(gone)},
            record=batch.record(),
        )

    def commit(self, batch: Batch, before_commit: Callable[[], None]) -> Committed:
        """Rewrite what changes and commit it with the batch's files and watermark. Raises LostRace."""
        stored = _stored(batch.columns)
        before = self._log.snapshot
        known = self._known()
        widened = any(known.get(name, kind) != kind for name, kind in stored.items())
        as_it_is = before is not None and not batch.overwrite
        partition_by = before.metadata.partition_columns if before and as_it_is else self._contract.partition_by
        actions = table_actions(before, stored, partition_by)
        changed = [action for action in actions if isinstance(action, Metadata)]
        table = changed[0] if changed or before is None else before.metadata
        ordered = {name: stored.get(name, kind) for name, kind in known.items()} | stored
        gone = self._adds() if widened or batch.overwrite else self._touched()
        adds = self._write([] if batch.overwrite else gone, ordered, table)
        before_commit()
        now = int(time.time() * 1000)
        after = self._log.commit(
            [*actions, applied(batch.watermark), *(add.removed(now) for add in gone), *adds],
            operation="WRITE",
            parameters={"mode": "Overwrite" if widened or batch.overwrite else "Append"},
            metrics={"numAddedFiles": len(adds), "numRemovedFiles": len(gone)},
            record=batch.record(),
        )
        return Committed(after.version, sum(add.rows or 0 for add in after.adds.values()))

    def save_ledger(self) -> None:
        """Every so many commits a digest of the ledger and a checkpoint, so that a cold open reads little."""
        self._log.save_when_due()

    def _adds(self) -> list[Add]:
        return list(self._log.snapshot.adds.values()) if self._log.snapshot else []

    def _known(self) -> dict[str, DeltaType]:
        return dict(self._log.snapshot.columns) if self._log.snapshot else {}

    def _touched(self) -> list[Add]:
        """The files that hold a row which is replaced or deleted."""
        if not self._contract.key:
            return []
        hit = self._session.rows(
            f"SELECT DISTINCT h.part FROM {HITS} h JOIN {VERDICTS} v ON v.ord = h.ord WHERE {effective()}"
        )
        paths = {self._files.path_of(file) for (file,) in hit}
        return [add for add in self._adds() if add.path in paths]

    def _write(self, touched: Sequence[Add], columns: Mapping[str, DeltaType], table: Metadata) -> list[Add]:
        """The rows of the touched files that stay, and the new ones, in order of the key."""
        new = f"FROM {UPSERTS} u WHERE NOT EXISTS (SELECT 1 FROM {UNCHANGED} n WHERE n.ord = u.{ORD})"
        (count,) = numbers(self._session, f"SELECT count(*) {new}")
        if not count and not touched:
            return []
        if touched and self._contract.key and self._can_be_sent(touched):
            return self._write_in_place(touched, columns, table)
        query = f"SELECT {self._as(columns, columns, 'u')} {new}"
        if touched:
            query += f" UNION ALL {self._staying(touched, columns)}"
        rows = self._in_order(self._session.frame(query), _files_of(touched, count), table)
        return self._files.write(rows, table)

    def _can_be_sent(self, touched: Sequence[Add]) -> bool:
        """Whether the changed rows are few enough to be sent to each file, and the table has each of them once."""
        (changed,) = numbers(self._session, f"SELECT count(*) FROM {VERDICTS}")
        records = sum(add.records or 0 for add in touched)
        if not records:
            return False
        # compressed columns take five times as much as rows in memory, or so
        row_bytes = 5 * sum(add.size for add in touched) / records + 100
        if changed * row_bytes > self._session.copy_bytes:
            return False
        hits, keys_hit = numbers(self._session, f"SELECT count(*), count(DISTINCT ord) FROM {HITS}")
        return hits == keys_hit

    def _write_in_place(self, touched: Sequence[Add], columns: Mapping[str, DeltaType], table: Metadata) -> list[Add]:
        """Each touched file again, with its changes, by a task of its own; rows with new keys beside them.

        No row of the table changes its place, so nothing is sent around or sorted but the changes.
        """
        key = self._contract.key
        named = comma(f"v.{name} AS {quote(f'~{name}')}" for name in keys(len(key)))
        self._session.copy(
            _CHANGED,
            f"SELECT v.ord AS {ORD}, {named}, v.kind <> 'D' AS {_STAYS}, {self._as(columns, columns, 'u')} "
            f"FROM {VERDICTS} v LEFT JOIN {UPSERTS} u ON u.{ORD} = v.ord WHERE {effective()}",
        )
        self._session.view(_TOUCHED, self._files.read(touched))
        known = self._known()
        chosen = comma(
            f"CASE WHEN c.{_STAYS} THEN c.{quote(name)} ELSE "
            f"CAST({f't.{quote(name)}' if name in known else 'NULL'} AS {kind.duckdb}) END AS {quote(name)}"
            for name, kind in columns.items()
        )
        same = both(
            [f"c.{quote(f'~{name}')}" for name in keys(len(key))],
            [f"CAST(t.{quote(name)} AS {columns[name].duckdb})" for name in key],
        )
        staying = self._session.frame(
            f"SELECT {chosen} FROM {_TOUCHED} t LEFT JOIN {_CHANGED} c ON {same} WHERE COALESCE(c.{_STAYS}, TRUE)"
        )
        new = f"FROM {_CHANGED} c WHERE c.{_STAYS} AND NOT EXISTS (SELECT 1 FROM {HITS} h WHERE h.ord = c.{ORD})"
        (count,) = numbers(self._session, f"SELECT count(*) {new}")
        if table.partition_columns:  # the writer would sort by those alone
            staying = staying.sortWithinPartitions(*self._order(table))
        adds = self._files.write(staying, table, apart=True)
        if count:
            rows = self._session.frame(f"SELECT {comma(f'c.{quote(name)}' for name in columns)} {new}")
            adds += self._files.write(self._in_order(rows, _files_of([], count), table), table)
        return adds

    def _staying(self, touched: Sequence[Add], columns: Mapping[str, DeltaType]) -> str:
        self._session.view(_TOUCHED, self._files.read(touched))
        chosen = f"SELECT {self._as(columns, self._known())} FROM {_TOUCHED} t"
        if not self._contract.key:
            return chosen
        key = self._contract.key
        self._session.create(_GONE, f"SELECT {comma(keys(len(key), 'v'))} FROM {VERDICTS} v WHERE {effective()}")
        named = [f"CAST(t.{quote(name)} AS {columns[name].duckdb})" for name in key]
        return f"{chosen} WHERE NOT EXISTS (SELECT 1 FROM {_GONE} g WHERE {both(keys(len(key), 'g'), named)})"

    def _in_order(self, rows: DataFrame, files: int, table: Metadata) -> DataFrame:
        """Each file a range of the key in a partition, and sorted in itself, so that statistics tell files apart."""
        key = self._order(table)
        if not key:
            return rows.coalesce(files)
        parted = rows.repartitionByRange(files, *key) if files > 1 else rows.coalesce(1)
        return parted.sortWithinPartitions(*key)

    def _order(self, table: Metadata) -> list[str]:
        names = dict.fromkeys((*table.partition_columns, *self._contract.key))
        return [f"`{name.replace('`', '``')}`" for name in names]

    @staticmethod
    def _as(columns: Mapping[str, DeltaType], known: Mapping[str, DeltaType], table: str = "t") -> str:
        """The columns with their types; those that the relation ``table`` does not have are NULL."""
        return comma(
            f"CAST({f'{table}.{quote(name)}' if name in known else 'NULL'} AS {kind.duckdb}) AS {quote(name)}"
            for name, kind in columns.items()
        )


def _files_of(adds: Sequence[Add], more: int) -> int:
    """How many files the rows of these and ``more`` rows make."""
    rows = more + sum(add.records or FILE_ROWS for add in adds)
    return max(1, -(-rows // FILE_ROWS), -(-sum(add.size for add in adds) // FILE_BYTES))


def _stored(columns: Mapping[str, DeltaType]) -> dict[str, DeltaType]:
    """The source's columns and the lake's own."""
    return {**columns, SEQUENCE: STRING}
