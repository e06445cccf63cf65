"""What the sink asks of one table of a database, and of the database itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from catchment.changes.relations import SEQUENCE
from catchment.changes.session import DuckSession
from catchment.landing.names import TableName
from catchment.landing.types import STRING, DeltaType
from catchment.sinks.base import Batch
from catchment.sinks.ledger import Ledger

Columns = Mapping[str, DeltaType]
PRESENT = "~present"
"""The column of staged rows that says whether the row takes the place of one that is there."""

ALREADY_THERE = "there is a table of this name that Catchment has not made; rename or drop it"


@dataclass(frozen=True)
class Known:
    """A table as its record has it; versions count commits from 0 on."""

    version: int
    rows: int
    columns: Columns
    ledger: Ledger


@dataclass(frozen=True)
class Record:
    """What a commit says of itself: after it the table is ``known``; ``forgotten`` are paths of files to leave out."""

    known: Known
    batch: Batch
    forgotten: Sequence[str]


@dataclass(frozen=True)
class Build:
    """A table to be built anew of the rows of ``query`` (DuckDB), which gives the columns ``written``."""

    columns: Columns
    key: Sequence[str]
    query: str
    written: Columns


@dataclass(frozen=True)
class Change:
    """A table to be changed: the columns before and after, and what the staged rows do to it.

    ``new`` has rows to write with all ``written`` columns and PRESENT, ``gone`` the keys (k0 …) of rows to delete.
    They are temporary tables; None where there is nothing of the kind.
    """

    before: Columns
    after: Columns
    key: Sequence[str]
    written: Columns
    new: str | None
    gone: str | None


@dataclass(frozen=True)
class Unheld:
    """Values of a column that the database cannot hold: a condition (DuckDB), in which ``{}`` is the value, and why."""

    column: str
    condition: str
    why: str


class Target(Protocol):
    """One table of a replica. Its steps take part in one connection's work; nobody else writes to it."""

    @property
    def name(self) -> str:
        """The table, quoted."""
        ...

    def joined(self, *, by_token: bool = False) -> str:
        """What joins a staged table with this one, called ``t``, whose rows are looked up by key or by token."""
        ...

    def check(self, columns: Columns, key: Sequence[str]) -> None:
        """Raises SchemaConflict for a column that the database cannot have."""
        ...

    def look(self, known: Known | None) -> Known | None:
        """The table as it is: ``known`` where its version is still that one's, None where there is none."""
        ...

    def stage(self, name: str, query: str, columns: Columns, key: Sequence[str] = ()) -> tuple[str, int]:
        """Send the rows of a DuckDB query to a temporary table of the connection: what it is called, and its rows.

        ``key`` are columns that are compared with those of the table's key.
        """
        ...

    def fetch(self, query: str, columns: Columns, relation: str) -> None:
        """Append the rows of the database's query to a relation of the session."""
        ...

    def shown(self, column: str, kind: DeltaType) -> str:
        """A column (SQL) as ``fetch`` needs it, for the value to come over unchanged."""
        ...

    def replace(
        self, version: int | None, build: Build, record: Callable[[int], Record], before_commit: Callable[[], None]
    ) -> Known:
        """Build the table anew and put it in the place of the present one, with the record of the commit, in one step.

        ``version`` is the present one's; ``record`` is given the new number of rows. Raises LostRace, ReplicaRefused.
        """
        ...

    def change(self, change: Change, record: Record, before_commit: Callable[[], None]) -> None:
        """Change the table, with the record of the commit, in one step. Raises LostRace, ReplicaRefused."""
        ...

    def rename(self, names: Mapping[str, str], record: Record, before_commit: Callable[[], None]) -> None:
        """Give columns new names, with the record of the commit, in one step. Raises LostRace."""
        ...


class Replica(Protocol):
    """A database that keeps replicas of tables; connected to when it is first needed. Not for several threads."""

    def target(self, session: DuckSession, table: TableName, scratch: Path) -> Target:
        """The table of that name; rows go between it and the session, by files in the folder ``scratch``."""
        ...

    def unheld(self, columns: Columns, key: Sequence[str]) -> Sequence[Unheld]:
        """What of these columns' values the database cannot hold."""
        ...

    def close(self) -> None:
        """Close the connection; the next use opens it again."""
        ...


def stored(columns: Columns) -> dict[str, DeltaType]:
    """The source's columns and the sink's own."""
    return {**columns, SEQUENCE: STRING}
