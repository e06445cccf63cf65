"""The statements that make a replica's tables, change them and write their rows."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence

from catchment.changes.relations import SEQUENCE, comma, quote
from catchment.sinks.postgresql.types import column_type, definition
from catchment.sinks.replica.target import Columns, stored


def target(schema: str, table: str) -> str:
    """The table, quoted."""
    return f"{quote(schema)}.{quote(table)}"


def beside(schema: str, table: str) -> str:
    """The name under which the table is built anew; it fits whatever the table is called."""
    return target(schema, f"catchment {hashlib.sha256(table.encode()).hexdigest()[:16]}")


def create(schema: str, name: str, columns: Columns) -> Iterator[str]:
    """Make a table; what finds its rows comes once they are there (``index``)."""
    yield f"CREATE SCHEMA IF NOT EXISTS {quote(schema)}"
    yield f"CREATE TABLE {name} ({comma(definition(stored(columns)))})"


def index(name: str, key: Sequence[str]) -> str:
    """What finds rows: by key, or by token where there is none."""
    if key:
        return f"ALTER TABLE {name} ADD PRIMARY KEY ({comma(quote(column) for column in key)})"
    return f"CREATE INDEX ON {name} ({quote(SEQUENCE)})"


def alter(name: str, before: Columns, after: Columns) -> Iterator[str]:
    """Add the new columns and widen those whose type is another; one statement, so that rows are written once."""
    changes = [f"ADD COLUMN {quote(column)} {column_type(after[column])}" for column in after if column not in before]
    changes += [
        f"ALTER COLUMN {quote(column)} TYPE {column_type(kind)}"
        for column, kind in after.items()
        if column in before and before[column] != kind
    ]
    if changes:
        yield f"ALTER TABLE {name} {comma(changes)}"


def upsert(name: str, rows: str, columns: Collection[str], key: Sequence[str]) -> str:
    """Write the rows of the table ``rows``; with a ``key``, in the place of those that have the same one."""
    named = comma(quote(column) for column in columns)
    insert = f"INSERT INTO {name} ({named}) SELECT {named} FROM {rows}"
    if not key:
        return insert
    assigned = comma(f"{quote(column)} = EXCLUDED.{quote(column)}" for column in columns if column not in key)
    return f"{insert} ON CONFLICT ({comma(quote(column) for column in key)}) DO UPDATE SET {assigned}"


def replace(schema: str, table: str) -> Iterator[str]:
    """Put the table that was built beside it in the place of a table."""
    yield f"DROP TABLE IF EXISTS {target(schema, table)}"
    yield f"ALTER TABLE {beside(schema, table)} RENAME TO {quote(table)}"


def rename(name: str, names: Mapping[str, str]) -> Iterator[str]:
    """Rename columns at once: a name that one takes may be that of another."""
    passing = {former: f"catchment {i}" for i, former in enumerate(names)}
    for former, between in passing.items():
        yield f"ALTER TABLE {name} RENAME COLUMN {quote(former)} TO {quote(between)}"
    for former, between in passing.items():
        yield f"ALTER TABLE {name} RENAME COLUMN {quote(between)} TO {quote(names[former])}"
