"""Sample tables on MySQL and MariaDB: rows are written by statements of many rows each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from catchment.engines.base import Query, SampleColumn, Table
from catchment.engines.insertion import insert_statements
from catchment.engines.mysql import zoo

__all__ = ["begin", "declared", "insert", "maker", "open_schema", "quoted", "zoo"]

maker = None
begin = "START TRANSACTION"

SESSION = (
    "SET SESSION time_zone = '+00:00'",
    # values are refused rather than bent, a backslash escapes, and zero dates may be written
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES'",
)

_TYPES = {
    "boolean": "tinyint(1)",
    "double precision": "double",
    "integer": "int",
    "jsonb": "json",
    "numeric": "decimal",
    "real": "float",
    "timestamp": "datetime(6)",
    "timestamptz": "timestamp(6)",
    **{name: name for name in ("bigint", "char", "date", "smallint", "text", "varchar")},
}


def open_schema(query: Query, schema: str) -> None:
    """Make the schema, which is a database, where it is not there, and have the session write what is meant."""
    for statement in SESSION:
        query(statement)
    query(f"CREATE DATABASE IF NOT EXISTS {quoted(schema)} CHARACTER SET utf8mb4")


def quoted(*names: str) -> str:
    """A name, or a schema and a name, as SQL."""
    return ".".join("`" + name.replace("`", "``") + "`" for name in names)


def declared(standard: str) -> str:
    """A column's type in MySQL's words."""
    name, bracket, rest = standard.partition("(")
    return _TYPES[name] + bracket + rest


def insert(connection: Any, table: Table, columns: Sequence[SampleColumn], values: Sequence[Sequence[object]]) -> None:
    """Write rows."""
    literals = [_literals(column, each) for column, each in zip(columns, values, strict=True)]
    names = ", ".join(quoted(column.name) for column in columns)
    cursor = connection.cursor()
    for statement in insert_statements(f"{quoted(*table)} ({names})", literals):
        cursor.execute(statement)


def _literals(column: SampleColumn, values: Sequence[object]) -> list[str]:
    write = str if column.own else _WRITE.get(column.type.partition("(")[0], str)
    return ["NULL" if value is None else write(value) for value in values]


def _text(value: Any) -> str:
    return "'" + str(value).replace("\\", "\\\\").replace("'", "''") + "'"


def _time(value: datetime) -> str:
    # an instant is UTC, as the session is
    return f"'{value.replace(tzinfo=None)}'"


_WRITE: Mapping[str, Callable[[Any], str]] = {
    **dict.fromkeys(("char", "date", "jsonb", "text", "varchar"), _text),
    **dict.fromkeys(("timestamp", "timestamptz"), _time),
    "boolean": lambda value: str(int(value)),
}
