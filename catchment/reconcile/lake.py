"""The lake's side of a comparison: the live rows of a Delta table, read by DuckDB."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from catchment.changes.relations import text
from catchment.landing.contract import RESERVED
from catchment.landing.types import DeltaType
from catchment.reconcile.compare import identifier
from catchment.sinks.delta_files import Part, live_parts
from catchment.sinks.delta_snapshot import load
from catchment.sinks.masks import Masks
from catchment.sinks.partitions import constant
from catchment.storage import open_store


@dataclass(frozen=True)
class LakeTable:
    """The live files of the Delta table in ``folder``, and its columns in order, without the lake's own."""

    folder: Path
    parts: tuple[Part, ...]
    columns: dict[str, DeltaType]

    def read(self, con: duckdb.DuckDBPyConnection, wanted: Sequence[tuple[str, str]], relation: str) -> None:
        """Make the temporary view ``relation`` with the ``wanted`` columns (name, DuckDB type)."""
        read_lake(con, self, wanted, relation)


def lake_table(folder: Path) -> LakeTable:
    """The Delta table in a folder; one without files and columns where there is none. Raises LogBroken."""
    loaded = load(open_store(folder.parent), folder.name)
    if loaded is None:
        return LakeTable(folder, (), {})
    columns = dict(loaded.snapshot.columns)
    columns.pop(RESERVED, None)
    return LakeTable(folder, tuple(live_parts(loaded.snapshot.adds.values())), columns)


def read_lake(
    con: duckdb.DuckDBPyConnection, table: LakeTable, wanted: Sequence[tuple[str, str]], relation: str
) -> None:
    """Make the temporary view ``relation`` with the ``wanted`` columns (name, DuckDB type); NULL for one it lacks.

    A table without files has no rows.
    """
    there = _columns_in_files(con, table).union(_partitioned_by(table)) & set(table.columns)
    shown = [
        f"{alike(name, table.columns[name] if name in there else None, kind)} AS {identifier(name)}"
        for name, kind in wanted
    ]
    rows = f"FROM {_rows(con, table)}" if table.parts else "WHERE FALSE"
    con.execute(f"CREATE OR REPLACE TEMP VIEW {relation} AS SELECT {', '.join(shown)} {rows}")


def _rows(con: duckdb.DuckDBPyConnection, table: LakeTable) -> str:
    """The rows of the files with what the log says of them, less those that deletion vectors mask."""
    masks = Masks(con, open_store(table.folder.parent), table.folder.name)
    spared = masks.spared(table.parts, 'p."~part"', "t.file_row_number")
    columns = _partitioned_by(table)
    rows = ", ".join(
        f"({', '.join([str(part.number), _file(table, part), *_said(table, part)])})" for part in table.parts
    )
    names = ", ".join(['"~part"', '"~of"', *map(identifier, columns)])
    return f'{_scan(table)} t JOIN (VALUES {rows}) p({names}) ON p."~of" = t."~file" WHERE {spared}'


def _partitioned_by(table: LakeTable) -> list[str]:
    return list(table.parts[0].add.partition_values) if table.parts else []


def _said(table: LakeTable, part: Part) -> list[str]:
    """The SQL of what the log says of a file's columns."""
    return [constant(part.add.partition_values[name], table.columns[name]) for name in _partitioned_by(table)]


def _scan(table: LakeTable) -> str:
    files = ", ".join(_literally(_file(table, part)) for part in table.parts)
    options = "union_by_name=true, hive_partitioning=false, filename='~file', file_row_number=true"
    return f"read_parquet([{files}], {options})"


def _file(table: LakeTable, part: Part) -> str:
    return text(str(table.folder / part.path))


def _literally(file: str) -> str:
    # to DuckDB a file's name is a pattern
    return "".join(f"[{character}]" if character in "*?[" else character for character in file)


def _columns_in_files(con: duckdb.DuckDBPyConnection, table: LakeTable) -> set[str]:
    if not table.parts:
        return set()
    return {str(row[0]) for row in con.execute(f"DESCRIBE SELECT * FROM {_scan(table)}").fetchall()}


def alike(name: str, found: DeltaType | None, duckdb_type: str) -> str:
    """A column of type ``found`` (None: it is not there) as the DuckDB type in which both sides are compared."""
    if found is None:
        return f"CAST(NULL AS {duckdb_type})"
    # an instant is read in UTC before it becomes anything else, text above all
    value = f"CAST({identifier(name)} AS TIMESTAMP)" if found.name == "timestamp" else identifier(name)
    return f"CAST({value} AS {duckdb_type})"
