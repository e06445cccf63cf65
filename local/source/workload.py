"""The live workload: real transactions against a source database, at a given rate, the same for the same seed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from threading import Event

from local.source.database import Session, SourceDatabase
from local.source.plan import Change, Plan

DEFAULT_RATE = 2_000
PROGRESS_SECONDS = 0.25
TRUNCATION = 240
"""The number of the transaction that truncates a table, where one does."""


@dataclass
class WorkDone:
    """What the workload has done so far. Only committed work counts as changes."""

    transactions: int = 0
    rolled_back: int = 0
    changes: Counter[tuple[str, Change]] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def rows(self) -> int:
        """Row changes committed."""
        return self.changes.total()

    def by_table(self) -> dict[str, dict[str, int]]:
        """Committed changes per ``schema.table``: inserts, updates, deletes, key_changes."""
        tables = sorted({table for table, _ in self.changes})
        return {table: {str(change): self.changes[table, change] for change in Change} for table in tables}


class Workload:
    """Transactions at ``rate`` row changes a second, for ``seconds`` or until ``transactions`` have run.

    ``truncates``: one of them is a TRUNCATE, of which the change files of a replication task know nothing.

    Example: ``Workload(database, rate=2000, seconds=20, seed=1).run(stop, print).by_table()``
    """

    def __init__(
        self,
        database: SourceDatabase,
        *,
        rate: float = DEFAULT_RATE,
        seconds: float | None = None,
        transactions: int | None = None,
        seed: int = 1,
        truncates: bool = False,
    ) -> None:
        if seconds is None and transactions is None:
            raise ValueError("a workload ends after seconds, after transactions, or whichever comes first")
        if rate <= 0:
            raise ValueError(f"rate: {rate} row changes a second; it has to be more than 0")
        self.database = database
        self.rate = rate
        self.seconds = seconds
        self.transactions = transactions
        self.seed = seed
        self.definitions = dict(database.work.definitions)
        if truncates and database.work.truncation is not None:
            self.definitions[TRUNCATION] = database.work.truncation

    def run(self, stop: Event, on_progress: Callable[[WorkDone], None] = lambda done: None) -> WorkDone:
        """Run until the end or until ``stop`` is set; ``on_progress`` is called a few times a second.

        Raises WorkloadFailed, and the driver's errors when the database fails.
        """
        done = WorkDone()
        with self.database.session() as session:
            started = reported = time.monotonic()
            for kind, plan in self._plans(session):
                now = time.monotonic()
                done.seconds = now - started
                if now - reported >= PROGRESS_SECONDS:
                    on_progress(done)
                    reported = now
                if self._is_over(done) or stop.wait(self._ahead(done)):
                    break
                session.execute(plan)
                _count(done, kind, plan)
        on_progress(done)
        return done

    def _plans(self, session: Session) -> Iterator[tuple[str, Plan]]:
        """All transactions: first one of each kind, then as the weights say. They depend on the seed alone."""
        rng, pools = Random(self.seed), session.pools()  # noqa: S311
        kinds, weights = list(self.database.work.kinds), list(self.database.work.kinds.values())
        number = 0
        while True:
            chosen = self.definitions.get(number) or (
                kinds[number] if number < len(kinds) else rng.choices(kinds, weights)[0]
            )
            plan = session.plan()
            chosen(plan, rng, pools)
            number += 1
            yield chosen.__name__, plan

    def _ahead(self, done: WorkDone) -> float:
        """How many seconds it is ahead of its rate."""
        return max(0.0, done.rows / self.rate - done.seconds)

    def _is_over(self, done: WorkDone) -> bool:
        enough = self.transactions is not None and done.transactions + done.rolled_back >= self.transactions
        # what is ahead of its rate has nothing left to do in its time
        return enough or (self.seconds is not None and done.seconds + self._ahead(done) >= self.seconds)


def _count(done: WorkDone, kind: str, plan: Plan) -> None:
    done.kinds[kind] += 1
    if plan.commits:
        done.transactions += 1
        done.changes.update(plan.changes)
    else:
        done.rolled_back += 1
