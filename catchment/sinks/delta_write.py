"""Reading and writing the Parquet files of a Delta table with DuckDB."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from catchment.changes.relations import comma, quote, text
from catchment.landing.types import DeltaType
from catchment.sinks.delta_actions import Add
from catchment.sinks.delta_files import Part, statistics
from catchment.sinks.masks import Masks
from catchment.storage import ObjectStore

PART_FILE = '"~part"'


class PartReader:
    """The rows of some files of a table as one DuckDB scan, with their file as ``~part`` and ``file_row_number``.

    ``parts`` is the name of a relation (part, local) that leads from a file's name to its number. Rows that deletion
    vectors mask are left out; ``masks`` keeps those vectors for several readers of the same state of the table.
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
        self._parts, self._masks = parts, masks or Masks(con, store, path)
        self._locals = [local_part(store, path, scratch, part.path) for part in parts]
        numbered = comma(
            f"({part.number}, {text(str(local))})" for part, local in zip(parts, self._locals, strict=True)
        )
        self.parts = f"(VALUES {numbered})"
        self._scan = f"read_parquet([{comma(text(str(local)) for local in self._locals)}], union_by_name = true, "
        self._scan += f"filename = {text('~part')}, file_row_number = true)"
        described = con.execute(f"DESCRIBE SELECT * FROM {self._scan}").fetchall()
        self._there = {row[0] for row in described}
        self.parts = f"(SELECT col0 AS part, col1 AS local FROM (VALUES {numbered}))"

    def scan(self, alias: str) -> str:
        """The FROM item."""
        spared = self._masks.spared(self._parts, "mp.part", "mt.file_row_number")
        if spared == "TRUE":
            return f"{self._scan} {alias}"
        numbered = f"{self._scan} mt JOIN {self.parts} mp ON mp.local = mt.{PART_FILE}"
        return f"(SELECT mt.* FROM {numbered} WHERE {spared}) {alias}"

    def scan_all(self, alias: str) -> str:
        """The FROM item with the masked rows too, for a query that asks ``spared`` of the few that it selects."""
        return f"{self._scan} {alias}"

    def spared(self, alias: str, parts: str) -> str:
        """The condition that a row of ``scan_all`` counts, where ``parts`` is joined too."""
        return self._masks.spared(self._parts, f"{parts}.part", f"{alias}.file_row_number")

    def columns(self, columns: Mapping[str, DeltaType], alias: str) -> str:
        """The select list of ``columns`` in their types; a column younger than all of the files is NULL."""
        return comma(
            f"CAST({f'{alias}.{quote(name)}' if name in self._there else 'NULL'} AS {kind.duckdb}) AS {quote(name)}"
            for name, kind in columns.items()
        )


def local_part(store: ObjectStore, path: str, scratch: Path, name: str) -> Path:
    """A data file on this machine, under a path DuckDB does not take for a pattern."""
    local = store.fetch(f"{path}/{name}", scratch)
    if not set("*?[") & set(str(local)):
        return local
    link = scratch / f"{uuid.uuid5(uuid.NAMESPACE_URL, str(local))}.parquet"
    if not link.exists():
        link.symlink_to(local)
    return link


def write_part(
    con: duckdb.DuckDBPyConnection,
    store: ObjectStore,
    path: str,
    scratch: Path,
    rows: str,
    columns: Mapping[str, DeltaType],
) -> Add | None:
    """Write the rows of a query as one new file of the table; None (and no file) if there are none."""
    name = f"part-{uuid.uuid4()}.snappy.parquet"
    local = scratch / name
    query = f"COPY ({rows}) TO {text(str(local))} (FORMAT parquet, COMPRESSION snappy, RETURN_STATS)"
    result = con.execute(query)
    names = [column[0] for column in result.description or []]
    row = result.fetchone()
    assert row is not None
    written = dict(zip(names, row, strict=True))
    if not written["count"]:
        local.unlink()
        return None
    stats = statistics(written["count"], written["column_statistics"], columns)
    store.put(f"{path}/{name}", local)
    local.unlink(missing_ok=True)
    return Add(name, written["file_size_bytes"], int(time.time() * 1000), stats)
