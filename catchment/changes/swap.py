"""A new load in the place of the old one: what it and the changes behind its floor make, as a difference.

The winners are worked out as for any batch, of the load's files and the change files behind the floor. What the table
has beyond them is deleted; rows equal in all columns stay where they are.
"""

from __future__ import annotations

from collections.abc import Mapping

from catchment.changes.guard import same_values
from catchment.changes.relations import (
    EXISTING,
    HITS,
    KEYS,
    ORD,
    SEQUENCE,
    UPSERTS,
    WINNERS,
    both,
    comma,
    keys,
    quote,
    text,
)


def with_deletions(key_width: int, floor: str) -> str:
    """SELECT the winners, and a delete of every key of the table that none of them is about."""
    columns = comma(keys(key_width))
    return (
        f"SELECT w.* FROM {WINNERS} w UNION ALL "
        f"SELECT top.ord + row_number() OVER (ORDER BY {comma(keys(key_width, 't'))}) AS ord, -1 AS file, 0 AS line, "
        f"1 AS part, FALSE AS fresh, 'D' AS kind, {text(floor)} AS seq, {comma(keys(key_width, 't'))} "
        f"FROM (SELECT {columns} FROM {KEYS}) t, (SELECT COALESCE(max(ord), 0) AS ord FROM {WINNERS}) top "
        f"WHERE NOT EXISTS (SELECT 1 FROM {WINNERS} w WHERE {both(keys(key_width, 'w'), keys(key_width, 't'))})"
    )


def verdicts() -> str:
    """SELECT the winners with their verdict: the table has a row of that key, of an older generation, or none."""
    return (
        "SELECT w.*, CASE WHEN h.ord IS NULL THEN 'new' ELSE 'older' END AS verdict, FALSE AS neutral "
        f"FROM {WINNERS} w LEFT JOIN (SELECT DISTINCT ord FROM {HITS}) h ON h.ord = w.ord"
    )


def unchanged(columns: Mapping[str, str], floor: str) -> str:
    """SELECT the ``ord`` of upserts that would write the row the table has.

    A row of the load may keep the older token it has: nothing below the floor is ever held against it.
    """
    new, old = f"u.{quote(SEQUENCE)}", f"COALESCE(x.{quote(SEQUENCE)}, '')"
    token = f"({new} = {old} OR ({new} = {text(floor)} AND {old} < {text(floor)}))"
    conditions = " AND ".join([token, *same_values(columns)])
    return f"SELECT u.{ORD} AS ord FROM {UPSERTS} u JOIN {EXISTING} x ON x.{ORD} = u.{ORD} WHERE {conditions}"
