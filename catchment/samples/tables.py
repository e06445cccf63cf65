"""Sample systems: their tables, how many rows each has, and the rows themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil

from catchment.samples.columns import FEWEST, Column

BATCH_ROWS = 10_000
"""Rows that are made at a time, and written in one transaction."""

Rows = Sequence[Sequence[object]]
"""Values column by column."""


@dataclass(frozen=True)
class SampleTable:
    """A table of a sample system: ``share`` is its part of all rows, unless it always has the same ``rows``."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    share: float
    rows: int | None = None

    def batches(self, seed: int, first: int, last: int) -> Iterator[tuple[range, Rows]]:
        """Rows ``first`` to ``last``, both included and counted from 1, a batch at a time."""
        if first > last:
            return
        begin = (first - 1) // BATCH_ROWS * BATCH_ROWS + 1
        for start, stop in pairwise([*range(begin, last + 1, BATCH_ROWS), last + 1]):
            numbers = range(start, stop)
            skipped = max(0, first - start)
            made = (column.make(f"{seed}/{self.name}/{column.name}/{start}", numbers) for column in self.columns)
            yield numbers[skipped:], [values[skipped:] for values in made]


@dataclass(frozen=True)
class SampleSystem:
    """Tables in a schema. With more rows it has all the rows that it has with fewer, and more."""

    schema: str
    tables: tuple[SampleTable, ...]
    default_rows: int
    setup: Sequence[str] = ()
    """Statements that the tables need, each harmless a second time."""

    @property
    def keys(self) -> Mapping[str, tuple[str, ...]]:
        """The key of each table, by ``schema.table``."""
        return {f"{self.schema}.{table.name}": table.key for table in self.tables}

    def row_counts(self, rows: int) -> Mapping[str, int]:
        """Rows of each table for about ``rows`` rows in all."""
        # Not rounded: a child's last row would have a parent that is not there.
        return {
            table.name: max(FEWEST, ceil(rows * table.share)) if table.rows is None else table.rows
            for table in self.tables
        }
