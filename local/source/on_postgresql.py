"""The sales database with its hard cases in a real PostgreSQL: filled by SQL, changed through a pipeline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from local.source import hard_work, sales, sales_work
from local.source.database import Work, WorkloadFailed
from local.source.plan import Plan
from local.source.pools import Pools, Spelling, load_pools

WORK = Work(
    kinds={**sales_work.WORK, **hard_work.WORK},
    definitions={60: hard_work.add_column, 120: hard_work.widen_columns},
    truncation=hard_work.refill,
    truncated=hard_work.ORDER,
)


@dataclass(frozen=True)
class PostgresDatabase:
    """The database that ``dsn`` reaches."""

    dsn: str
    work: Work = WORK

    def seed(self, rows: int, seed: int) -> dict[str, int]:
        """Create the schema and about ``rows`` rows in the empty database; the rows made per ``schema.table``."""
        return sales.seed(self.dsn, rows, seed)

    @contextmanager
    def session(self) -> Iterator[PostgresSession]:
        """Connect for the workload."""
        with psycopg.connect(self.dsn) as connection:
            yield PostgresSession(connection)


class PostgresSession:
    """Sends a transaction's statements together."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def pools(self) -> Pools:
        """The keys that the workload may touch."""
        pools = load_pools(self._ask, Spelling('"', "hashint8({})"))
        self._connection.commit()
        return pools

    def _ask(self, query: str) -> Sequence[Sequence[Any]]:
        return self._connection.execute(query.encode()).fetchall()

    def plan(self) -> Plan:
        """A transaction in which nothing is planned yet."""
        return Plan()

    def execute(self, plan: Plan) -> None:
        """Run the transaction, to its commit or rollback. Raises WorkloadFailed, psycopg.Error."""
        with self._connection.pipeline():
            cursors = [self._connection.execute(statement.query, statement.parameters) for statement in plan.statements]
            if plan.commits:
                self._connection.commit()
            else:
                self._connection.rollback()
        for statement, cursor in zip(plan.statements, cursors, strict=True):
            if statement.rows is not None and cursor.rowcount != statement.rows:
                raise WorkloadFailed(statement.query, statement.rows, cursor.rowcount)
