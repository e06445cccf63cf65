"""How the rows of a source are read for a comparison: what every engine answers to that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from catchment.engines.dms_types import DmsType
from catchment.engines.statements import Query
from catchment.landing.types import DeltaType


@dataclass(frozen=True)
class SourceColumn:
    """A column of the source: its name, its (base) type as the engine declares it, and what DMS makes of it."""

    name: str
    declared: str
    type: DmsType

    @property
    def delta(self) -> DeltaType:
        """The type in which the lake gets it."""
        return DeltaType.parse(self.type.delta)


@dataclass(frozen=True)
class Moment:
    """A source as it is at one moment: every query sees the same."""

    query: Query
    write_lines: Callable[[str, Callable[[bytes], object]], None]
    """Hands the rows of a statement of ``lines`` on, each with its line feed."""


class Reconciliation(Protocol):
    """A module with these names. Columns are those of ``columns``, schema and table as the source spells them."""

    def one_moment(self, connection: Any, /) -> AbstractContextManager[Moment]:
        """The database behind a connection of ``connect`` as it is now."""
        ...

    def columns(self, query: Query, schema: str, table: str, /) -> list[SourceColumn]:
        """The table's columns in their order, those that are not replicated left out; none where there is no table.

        Raises TypeRefused for a column that DMS does not carry.
        """
        ...

    def quote(self, name: str, /) -> str:
        """A name as SQL."""
        ...

    def lines(self, schema: str, table: str, columns: Sequence[SourceColumn], /) -> str:
        """A statement that gives each row as a line of PostgreSQL's COPY text: ``1``, then the columns, by tabs.

        Values are in the form in which DMS delivers them, bytes as ``\\x`` and hexadecimal digits.
        """
        ...

    def narrowed(self, column: SourceColumn, /) -> str | None:
        """An SQL condition that holds where DMS delivers less than the source has; None where it never does."""
        ...

    def fingerprint(self, schema: str, table: str, columns: Sequence[SourceColumn], /) -> str:
        """A query of one row: how many rows there are, and the sum of a hash of each row over these columns.

        Neither depends on the order of rows; a row that is there twice counts twice.
        """
        ...

    def set_fence(self, query: Query, /) -> str:
        """A position in the log of changes behind all that is committed by now, as the engine spells it."""
        ...

    def order(self, position: str, /) -> tuple[int, ...]:
        """What orders the positions of one log."""
        ...
