"""Parquet files of the landing zone: their fields, and the SQL that reads them.

Physical layouts: dms ``DECIMAL`` in fixed bytes, ``INT64`` timestamps flagged UTC or not, ``INT96``, unsigned
integers, times in milliseconds; DuckDB reads them all, and by name, so that each file stands on its own schema.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import duckdb

from catchment.errors import UnreadableFile
from catchment.landing.casts import TIME_MS
from catchment.landing.names import LandingFile
from catchment.landing.shape import Field
from catchment.landing.sql import one_file
from catchment.landing.types import MAX_PRECISION

# name, number of children, logical type, precision
_Element = tuple[str, int | None, str | None, int | None]

_ROW_NUMBER = "file_row_number"


def fields(con: duckdb.DuckDBPyConnection, file: LandingFile, local: Path) -> list[Field]:
    """The top-level columns of a file. Reads the footer only; raises UnreadableFile where there is none."""
    local.stat()  # a file that is gone is not an unreadable one
    try:
        schema = con.execute(
            f"SELECT name, num_children, logical_type, precision FROM parquet_schema({one_file(local)})"
        ).fetchall()
        described = con.execute(f"DESCRIBE SELECT * FROM {_scan(local)}").fetchall()
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        raise UnreadableFile(file.path, f"not a readable Parquet file: {_first_line(error)}") from error
    top = _top_level(schema)
    for name, _, _, precision in top:
        if precision is not None and precision > MAX_PRECISION:
            raise UnreadableFile(file.path, f"column {name!r} is a decimal of {precision} digits, {MAX_PRECISION} fit")
    # DuckDB renames columns that differ in case only; the order stays, so names come from the file's own schema.
    return [
        Field(raw[0], column[0], _type(column[1], raw[2] or "")) for raw, column in zip(top, described, strict=True)
    ]


def refuse_broken(con: duckdb.DuckDBPyConnection, file: LandingFile, local: Path) -> None:
    """Raise UnreadableFile where the file's own pages are to blame for a failed query."""
    try:
        con.execute(f"SELECT bit_xor(hash(records)) FROM {_scan(local)} AS records").fetchall()
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        raise UnreadableFile(file.path, f"not a readable Parquet file: {_first_line(error)}") from error


def relation(local: Path, names: Sequence[Field]) -> str:
    """SQL of a table expression with all columns of the file and ``~row``, the record's number from 1."""
    if any(f.physical.casefold() == _ROW_NUMBER for f in names):
        return f'(SELECT *, row_number() OVER () AS "~row" FROM {_scan(local)})'
    scan = _scan(local, f"{_ROW_NUMBER} = true")
    return f'(SELECT * EXCLUDE ({_ROW_NUMBER}), {_ROW_NUMBER} + 1 AS "~row" FROM {scan})'


def _scan(local: Path, *options: str) -> str:
    return f"read_parquet({', '.join([one_file(local), 'hive_partitioning = false', *options])})"


def _top_level(schema: list[_Element]) -> list[_Element]:
    top, position = [], 1
    while position < len(schema):
        top.append(schema[position])
        open_children = schema[position][1] or 0
        position += 1
        while open_children:
            open_children += (schema[position][1] or 0) - 1
            position += 1
    return top


def _type(duckdb_type: str, logical: str) -> str:
    if duckdb_type in ("TIME", "TIME WITH TIME ZONE") and re.search(r"MILLIS=MilliSeconds", logical):
        return TIME_MS
    return duckdb_type


def _first_line(error: duckdb.Error) -> str:
    return str(error).splitlines()[0]
