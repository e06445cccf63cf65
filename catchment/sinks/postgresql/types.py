"""Which PostgreSQL type holds the values of a Delta type, and how a value is written in COPY's CSV."""

from __future__ import annotations

from collections.abc import Mapping

from catchment.changes.relations import quote
from catchment.errors import SchemaConflict
from catchment.landing.types import DeltaType
from catchment.sinks.replica.target import Unheld

_MAX_NAME = 63
"""Bytes of an identifier; PostgreSQL cuts longer ones without an error (NAMEDATALEN - 1)."""

_TYPES = {
    "byte": "smallint",
    "short": "smallint",
    "integer": "integer",
    "long": "bigint",
    "float": "real",
    "double": "double precision",
    "boolean": "boolean",
    # bytes decide what is equal and what comes first, as in the lake
    "string": 'text COLLATE "C"',
    "binary": "bytea",
    "date": "date",
    "timestamp": "timestamp with time zone",
    "timestamp_ntz": "timestamp without time zone",
}


def column_type(kind: DeltaType) -> str:
    """The type of a column, with its collation."""
    if kind.name == "decimal":
        return f"numeric({kind.precision},{kind.scale})"
    return _TYPES[kind.name]


def check_names(table: str, columns: Mapping[str, DeltaType]) -> None:
    """Raises SchemaConflict for a column that PostgreSQL would give another name."""
    for name in columns:
        if len(name.encode()) > _MAX_NAME:
            raise SchemaConflict(table, name, f"{len(name.encode())} bytes", f"at most {_MAX_NAME} in PostgreSQL")


def unheld(columns: Mapping[str, DeltaType]) -> list[Unheld]:
    """What of the columns' values PostgreSQL cannot hold."""
    texts = [name for name, kind in columns.items() if kind.name == "string"]
    return [Unheld(name, "contains({}, chr(0))", "PostgreSQL's text has no NUL character") for name in texts]


def to_csv(column: str, kind: DeltaType) -> str:
    """A DuckDB expression: the value of ``column`` as text that PostgreSQL reads as the same value."""
    if kind.name == "binary":
        return f"'\\x' || hex({column})"
    return f"CAST({column} AS VARCHAR)"


def from_csv(column: str, kind: DeltaType) -> str:
    """A DuckDB expression: the value of PostgreSQL's text in ``column``."""
    if kind.name == "binary":
        return f"unhex(substr({column}, 3))"
    return f"CAST({column} AS {kind.duckdb})"


def definition(columns: Mapping[str, DeltaType]) -> list[str]:
    """``"name" type`` of each column."""
    return [f"{quote(name)} {column_type(kind)}" for name, kind in columns.items()]
