"""Rows with a value that the table's database cannot hold: quarantined, so that the rest of the table goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import duckdb

from catchment.changes.relations import comma, quote
from catchment.landing.reader import FileRead
from catchment.landing.rejects import Reject
from catchment.landing.types import DeltaType
from catchment.sinks.replica.target import Unheld

FindUnheld = Callable[[Mapping[str, DeltaType], Sequence[str]], Sequence[Unheld]]
"""What of the values of columns a database cannot hold, given the key."""


def all_held(_columns: Mapping[str, DeltaType], _key: Sequence[str]) -> Sequence[Unheld]:
    """A lake holds every value of its types."""
    return ()


def take_unheld(
    con: duckdb.DuckDBPyConnection, read: FileRead, unheld: Sequence[Unheld], key: Sequence[str]
) -> list[Reject]:
    """Take rows with such values out of a file's relation; each is a reject, for the first value that is found.

    A delete is judged by its key alone, as everywhere.
    """
    if not unheld:
        return []
    cases = " ".join(f"WHEN {_met(each, key)} THEN {place}" for place, each in enumerate(unheld))
    found = con.execute(
        f'SELECT "~row", place, to_json(t) FROM (SELECT *, CASE {cases} END AS place FROM {read.relation}) t '
        "WHERE place IS NOT NULL ORDER BY 1"
    ).fetchall()
    if found:
        rows = comma(str(row) for row, *_ in found)
        con.execute(f'DELETE FROM {read.relation} WHERE "~row" IN ({rows})')
    return [Reject(read.file, row, unheld[place].column, unheld[place].why, raw) for row, place, raw in found]


def _met(unheld: Unheld, key: Sequence[str]) -> str:
    found = unheld.condition.format(quote(unheld.column))
    if unheld.column not in key:
        return f"\"~op\" <> 'D' AND {found}"
    before = quote(f"~old_{key.index(unheld.column)}")
    return f"({found} OR {unheld.condition.format(before)})"
