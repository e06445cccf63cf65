"""A source database as a run sees it, of whichever engine: filled, changed, compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from local.source.plan import Plan
from local.source.pools import Pools

Kind = Callable[[Plan, Random, Pools], None]
"""Plans one transaction of a kind."""


class WorkloadFailed(RuntimeError):
    """A statement touched other rows than planned: the database is not the one the workload knows."""

    def __init__(self, query: str, expected: int, touched: int) -> None:
        super().__init__(query, expected, touched)
        self.query, self.expected, self.touched = query, expected, touched

    def __str__(self) -> str:
        return f"touched {self.touched} rows instead of {self.expected}: {self.query}"


@dataclass(frozen=True)
class Work:
    """What is done to a database while it is replicated."""

    kinds: Mapping[Kind, int]
    """The kinds of transactions, and how often each comes compared with the others."""
    definitions: Mapping[int, Kind] = field(default_factory=dict)
    """The transactions, by their number, that change a table's definition."""
    truncation: Kind | None = None
    """A transaction that truncates ``truncated`` (``schema.table``), of which the change files know nothing."""
    truncated: str | None = None


class Session(Protocol):
    """A connection through which the workload changes the database."""

    def pools(self) -> Pools:
        """The keys that the workload may touch; the same for the same database."""
        ...

    def plan(self) -> Plan:
        """A transaction in which nothing is planned yet."""
        ...

    def execute(self, plan: Plan) -> None:
        """Run the transaction, to its commit or rollback. Raises WorkloadFailed, and the driver's errors."""
        ...


class SourceDatabase(Protocol):
    """A database that a run may fill and change."""

    @property
    def work(self) -> Work:
        """What is done to it."""
        ...

    def seed(self, rows: int, seed: int) -> dict[str, int]:
        """Create the schema and about ``rows`` rows in the empty database; the rows made per ``schema.table``."""
        ...

    def session(self) -> AbstractContextManager[Session]:
        """Connect for the workload."""
        ...
