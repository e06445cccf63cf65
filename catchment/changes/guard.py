"""Step 3: an older change never wins over a row the table already has, and an equal one writes nothing."""

from __future__ import annotations

from collections.abc import Mapping

from catchment.changes.relations import EXISTING, HITS, ORD, SEQUENCE, UNCHANGED, UPSERTS, WINNERS, quote

_FLOATS = ("float", "double")


def verdicts() -> str:
    """SELECT the winners with what the table says to them.

    ``verdict``: new (the table has no such key), older (it has an older row), same (a row of this very token) or
    newer (the winner must not count). ``neutral`` marks the delete half of a key change that finds nothing to delete:
    it says nothing about whether its row was applied.
    """
    return (
        "SELECT w.*, "
        "CASE WHEN h.token IS NULL THEN 'new' WHEN h.token < w.seq THEN 'older' "
        "WHEN h.token = w.seq THEN 'same' ELSE 'newer' END AS verdict, "
        "w.part = 0 AND h.token IS NULL AS neutral "
        f"FROM {WINNERS} w LEFT JOIN (SELECT ord, max(token) AS token FROM {HITS} GROUP BY ord) h ON h.ord = w.ord"
    )


def unchanged(columns: Mapping[str, str]) -> str:
    """SELECT the ``ord`` of upserts that would write the row the table has, value for value.

    ``columns`` maps the table's columns to Delta types.
    """
    same = " AND ".join([f"u.{quote(SEQUENCE)} = x.{quote(SEQUENCE)}", *same_values(columns)])
    return f"SELECT u.{ORD} AS ord FROM {UPSERTS} u JOIN {EXISTING} x ON x.{ORD} = u.{ORD} WHERE {same}"


def same_values(columns: Mapping[str, str]) -> list[str]:
    """Conditions on an upsert ``u`` and the table's row ``x``: the values of ``columns`` are equal.

    ``columns`` maps names to Delta types. Floats are compared as text: ``-0.0`` is not ``0.0``, and NaN is NaN.
    """
    same = []
    for name, kind in columns.items():
        left, right = f"u.{quote(name)}", f"x.{quote(name)}"
        if kind in _FLOATS:
            left, right = f"CAST({left} AS VARCHAR)", f"CAST({right} AS VARCHAR)"
        same.append(f"{left} IS NOT DISTINCT FROM {right}")
    return same


def effective(table: str = "v") -> str:
    """A condition on a verdict: it changes the table (or would, had a deleted key been there)."""
    return f"({table}.verdict <> 'newer' AND NOT EXISTS (SELECT 1 FROM {UNCHANGED} n WHERE n.ord = {table}.ord))"
