"""Step 5: every row read is superseded, stale or applied."""

from __future__ import annotations

from collections.abc import Sequence

from catchment.changes.effects import key_changed
from catchment.changes.guard import effective
from catchment.changes.relations import HITS, ROWS, VERDICTS


def surviving() -> str:
    """SELECT (survived, applied): rows of new files with an effect that won, and those of them that count.

    A row with two effects (a key change) is applied if either half changed the table.
    """
    return (
        "SELECT count(*) AS survived, COALESCE(sum(CASE WHEN counts THEN 1 ELSE 0 END), 0) AS applied FROM ("
        f"SELECT max(CASE WHEN {effective()} AND NOT v.neutral THEN 1 ELSE 0 END) = 1 "
        f"OR min(CASE WHEN v.neutral THEN 1 ELSE 0 END) = 1 AS counts "
        f"FROM {VERDICTS} v WHERE v.fresh GROUP BY v.file, v.line) r"
    )


def moved() -> str:
    """SELECT (inserted, updated, deleted): what the commit does to the table's rows."""
    found = f"(v.ord IN (SELECT ord FROM {HITS}))"
    return (
        f"SELECT count(*) FILTER (WHERE v.kind <> 'D' AND NOT {found}) AS inserted, "
        f"count(*) FILTER (WHERE v.kind <> 'D' AND {found}) AS updated, "
        f"count(*) FILTER (WHERE v.kind = 'D' AND {found}) AS deleted "
        f"FROM {VERDICTS} v WHERE {effective()}"
    )


def key_changes(key: Sequence[str], fresh_below: int) -> str:
    """SELECT the number of new rows that change their key."""
    return f'SELECT count(*) FROM {ROWS} s WHERE s."~file" < {fresh_below} AND {key_changed(key)}'
