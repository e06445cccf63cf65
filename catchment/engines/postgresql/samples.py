"""Sample tables on PostgreSQL: rows are written by COPY, in its text format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from catchment.engines.base import Query, SampleColumn, Table
from catchment.engines.postgresql import zoo

__all__ = ["begin", "declared", "insert", "maker", "open_schema", "quoted", "zoo"]

maker = None
begin = "BEGIN"

NULL = r"\N"


def open_schema(query: Query, schema: str) -> None:
    """Make the schema where it is not there."""
    query(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")


def quoted(*names: str) -> str:
    """A name, or a schema and a name, as SQL."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def declared(standard: str) -> str:
    """The types of sample tables are PostgreSQL's."""
    return standard


def insert(connection: Any, table: Table, columns: Sequence[SampleColumn], values: Sequence[Sequence[object]]) -> None:
    """Write rows."""
    texts = [_texts(column, each) for column, each in zip(columns, values, strict=True)]
    body = "\n".join(map("\t".join, zip(*texts, strict=True))) + "\n"
    names = ", ".join(quoted(column.name) for column in columns)
    connection.cursor().execute(f"COPY {quoted(*table)} ({names}) FROM STDIN", stream=[body.encode()])


def _texts(column: SampleColumn, values: Sequence[object]) -> list[str]:
    write = _escaped if column.own else _WRITE.get(column.type.partition("(")[0], str)
    return [NULL if value is None else write(value) for value in values]


def _escaped(value: Any) -> str:
    text = str(value)
    for character, escape in (("\\", r"\\"), ("\n", r"\n"), ("\r", r"\r"), ("\t", r"\t")):
        if character in text:
            text = text.replace(character, escape)
    return text


_WRITE: Mapping[str, Callable[[Any], str]] = dict.fromkeys(("char", "jsonb", "text", "varchar"), _escaped)
