"""The statements that make a replica's tables in MySQL, change them and write their rows."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from catchment.changes.relations import SEQUENCE, both, comma, keys, quote
from catchment.sinks.mysql.catalog import comment
from catchment.sinks.mysql.types import Types, definition
from catchment.sinks.replica.target import PRESENT, Columns, stored


@dataclass(frozen=True)
class Place:
    """Where a table lies."""

    database: str
    table: str

    @property
    def name(self) -> str:
        """The table, quoted."""
        return self._named(self.table)

    @property
    def beside(self) -> str:
        """The name under which the table is built anew; it fits whatever the table is called."""
        return self._named(f"catchment new {self._mark}")

    @property
    def former(self) -> str:
        """The name that the table has between losing its place and being dropped."""
        return self._named(f"catchment old {self._mark}")

    @property
    def lock(self) -> str:
        """The server's lock that commits to the table are made under."""
        return f"catchment {hashlib.sha256(self.name.encode()).hexdigest()[:48]}"

    def temporary(self, name: str) -> str:
        """A temporary table of a connection."""
        return self._named(f"catchment_{name}")

    @property
    def _mark(self) -> str:
        return hashlib.sha256(self.table.encode()).hexdigest()[:16]

    def _named(self, name: str) -> str:
        return f"{quote(self.database)}.{quote(name)}"


def create(name: str, identity: str, types: Types, columns: Columns, key: Sequence[str]) -> str:
    """Make a table; its rows are found by key, or by token where there is none."""
    found = f"PRIMARY KEY ({comma(map(quote, key))})" if key else f"KEY ({quote(SEQUENCE)})"
    defined = definition(types.definitions(stored(columns), key))
    return (
        f"CREATE TABLE {name} ({comma([*defined, found])}) ENGINE=InnoDB ROW_FORMAT=DYNAMIC "
        f"DEFAULT CHARSET=utf8mb4 COLLATE={types.collation} COMMENT='{comment(identity)}'"
    )


def alter(
    name: str, types: Types, before: Columns, after: Columns, key: Sequence[str], there: Collection[str]
) -> str | None:
    """Add new columns and widen those whose type is another; ``there`` are the columns that the table has.

    An earlier attempt may have altered the table and not come to its end: what it added has no value yet.
    """
    kinds = types.definitions(stored(after), key)
    changes = []
    for column, kind in after.items():
        if column.casefold() not in there:
            changes.append(f"ADD COLUMN {quote(column)} {kinds[column]}")
        elif column not in before or before[column] != kind:
            changes.append(f"MODIFY COLUMN {quote(column)} {kinds[column]}{' NOT NULL' if column in key else ''}")
    return f"ALTER TABLE {name} {comma(changes)}" if changes else None


def looked_up(name: str, *, by_token: bool = False) -> str:
    """Join the table as ``t``, row by row by its index, whatever the server believes of its length.

    It may not have counted a table since it was loaded, and then reads the whole of it for each row.
    """
    index = quote(SEQUENCE) if by_token else "PRIMARY"
    return f"STRAIGHT_JOIN {name} t FORCE INDEX ({index})"


def delete(name: str, gone: str, key: Sequence[str]) -> str:
    """Delete the rows whose keys are in the table ``gone``."""
    same = both(keys(len(key), "g"), [f"t.{quote(column)}" for column in key])
    return f"DELETE t FROM {gone} g {looked_up(name)} ON {same}"


def update(name: str, rows: str, columns: Collection[str], key: Sequence[str]) -> str:
    """Write the rows of the table ``rows`` that take the place of one with the same key."""
    same = both([f"n.{quote(column)}" for column in key], [f"t.{quote(column)}" for column in key])
    assigned = comma(f"t.{quote(column)} = n.{quote(column)}" for column in columns if column not in key)
    return f"UPDATE {rows} n {looked_up(name)} ON {same} SET {assigned} WHERE n.{quote(PRESENT)} = 1"


def insert(name: str, rows: str, columns: Collection[str]) -> str:
    """Write the others."""
    named = comma(quote(column) for column in columns)
    return f"INSERT INTO {name} ({named}) SELECT {named} FROM {rows} WHERE {quote(PRESENT)} = 0"


def copy(name: str, source: str, columns: Collection[str], names: Mapping[str, str]) -> str:
    """Write all rows of the table ``source``; ``names`` lead from its columns' names to new ones."""
    taken = comma(quote(column) for column in columns)
    named = comma(quote(names.get(column, column)) for column in columns)
    return f"INSERT INTO {name} ({named}) SELECT {taken} FROM {source}"
