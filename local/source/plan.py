"""A transaction before it runs: its statements, and what it does to which table once it is committed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any


class Change(StrEnum):
    """What happens to a row. An update that changes the key is a key change and not counted as an update."""

    INSERT = "inserts"
    UPDATE = "updates"
    DELETE = "deletes"
    KEY_CHANGE = "key_changes"


@dataclass(frozen=True)
class Statement:
    """A statement, its parameters, and how many rows it has to touch (None: it touches none)."""

    query: str
    parameters: Sequence[Any] = ()
    rows: int | None = None


@dataclass
class Plan:
    """A transaction. Tables are named ``schema.table``, keys and values are given by column name.

    ``quote`` is what the engine puts around names.

    Example: ``plan.update("sales.products", {"id": 7}, {"price": Decimal("9.90")})``
    """

    statements: list[Statement] = field(default_factory=list)
    changes: Counter[tuple[str, Change]] = field(default_factory=Counter)
    commits: bool = True
    quote: str = '"'

    def insert(self, table: str, row: Mapping[str, Any]) -> None:
        """Insert a row."""
        self._do(table, Change.INSERT, _insert(self.quote, table, tuple(row)), list(row.values()))

    def update(self, table: str, key: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        """Update the row of a key; a key change where ``values`` gives the key another value."""
        moved = any(name in values and values[name] != old for name, old in key.items())
        query = _update(self.quote, table, tuple(values), tuple(key))
        self._do(table, Change.KEY_CHANGE if moved else Change.UPDATE, query, [*values.values(), *key.values()])

    def delete(self, table: str, key: Mapping[str, Any]) -> None:
        """Delete the row of a key."""
        self._do(table, Change.DELETE, _delete(self.quote, table, tuple(key)), list(key.values()))

    def run(self, table: str, change: Change, rows: int, query: str, parameters: Sequence[Any] = ()) -> None:
        """A statement of its own making that changes ``rows`` rows."""
        self.statements.append(Statement(query, parameters, rows))
        self.changes[table, change] += rows

    def define(self, query: str) -> None:
        """A statement that changes a table's definition."""
        self.statements.append(Statement(query))

    @contextmanager
    def undone(self) -> Iterator[None]:
        """What is planned inside is rolled back to a savepoint."""
        before = self.changes.copy()
        self.statements.append(Statement("SAVEPOINT undone"))
        yield
        self.statements.append(Statement("ROLLBACK TO SAVEPOINT undone"))
        self.changes = before

    @property
    def rows(self) -> int:
        """How many row changes it commits."""
        return sum(self.changes.values()) if self.commits else 0

    def _do(self, table: str, change: Change, query: str, parameters: list[Any]) -> None:
        self.run(table, change, 1, query, parameters)

    def quoted(self, table: str) -> str:
        """``schema.table`` as SQL."""
        return quoted(table, self.quote)


def quoted(table: str, quote: str) -> str:
    """``schema.table`` as SQL."""
    return ".".join(_name(quote, part) for part in table.split(".", 1))


def _name(quote: str, name: str) -> str:
    return quote + name.replace(quote, quote * 2) + quote


def _equals(quote: str, names: tuple[str, ...], separator: str) -> str:
    return separator.join(f"{_name(quote, name)} = %s" for name in names)


@lru_cache
def _insert(quote: str, table: str, columns: tuple[str, ...]) -> str:
    names, values = ", ".join(_name(quote, column) for column in columns), ", ".join(["%s"] * len(columns))
    return f"INSERT INTO {quoted(table, quote)} ({names}) VALUES ({values})"


@lru_cache
def _update(quote: str, table: str, columns: tuple[str, ...], key: tuple[str, ...]) -> str:
    return f"UPDATE {quoted(table, quote)} SET {_equals(quote, columns, ', ')} WHERE {_equals(quote, key, ' AND ')}"


@lru_cache
def _delete(quote: str, table: str, key: tuple[str, ...]) -> str:
    return f"DELETE FROM {quoted(table, quote)} WHERE {_equals(quote, key, ' AND ')}"
