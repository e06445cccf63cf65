"""The parts of a table that is loaded by ranges (``parallel-load`` of a table-settings rule).

AWS DMS User Guide, "Table and collection settings rules", which shows these conditions. A row with NULL in one of the
columns meets none of them, and is not loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

Spell = Callable[[str], str]


@dataclass(frozen=True)
class Ranges:
    """Columns, and boundaries with a value for each; a part ends below each boundary, and one takes the rest."""

    columns: tuple[str, ...]
    boundaries: tuple[tuple[str, ...], ...]

    @property
    def parts(self) -> int:
        """How many they are."""
        return len(self.boundaries) + 1

    def conditions(self, name: Spell, value: Spell) -> list[str]:
        """What holds for the rows of each part; ``name`` and ``value`` spell a column and a literal in SQL."""
        below = [_below(self.columns, boundary, name, value) for boundary in self.boundaries]
        between = [f"NOT {lower} AND {upper}" for lower, upper in pairwise(below)]
        return [below[0], *between, f"NOT {below[-1]}"]


def _below(columns: Sequence[str], boundary: Sequence[str], name: Spell, value: Spell) -> str:
    """``((a < 1) OR (a = 1 AND b < 2))``"""
    either = []
    for count in range(1, len(columns) + 1):
        compared = list(zip(columns[:count], boundary[:count], strict=True))
        equal = [f"{name(column)} = {value(limit)}" for column, limit in compared[:-1]]
        column, limit = compared[-1]
        either.append(f"({' AND '.join([*equal, f'{name(column)} < {value(limit)}'])})")
    return f"({' OR '.join(either)})"
