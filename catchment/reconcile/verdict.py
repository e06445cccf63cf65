"""What a comparison of a source table with its lake table found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Finding(StrEnum):
    """In which way the two sides differ."""

    MISSING = "missing"
    """The source has a row of this key, the lake has none."""
    EXTRA = "extra"
    """The lake has a row of this key that the source does not have, or has it once more."""
    DIFFERENT = "different"
    """Both have the row; the named column's values differ."""


@dataclass(frozen=True)
class Difference:
    """One finding. ``key`` is the row's key by column name (a keyless table's whole row); values are shown as text.

    ``column``, ``source`` and ``lake`` are set for DIFFERENT only; a value of None is NULL.
    """

    finding: Finding
    key: dict[str, str | None]
    column: str | None = None
    source: str | None = None
    lake: str | None = None


@dataclass(frozen=True)
class Narrowing:
    """Source values that DMS cannot deliver as they are. They are compared in the form DMS gives them."""

    column: str
    how: str
    rows: int


@dataclass(frozen=True)
class TableVerdict:
    """The outcome for one table.

    ``missing``, ``extra`` and ``different`` count rows, all of them; ``differences`` lists the first ones, in key
    order. ``only_source`` and ``only_lake`` are columns one side lacks: the source's are compared with NULL, the
    lake's (dropped at the source) are not compared.
    """

    table: str
    rows_source: int
    rows_lake: int
    missing: int
    extra: int
    different: int
    differences: tuple[Difference, ...] = ()
    narrowed: tuple[Narrowing, ...] = ()
    only_source: tuple[str, ...] = ()
    only_lake: tuple[str, ...] = ()

    @property
    def equal(self) -> bool:
        """Whether the lake holds exactly what the source holds, as far as DMS can deliver it."""
        return not (self.missing or self.extra or self.different)
