"""Which rows the workload may touch: their keys, kept in memory so that planning a transaction needs no query."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from random import Random
from typing import Any, Generic, LiteralString, TypeVar

import psycopg

K = TypeVar("K", bound=Hashable)

MOST = 20_000
"""Rows of a large table that the workload touches; they lie scattered over the table."""


class Pool(Generic[K]):
    """Keys to choose from, in an order that depends on nothing but the choices made."""

    def __init__(self, keys: Iterable[K]) -> None:
        self.keys = list(keys)
        self._known = set(self.keys)

    def __len__(self) -> int:
        return len(self.keys)

    def __contains__(self, key: K) -> bool:
        return key in self._known

    def pick(self, rng: Random) -> K:
        """A key that stays in the pool."""
        return self.keys[rng.randrange(len(self.keys))]

    def take(self, rng: Random) -> K:
        """A key, removed from the pool."""
        at = rng.randrange(len(self.keys))
        self.keys[at], self.keys[-1] = self.keys[-1], self.keys[at]
        self._known.remove(key := self.keys.pop())
        return key

    def add(self, key: K) -> None:
        """Put a key in."""
        self.keys.append(key)
        self._known.add(key)


@dataclass
class Rows:
    """A table's keys and the next number for a new one."""

    pool: Pool[int]
    next_id: int

    def new(self) -> int:
        """A number that no row has had, put into the pool."""
        self.pool.add(number := self.unused())
        return number

    def unused(self) -> int:
        """A number that no row has had."""
        number = self.next_id
        self.next_id += 1
        return number


NUMBERED = {
    "sales.clients": "id",
    "sales.client_addresses": "id",
    "sales.sales_people": "id",
    "sales.products": "id",
    "sales.sales": "id",
    "hard.Mixed Case": "Id",
    "hard.order": "id",
    "hard.every_type": "id",
    "hard.large_values": "id",
    "hard.evolving": "id",
    "hard.swaps": "id",
}
"""Tables whose key is one number, and its column."""


@dataclass
class Pools:
    """What the workload knows of the database."""

    numbered: dict[str, Rows]
    lines: dict[int, list[int]]
    """Line numbers of the sales in the pool."""
    composite: Pool[tuple[str, str, int]]
    codes: Pool[str]
    evolved: set[str]
    """Columns of hard.evolving with their types, as ``name type``."""

    def __getitem__(self, table: str) -> Rows:
        return self.numbered[table]


def load_pools(connection: psycopg.Connection) -> Pools:
    """Read the keys that the workload may touch; the same for the same database."""
    numbered = {table: _numbered(connection, table, column) for table, column in NUMBERED.items()}
    composite = _rows(connection, "SELECT tenant::text, code, n FROM hard.composite_key ORDER BY 1, 2, 3 LIMIT 5000")
    codes = _rows(connection, "SELECT code FROM hard.text_key ORDER BY 1")
    evolved = _rows(
        connection,
        "SELECT attname || ' ' || format_type(atttypid, atttypmod) FROM pg_attribute"
        " WHERE attrelid = 'hard.evolving'::regclass AND attnum > 0 AND NOT attisdropped",
    )
    lines = connection.execute(
        "SELECT sale_id, array_agg(line_no::int ORDER BY line_no) FROM sales.sales_items"
        " WHERE sale_id = ANY (%s) GROUP BY sale_id",
        [numbered["sales.sales"].pool.keys],
    ).fetchall()
    return Pools(
        numbered,
        {sale: list(numbers) for sale, numbers in lines},
        Pool((tenant, code, n) for tenant, code, n in composite),
        Pool(code for (code,) in codes),
        {column for (column,) in evolved},
    )


def _rows(connection: psycopg.Connection, query: LiteralString) -> list[tuple[Any, ...]]:
    return connection.execute(query).fetchall()


def _numbered(connection: psycopg.Connection, table: str, column: str) -> Rows:
    from_table = ".".join(f'"{part}"' for part in table.split(".", 1))
    keys = connection.execute(f'SELECT "{column}" FROM {from_table} ORDER BY hashint8("{column}"), 1 LIMIT {MOST}')
    row = connection.execute(f'SELECT coalesce(max("{column}"), 0) FROM {from_table}').fetchone()
    assert row is not None
    return Rows(Pool(key for (key,) in keys), row[0] + 1)
