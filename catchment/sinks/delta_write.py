"""Reading and writing the Parquet files of a Delta table with DuckDB."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from catchment.changes.relations import comma, quote, text
from catchment.landing.types import DeltaType
from catchment.sinks.delta_actions import Add
from catchment.sinks.delta_files import Part, statistics
from catchment.sinks.masks import Masks
from catchment.sinks.partitions import Values, constant, folder
from catchment.storage import ObjectStore


class PartReader:
    """The rows of some files of a table as one DuckDB scan ``t`` with ``file_row_number``.

    ``part`` is the SQL of a row's file, by number. ``scan`` leaves out the rows that deletion vectors mask;
    ``scan_all`` does not: it is for queries that ask ``spared`` of the few rows that they select.
    """

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        store: ObjectStore,
        path: str,
        scratch: Path,
        parts: Sequence[Part],
        masks: Masks | None = None,
    ) -> None:
        locals_ = [local_part(store, path, scratch, part.path) for part in parts]
        options = "file_row_number = true, hive_partitioning = false" + (", union_by_name = true" if parts[1:] else "")
        rows = f"read_parquet([{comma(text(str(local)) for local in locals_)}], {options})"
        numbers = comma(str(part.number) for part in parts)
        self.part = f"([{numbers}])[CAST(t.file_index AS BIGINT) + 1]" if parts[1:] else numbers
        self._parts = parts
        self.spared = (masks or Masks(con, store, path)).spared(parts, self.part, "t.file_row_number")
        self.scan_all = self.scan = f"{rows} t"
        if self.spared != "TRUE":
            self.scan = f"(SELECT t.*, t.file_index FROM {self.scan_all} WHERE {self.spared}) t"
        described = con.execute(f"DESCRIBE SELECT * FROM {self.scan_all}").fetchall()
        self._there = {row[0] for row in described}

    def columns(self, columns: Mapping[str, DeltaType]) -> str:
        """The select list of ``columns`` in their types; a column younger than all of the files is NULL."""
        return comma(f"{self.column(name, kind)} AS {quote(name)}" for name, kind in columns.items())

    def column(self, name: str, kind: DeltaType) -> str:
        """One column's SQL; those that the table is partitioned by are said by the log."""
        if name in self._parts[0].add.partition_values:
            values = [constant(part.add.partition_values[name], kind) for part in self._parts]
            if len(set(values)) == 1:
                return values[0]
            return f"([{comma(values)}])[CAST(t.file_index AS BIGINT) + 1]"
        return f"CAST({f't.{quote(name)}' if name in self._there else 'NULL'} AS {kind.duckdb})"


@dataclass(frozen=True)
class PartFiles:
    """The data files of one state of the table at ``path`` of a store, and what deletion vectors mask in them.

    Files in use lie in ``scratch`` where the store is remote.
    """

    store: ObjectStore
    path: str
    scratch: Path
    masks: Masks

    def reader(self, con: duckdb.DuckDBPyConnection, parts: Sequence[Part]) -> PartReader:
        """Some files as one scan."""
        return PartReader(con, self.store, self.path, self.scratch, parts, self.masks)

    def write(
        self,
        con: duckdb.DuckDBPyConnection,
        rows: str,
        columns: Mapping[str, DeltaType],
        partition: Values,
    ) -> Add | None:
        """Write the rows of a query as one new file of a partition; None (and no file) if there are none."""
        return write_part(con, self.store, self.path, self.scratch, rows, columns, partition)

    def bytes_a_row(self, con: duckdb.DuckDBPyConnection, rows: str) -> float:
        """How many bytes of a data file a row takes, by writing the rows of a query (at least one)."""
        local = self.scratch / f"sample-{uuid.uuid4()}.parquet"
        written = _copy(con, rows, local)
        local.unlink()
        return float(written["file_size_bytes"]) / float(written["count"])


def write_part(
    con: duckdb.DuckDBPyConnection,
    store: ObjectStore,
    path: str,
    scratch: Path,
    rows: str,
    columns: Mapping[str, DeltaType],
    partition: Values,
) -> Add | None:
    """Write the rows of a query as one new file of the table; None (and no file) if there are none.

    ``partition`` is what the rows have in the columns that the table is partitioned by; ``columns`` are the others.
    """
    file = f"part-{uuid.uuid4()}.snappy.parquet"
    name, local = folder(partition) + file, scratch / file
    written = _copy(con, rows, local)
    if not written["count"]:
        local.unlink()
        return None
    stats = statistics(written["count"], written["column_statistics"], columns)
    store.put(f"{path}/{name}", local)
    local.unlink(missing_ok=True)
    return Add(name, written["file_size_bytes"], int(time.time() * 1000), stats, dict(partition))


def _copy(con: duckdb.DuckDBPyConnection, rows: str, local: Path) -> dict[str, Any]:
    result = con.execute(f"COPY ({rows}) TO {text(str(local))} (FORMAT parquet, COMPRESSION snappy, RETURN_STATS)")
    names = [column[0] for column in result.description or []]
    row = result.fetchone()
    assert row is not None
    return dict(zip(names, row, strict=True))


def local_part(store: ObjectStore, path: str, scratch: Path, name: str) -> Path:
    """A data file on this machine, under a path DuckDB does not take for a pattern."""
    local = store.fetch(f"{path}/{name}", scratch)
    if not set("*?[") & set(str(local)):
        return local
    link = scratch / f"{uuid.uuid5(uuid.NAMESPACE_URL, str(local))}.parquet"
    if not link.exists():
        link.symlink_to(local)
    return link
