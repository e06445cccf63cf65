"""How far the full load of a table is: what whoever loads it can tell."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from catchment.landing.names import TableName


@dataclass(frozen=True)
class LoadState:
    """A table's newest full load.

    ``complete``: all its files lie in the landing zone. ``started`` is when it began to read, None before it does;
    ``rows`` how many rows it has written; ``error`` why it went no further, empty where it did not fail.
    """

    complete: bool
    started: datetime | None
    rows: int
    error: str = ""

    def __str__(self) -> str:
        if self.error:
            return f"the load failed: {self.error}"
        if self.started is None:
            return "the load has not begun"
        return f"{'loaded' if self.complete else 'loading'}, {self.rows:,} rows"


class LoadStates(Protocol):
    """Knows the loads of a source's tables."""

    def state(self, table: TableName) -> LoadState | None:
        """The table's newest load; None where nobody loads it who could be asked. Raises Transient."""
        ...


class UnwatchedLoads:
    """Files of which nobody says when they are complete: those that lie there are the load."""

    def state(self, table: TableName) -> LoadState | None:
        """Nothing is known of any table."""
        return None
