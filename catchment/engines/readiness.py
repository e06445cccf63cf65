"""What a source has to be before a task reads it: what is wanted, what is missing, and the steps that put it right.

An engine's ``preparation.plan`` says what is still to be done, as steps; ``take`` does them, ``undo`` takes them back.
Its ``preflight.findings`` says what stands in the way of a task, or will; a finding that ``blocks`` keeps it from
starting. Both look by a ``Query`` and change nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Protocol

from catchment.engines.base import Query

STAND_IN = "<password>"
"""Stands for the password of DMS's user in a step's statements, which are shown and kept."""
QUOTES = "'\"\\"
"""What would end a password inside a statement."""


class Level(StrEnum):
    """How bad a finding is."""

    BLOCKS = "blocks"
    """A task would fail, or lose changes: it is not started."""
    WARNS = "warns"
    """A task runs, and somebody should know."""


@dataclass(frozen=True, kw_only=True)
class WantedTable:
    """A table that is replicated. Names are spelt as in the source."""

    schema: str
    name: str
    key: Sequence[str] = ()
    lob_max_kb: int | None = None
    """Overrides ``Wanted.lob_max_kb``."""
    full_rows: bool | None = None
    """Whether changes carry the whole old row. None: where the table holds values that are stored out of line."""

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a source is wanted for."""

    tables: Sequence[WantedTable]
    lob_max_kb: int
    outage_hours: int
    """The log has to reach back over so long a stop of the task."""
    user: str | None = None
    """DMS's user, made where it is missing. None: the user that asks, whose rights are looked at and left alone."""
    follows: bool = True
    """Whether changes are read from the log, or tables loaded only."""
    encrypted: bool = True
    """Whether a connection without encryption is one too many."""
    dms_version: str | None = None
    log_reader: str | None = None
    """Of the engine's ``log_readers``."""
    storage_bytes: int | None = None
    """The size of the database's disk; None where nobody has said it."""
    slot: str | None = None
    """PostgreSQL: a slot made beforehand."""
    open_seconds: int = 600
    """How long a transaction may be open. DMS waits so long for those that are (TransactionConsistencyTimeout)."""

    def lob_bytes(self, table: WantedTable) -> int:
        """How large a value of a table may be."""
        return (table.lob_max_kb or self.lob_max_kb) * 1024

    def to_json(self) -> dict[str, Any]:
        """As ``from_json`` takes it."""
        return asdict(self)

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Wanted:
        """From what ``to_json`` gave."""
        return cls(**{**said, "tables": [WantedTable(**table) for table in said["tables"]]})


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing that preparation does. ``sql`` and ``undo`` are statements in order; no undo: nothing is left of it."""

    what: str
    why: str
    sql: Sequence[str]
    undo: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something about a source that stands in the way of a task, or will."""

    check: str
    """The name it has in the documentation."""
    level: Level
    what: str
    why: str
    sql: Sequence[str] = ()
    """The statements that mend it, if any do."""
    setting: str = ""
    """What else mends it, in words."""

    @property
    def fix(self) -> str:
        """What mends it, statements or words."""
        return "\n".join([*(f"{statement};" for statement in self.sql), *([self.setting] if self.setting else [])])

    def __str__(self) -> str:
        return f"{self.check}: {self.what}"


class Preparation(Protocol):
    """A module with this name."""

    def plan(self, query: Query, wanted: Wanted, /) -> list[Step]:
        """What is still to be done, in order; nothing where all is as wanted."""
        ...


class Preflight(Protocol):
    """A module with these names."""

    def findings(self, query: Query, wanted: Wanted, /) -> list[Finding]:
        """What stands in the way of a task, or will."""
        ...

    def every_table(self, query: Query, /) -> list[WantedTable]:
        """The tables that a database holds besides its own, with their keys."""
        ...


def take(query: Query, steps: Sequence[Step], password: str | None = None) -> list[str]:
    """Do the steps; what was done, in words. ``password`` is that of DMS's user, where one is made.

    Raises ValueError where it is missing or holds a quote or a backslash; the driver's errors.
    """
    done = []
    for step in steps:
        for statement in step.sql:
            query(_with_password(statement, password))
        done.append(step.what)
    return done


def _with_password(statement: str, password: str | None) -> str:
    if STAND_IN not in statement:
        return statement
    if not password or any(letter in password for letter in QUOTES):
        raise ValueError("the password of DMS's user: needed, without quotes and backslashes")
    return statement.replace(STAND_IN, password)


@dataclass(frozen=True)
class Undone:
    """What was taken back, and which statements the database did not take, with its reasons."""

    done: Sequence[str]
    failed: Mapping[str, str]


def undo(query: Query, statements: Sequence[str]) -> Undone:
    """Run what ``undo_of`` gave. What has gone in the meantime does not keep the rest from being taken back."""
    done, failed = list[str](), dict[str, str]()
    for statement in statements:
        try:
            query(statement)
        except Exception as error:  # each driver has a tree of its own
            failed[statement] = str(getattr(error, "why", error))
        else:
            done.append(statement)
    return Undone(done, failed)


def undo_of(steps: Sequence[Step], before: Sequence[str] = ()) -> list[str]:
    """The statements that take steps back, the last step first; ``before`` is what earlier steps already want."""
    new = [statement for step in reversed(steps) for statement in step.undo if statement not in before]
    return [*new, *before]
