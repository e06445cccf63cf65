"""The lake's side of a comparison: the live files of a Delta table, read by DuckDB."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
from deltalake import DeltaTable

from catchment.landing.types import DeltaType
from catchment.reconcile.compare import identifier

OWN_COLUMN = "_catchment_seq"
"""The column the lake adds to the source's."""


@dataclass(frozen=True)
class LakeTable:
    """A Delta table's live files, readable by DuckDB, and its columns in order, without the lake's own."""

    files: tuple[str, ...]
    columns: dict[str, DeltaType]


def lake_table(location: Path) -> LakeTable:
    """The Delta table in a folder. Raises deltalake.exceptions.TableNotFoundError where there is none."""
    table = DeltaTable(location)
    columns = {field.name: DeltaType.parse(str(field.type.type)) for field in table.schema().fields}
    columns.pop(OWN_COLUMN, None)
    return LakeTable(tuple(table.file_uris()), columns)


def read_lake(
    con: duckdb.DuckDBPyConnection, table: LakeTable, wanted: Sequence[tuple[str, str]], relation: str
) -> None:
    """Make the temporary view ``relation`` with the ``wanted`` columns (name, DuckDB type); NULL for one it lacks.

    A table without files has no rows.
    """
    in_files = _columns_in_files(con, table)
    shown = [
        f"{_cast(identifier(name) if name in in_files else 'NULL', kind)} AS {identifier(name)}"
        for name, kind in wanted
    ]
    rows = f"FROM {_scan(table)}" if table.files else "WHERE FALSE"
    con.execute(f"CREATE OR REPLACE TEMP VIEW {relation} AS SELECT {', '.join(shown)} {rows}")


def _scan(table: LakeTable) -> str:
    files = ", ".join("'" + file.replace("'", "''") + "'" for file in table.files)
    return f"read_parquet([{files}], union_by_name=true, hive_partitioning=false)"


def _columns_in_files(con: duckdb.DuckDBPyConnection, table: LakeTable) -> set[str]:
    if not table.files:
        return set()
    return {str(row[0]) for row in con.execute(f"DESCRIBE SELECT * FROM {_scan(table)}").fetchall()}


def _cast(value: str, duckdb_type: str) -> str:
    return f"CAST({value} AS {duckdb_type})"
