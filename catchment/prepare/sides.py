"""Where a source is asked and told: over a connection from here, or by somebody who reaches it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from catchment.engines import engine
from catchment.engines.base import Query
from catchment.engines.readiness import STAND_IN, Finding, Step, Undone, Wanted, WantedTable, take, undo
from catchment.errors import SourceRefused


class Side(Protocol):
    """A source's database, as preparation and preflight need it. Each may raise SourceUnreachable, SourceRefused."""

    def plan(self, wanted: Wanted) -> list[Step]:
        """What is still to be done."""
        ...

    def take(self, wanted: Wanted) -> list[str]:
        """Do what is still to be done; what was done, in words."""
        ...

    def undo(self, statements: Sequence[str]) -> Undone:
        """Take back what was done."""
        ...

    def findings(self, wanted: Wanted) -> list[Finding]:
        """What stands in the way of a task, or will."""
        ...


class Direct:
    """A database that is connected to from here. ``password`` is that of DMS's user, where one is made."""

    def __init__(self, engine_name: str, query: Query, password: str | None = None) -> None:
        knowing = engine(engine_name)
        self._preparation, self._preflight = knowing.preparation, knowing.preflight
        self._query, self._password = _told(query, password), password

    def plan(self, wanted: Wanted) -> list[Step]:
        """What is still to be done."""
        return self._preparation.plan(self._query, wanted)

    def take(self, wanted: Wanted) -> list[str]:
        """Do what is still to be done; what was done, in words. Raises ValueError without the password it takes."""
        return take(self._query, self.plan(wanted), self._password)

    def undo(self, statements: Sequence[str]) -> Undone:
        """Take back what was done."""
        return undo(self._query, statements)

    def findings(self, wanted: Wanted) -> list[Finding]:
        """What stands in the way of a task, or will."""
        return self._preflight.findings(self._query, wanted)

    def every_table(self) -> list[WantedTable]:
        """The tables that it holds besides its own."""
        return self._preflight.every_table(self._query)


def _told(query: Query, password: str | None) -> Query:
    """The same, with an error of the tree where the database refuses; without the password, where there is one."""

    def told(statement: str, parameters: Sequence[object] = (), /) -> Sequence[Sequence[Any]]:
        try:
            return query(statement, parameters)
        except Exception as error:  # each driver has a tree of its own
            shown = statement.replace(password, STAND_IN) if password else statement
            raise SourceRefused(shown, f"{type(error).__name__}: {error}") from None

    return told
