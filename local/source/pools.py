"""Which rows the workload may touch: their keys, kept in memory so that planning a transaction needs no query."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Generic, TypeVar

from local.source.plan import quoted

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
    evolved: dict[str, str]
    """Columns of hard.evolving, with their types."""
    caseless: Pool[str] = field(default_factory=lambda: Pool(()))
    """Keys of hard.caseless_key, where there is one."""

    def __getitem__(self, table: str) -> Rows:
        return self.numbered[table]


Ask = Callable[[str], Sequence[Sequence[Any]]]
"""Answers a query."""


@dataclass(frozen=True)
class Spelling:
    """How an engine writes what the queries need."""

    quote: str
    """Around names."""
    scattered: str
    """A hash of the column ``{}``."""


def load_pools(ask: Ask, spelling: Spelling) -> Pools:
    """Read the keys that the workload may touch; the same for the same database."""
    numbered = {table: _numbered(ask, spelling, table, column) for table, column in NUMBERED.items()}
    composite = ask("SELECT CAST(tenant AS char(36)), code, n FROM hard.composite_key ORDER BY 1, 2, 3 LIMIT 5000")
    evolved = ask(
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = 'hard' AND table_name = 'evolving'"
    )
    lines: dict[int, list[int]] = {}
    chosen = _chosen(spelling, "sales.sales", "id")
    for sale, line in ask(
        f"SELECT sale_id, line_no FROM sales.sales_items JOIN ({chosen}) AS chosen ON id = sale_id ORDER BY 1, 2"
    ):
        lines.setdefault(sale, []).append(line)
    return Pools(
        numbered,
        lines,
        Pool((tenant, code, n) for tenant, code, n in composite),
        Pool(code for (code,) in ask("SELECT code FROM hard.text_key ORDER BY 1")),
        {column: kind for column, kind in evolved},
    )


def _chosen(spelling: Spelling, table: str, column: str) -> str:
    name = spelling.quote + column + spelling.quote
    scattered = spelling.scattered.format(name)
    return f"SELECT {name} FROM {quoted(table, spelling.quote)} ORDER BY {scattered}, {name} LIMIT {MOST}"


def _numbered(ask: Ask, spelling: Spelling, table: str, column: str) -> Rows:
    keys = ask(_chosen(spelling, table, column))
    [(last,)] = ask(
        f"SELECT coalesce(max({spelling.quote}{column}{spelling.quote}), 0) FROM {quoted(table, spelling.quote)}"
    )
    return Rows(Pool(key for (key,) in keys), last + 1)
