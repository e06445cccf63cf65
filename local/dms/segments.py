"""The parts of a table that is loaded by ranges (``parallel-load`` of a table-settings rule).

AWS DMS User Guide, "Table and collection settings rules", which shows these conditions. A row with NULL in one of the
columns meets none of them, and is not loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from psycopg2 import sql


@dataclass(frozen=True)
class Ranges:
    """Columns, and boundaries with a value for each; a part ends below each boundary, and one takes the rest."""

    columns: tuple[str, ...]
    boundaries: tuple[tuple[str, ...], ...]

    def conditions(self) -> list[sql.Composable]:
        """What holds for the rows of each part."""
        below = [_below(self.columns, boundary) for boundary in self.boundaries]
        first = [below[0]]
        between = [sql.SQL("NOT {} AND {}").format(lower, upper) for lower, upper in pairwise(below)]
        return [*first, *between, sql.SQL("NOT {}").format(below[-1])]


def _below(columns: Sequence[str], boundary: Sequence[str]) -> sql.Composable:
    """``((a < 1) OR (a = 1 AND b < 2))``"""
    either = []
    for count in range(1, len(columns) + 1):
        compared = list(zip(columns[:count], boundary[:count], strict=True))
        equal = [sql.SQL("{} = {}").format(sql.Identifier(name), sql.Literal(value)) for name, value in compared[:-1]]
        name, value = compared[-1]
        less = sql.SQL("{} < {}").format(sql.Identifier(name), sql.Literal(value))
        either.append(sql.SQL("({})").format(sql.SQL(" AND ").join([*equal, less])))
    return sql.SQL("({})").format(sql.SQL(" OR ").join(either))
