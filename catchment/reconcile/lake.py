"""The lake's side of a comparison: the live files of a Delta table, read by DuckDB."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
from deltalake import DeltaTable

from catchment.landing.contract import RESERVED
from catchment.landing.types import DeltaType
from catchment.reconcile.compare import identifier


@dataclass(frozen=True)
class LakeTable:
    """A Delta table's live files, readable by DuckDB, and its columns in order, without the lake's own."""

    files: tuple[str, ...]
    columns: dict[str, DeltaType]


def lake_table(location: Path) -> LakeTable:
    """The Delta table in a folder. Raises deltalake.exceptions.TableNotFoundError where there is none."""
    table = DeltaTable(location)
    columns = {field.name: DeltaType.parse(str(field.type.type)) for field in table.schema().fields}
    columns.pop(RESERVED, None)
    # file_uris() would quote a blank in the folder's name as in a URL
    paths = table.get_add_actions(flatten=True).column("path").to_pylist()
    return LakeTable(tuple(str(location / path) for path in paths), columns)


def read_lake(
    con: duckdb.DuckDBPyConnection, table: LakeTable, wanted: Sequence[tuple[str, str]], relation: str
) -> None:
    """Make the temporary view ``relation`` with the ``wanted`` columns (name, DuckDB type); NULL for one it lacks.

    A table without files has no rows.
    """
    there = _columns_in_files(con, table) & set(table.columns)
    shown = [
        f"{_cast(table, name, kind) if name in there else f'CAST(NULL AS {kind})'} AS {identifier(name)}"
        for name, kind in wanted
    ]
    rows = f"FROM {_scan(table)}" if table.files else "WHERE FALSE"
    con.execute(f"CREATE OR REPLACE TEMP VIEW {relation} AS SELECT {', '.join(shown)} {rows}")


def _scan(table: LakeTable) -> str:
    files = ", ".join("'" + _literally(file).replace("'", "''") + "'" for file in table.files)
    return f"read_parquet([{files}], union_by_name=true, hive_partitioning=false)"


def _literally(file: str) -> str:
    # to DuckDB a file's name is a pattern
    return "".join(f"[{character}]" if character in "*?[" else character for character in file)


def _columns_in_files(con: duckdb.DuckDBPyConnection, table: LakeTable) -> set[str]:
    if not table.files:
        return set()
    return {str(row[0]) for row in con.execute(f"DESCRIBE SELECT * FROM {_scan(table)}").fetchall()}


def _cast(table: LakeTable, name: str, duckdb_type: str) -> str:
    stamp = table.columns[name].name == "timestamp"
    # an instant is read in UTC before it becomes anything else, text above all
    value = f"CAST({identifier(name)} AS TIMESTAMP)" if stamp else identifier(name)
    return f"CAST({value} AS {duckdb_type})"
