"""Rows as INSERT statements, for engines that take them in no quicker way over a plain connection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

ROWS_AT_A_TIME = 1000
"""What SQL Server takes in one statement."""


def insert_statements(into: str, literals: Sequence[Sequence[str]]) -> Iterator[str]:
    """``INSERT INTO {into} VALUES …`` of values in SQL, given column by column."""
    rows = [f"({row})" for row in map(", ".join, zip(*literals, strict=True))]
    for start in range(0, len(rows), ROWS_AT_A_TIME):
        yield f"INSERT INTO {into} VALUES\n" + ",\n".join(rows[start : start + ROWS_AT_A_TIME])
