"""The lake's side of a comparison, wherever the lake is: files of a bucket are fetched."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from catchment.landing.contract import RESERVED
from catchment.landing.names import TableName
from catchment.landing.types import DeltaType
from catchment.reconcile.compare import identifier
from catchment.reconcile.lake import alike
from catchment.sinks.delta_files import live_parts
from catchment.sinks.delta_snapshot import load
from catchment.sinks.delta_write import PartReader
from catchment.storage import ObjectStore


class StoredTable:
    """A Delta table as it is now; one without columns where there is none. ``scratch`` takes what is fetched.

    Raises LogBroken.
    """

    def __init__(self, lake: ObjectStore, name: TableName, scratch: Path) -> None:
        self._lake, self._path, self._scratch = lake, f"{name.schema}/{name.table}", scratch
        loaded = load(lake, self._path)
        self._parts = list(live_parts(loaded.snapshot.adds.values())) if loaded is not None else []
        self._all: dict[str, DeltaType] = dict(loaded.snapshot.columns) if loaded is not None else {}
        self.columns: dict[str, DeltaType] = {name: kind for name, kind in self._all.items() if name != RESERVED}

    def read(self, con: duckdb.DuckDBPyConnection, wanted: Sequence[tuple[str, str]], relation: str) -> None:
        """Make the temporary view ``relation`` with the ``wanted`` columns (name, DuckDB type)."""
        shown = ", ".join(f"{alike(name, self.columns.get(name), kind)} AS {identifier(name)}" for name, kind in wanted)
        rows = "(SELECT 1 WHERE FALSE)"
        if self._parts:
            reader = PartReader(con, self._lake, self._path, self._scratch, self._parts)
            rows = f"(SELECT {reader.columns(self.columns)} FROM {reader.scan})"
        else:
            shown = ", ".join(f"CAST(NULL AS {kind}) AS {identifier(name)}" for name, kind in wanted)
        con.execute(f"CREATE OR REPLACE TEMP VIEW {relation} AS SELECT {shown} FROM {rows}")
