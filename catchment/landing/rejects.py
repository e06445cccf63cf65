"""Records that could not be delivered, with what they said."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from catchment.landing.casts import cast
from catchment.landing.csv_records import CsvGrammar
from catchment.landing.names import LandingFile
from catchment.landing.shape import Field
from catchment.landing.sql import identifier
from catchment.landing.types import STRING


@dataclass(frozen=True)
class Reject:
    """One record that was not delivered. ``row`` is its number in the file, from 1; None: the whole file.

    ``field`` names what was wrong where it was one field. ``raw`` is the record: CSV as it stands in the file,
    Parquet as a JSON object of its fields in text form (binary as hex).
    """

    file: LandingFile
    row: int | None
    field: str | None
    reason: str
    raw: str


def parquet_records(
    con: duckdb.DuckDBPyConnection, source: str, fields: Sequence[Field], rows: Sequence[int]
) -> dict[int, str]:
    """The records of the given numbers as JSON objects, in the file's own names."""
    shown = ", ".join(f"{_text(f)} AS f{i}" for i, f in enumerate(fields))
    wanted = ", ".join(map(str, rows))
    found = con.execute(f'SELECT "~row", {shown} FROM {source} WHERE "~row" IN ({wanted})').fetchall()
    names = [f.name for f in fields]
    return {row: json.dumps(dict(zip(names, values, strict=True)), ensure_ascii=False) for row, *values in found}


def csv_records(
    con: duckdb.DuckDBPyConnection, texts: str, fields: Sequence[Field], grammar: CsvGrammar, rows: Sequence[int]
) -> dict[int, str]:
    """The records of the given numbers in table ``texts``, written as DMS writes CSV."""
    shown = ", ".join(f.physical for f in fields)
    found = con.execute(f'SELECT "~row", {shown} FROM {texts} WHERE "~row" IN ({", ".join(map(str, rows))})').fetchall()
    return {row: grammar.shown(values) for row, *values in found}


def _text(found: Field) -> str:
    value = identifier(found.physical)
    return f"hex({value})" if found.type == "BLOB" else cast(value, found.type, STRING)
