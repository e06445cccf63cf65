"""Sample tables on SQL Server: rows are written by statements of a thousand rows each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from catchment.engines.base import DatabaseMaker, Query, SampleColumn, Table
from catchment.engines.insertion import insert_statements
from catchment.engines.sqlserver import zoo

__all__ = ["begin", "declared", "insert", "maker", "open_schema", "quoted", "zoo"]

begin = "BEGIN TRANSACTION"

_TYPES = {
    "boolean": "bit",
    "char": "nchar",
    "double precision": "float",
    "integer": "int",
    "jsonb": "nvarchar(max)",
    "text": "nvarchar(max)",
    "timestamp": "datetime2(6)",
    "timestamptz": "datetimeoffset(6)",
    "varchar": "nvarchar",
    **{name: name for name in ("bigint", "date", "numeric", "real", "smallint")},
}


def open_schema(query: Query, schema: str) -> None:
    """Make the schema where it is not there: CREATE SCHEMA has to be a batch of its own."""
    if not query("SELECT 1 FROM sys.schemas WHERE name = %s", [schema]):
        query(f"CREATE SCHEMA {quoted(schema)}")


def make_database(query: Query, name: str) -> None:
    """Make a database where it is not there."""
    if not query("SELECT 1 FROM sys.databases WHERE name = %s", [name]):
        query(f"CREATE DATABASE {quoted(name)}")


maker = DatabaseMaker("master", make_database)


def quoted(*names: str) -> str:
    """A name, or a schema and a name, as SQL."""
    return ".".join("[" + name.replace("]", "]]") + "]" for name in names)


def declared(standard: str) -> str:
    """A column's type in T-SQL's words."""
    name, bracket, rest = standard.partition("(")
    return _TYPES[name] + bracket + rest


def insert(connection: Any, table: Table, columns: Sequence[SampleColumn], values: Sequence[Sequence[object]]) -> None:
    """Write rows; what the server writes itself is left out."""
    given = [(column, each) for column, each in zip(columns, values, strict=True) if column.type != "rowversion"]
    literals = [_literals(column, each) for column, each in given]
    names = ", ".join(quoted(column.name) for column, _ in given)
    cursor = connection.cursor()
    for statement in insert_statements(f"{quoted(*table)} ({names})", literals):
        cursor.execute(statement)


def _literals(column: SampleColumn, values: Sequence[object]) -> list[str]:
    write = str if column.own else _WRITE.get(column.type.partition("(")[0], str)
    return ["NULL" if value is None else write(value) for value in values]


def _text(value: Any) -> str:
    return "N'" + str(value).replace("'", "''") + "'"


def _time(value: date | datetime) -> str:
    # with a T it is read the same in every language of the session
    return f"'{value.isoformat()}'"


_WRITE: Mapping[str, Callable[[Any], str]] = {
    **dict.fromkeys(("char", "jsonb", "text", "varchar"), _text),
    **dict.fromkeys(("date", "timestamp", "timestamptz"), _time),
    "boolean": lambda value: str(int(value)),
}
