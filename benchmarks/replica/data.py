"""Landing files of a load and of changes, and the same as rows for those who bring no applier of their own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.apply.data import land_changes, land_load, session
from benchmarks.apply.shapes import COLUMNS, TABLE, Shape

NAMED = ", ".join(COLUMNS)
# without an offset, which MySQL does not read: both servers' sessions are in UTC
_SHOWN = "SELECT * REPLACE (created_at AT TIME ZONE 'UTC' AS created_at, updated_at AT TIME ZONE 'UTC' AS updated_at)"


@dataclass(frozen=True)
class Data:
    """A load of ``count`` rows and ``events`` changes; of the changes the last of each key."""

    loaded: Path
    """A landing zone with the load."""
    landing: Path
    """The same with the changes."""
    rows: Path
    """CSV of the load: all values quoted, but NULL."""
    written: Path
    """CSV of the rows to write."""
    gone: list[int]
    count: int
    events: int


def make(folder: Path, rows: int, changes: int) -> Data:
    """Files of a table of ``rows`` rows and ``changes`` scattered changes."""
    shape = Shape(rows, changes, "scattered")
    loaded, landing = folder / "loaded", folder / "landing"
    land_load(rows, loaded)
    land_changes(shape)
    (landing / TABLE).mkdir(parents=True)
    for file in (*(loaded / TABLE).iterdir(), *shape.folder.iterdir()):
        shutil.copy2(file, landing / TABLE / file.name)
    form = "(FORMAT csv, HEADER false, FORCE_QUOTE *, NULLSTR 'NULL')"
    with session() as con:
        loads = f"SELECT {NAMED} FROM read_parquet('{loaded}/{TABLE}/LOAD*.parquet')"
        con.execute(f"COPY ({_SHOWN} FROM ({loads})) TO '{folder}/rows.csv' {form}")
        con.execute(
            f"CREATE TABLE net AS SELECT * FROM read_parquet('{shape.folder}/*.parquet') "
            "QUALIFY row_number() OVER (PARTITION BY id ORDER BY dms_seq DESC) = 1"
        )
        written = f"SELECT {NAMED} FROM net WHERE Op <> 'D'"
        con.execute(f"COPY ({_SHOWN} FROM ({written})) TO '{folder}/written.csv' {form}")
        gone = [number for (number,) in con.execute("SELECT id FROM net WHERE Op = 'D'").fetchall()]
    return Data(loaded, landing, folder / "rows.csv", folder / "written.csv", gone, rows, changes)


def first_rows(file: Path, count: int) -> list[tuple[Any, ...]]:
    """The first rows of a CSV file as text, for statements with values."""
    with session() as con:
        options = "header = false, all_varchar = true, nullstr = 'NULL', allow_quoted_nulls = false"
        return con.execute(f"SELECT * FROM read_csv('{file}', {options}) LIMIT {count}").fetchall()


def parts(items: list[Any], size: int) -> Iterator[list[Any]]:
    """The items in lists of ``size``."""
    return (items[first : first + size] for first in range(0, len(items), size))
