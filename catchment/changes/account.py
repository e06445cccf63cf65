"""Step 5: every row read is superseded, stale or applied."""

from __future__ import annotations

from collections.abc import Sequence

from catchment.changes.effects import key_changed
from catchment.changes.relations import HITS, ROWS, UNCHANGED, VERDICTS


def surviving() -> str:
    """SELECT (survived, applied): rows of new files with an effect that won, and those of them that count.

    A row with two effects (a key change) is applied if either half changed the table.
    """
    return (
        "SELECT count(*) AS survived, COALESCE(sum(CASE WHEN counts THEN 1 ELSE 0 END), 0) AS applied FROM ("
        "SELECT max(CASE WHEN v.counts AND NOT v.neutral THEN 1 ELSE 0 END) = 1 "
        "OR min(CASE WHEN v.neutral THEN 1 ELSE 0 END) = 1 AS counts "
        f"FROM {_judged()} v WHERE v.fresh GROUP BY v.file, v.line) r"
    )


def moved() -> str:
    """SELECT (inserted, updated, deleted): what the commit does to the table's rows."""
    return (
        "SELECT count(*) FILTER (WHERE v.kind <> 'D' AND NOT v.found) AS inserted, "
        "count(*) FILTER (WHERE v.kind <> 'D' AND v.found) AS updated, "
        "count(*) FILTER (WHERE v.kind = 'D' AND v.found) AS deleted "
        f"FROM {_judged()} v WHERE v.counts"
    )


def _judged() -> str:
    """The verdicts with ``counts``, as guard.effective has it, and ``found``: the table has the key.

    By joins: Spark asks no subquery inside an aggregate.
    """
    return (
        "(SELECT v.*, v.verdict <> 'newer' AND n.ord IS NULL AS counts, h.ord IS NOT NULL AS found "
        f"FROM {VERDICTS} v LEFT JOIN (SELECT DISTINCT ord FROM {UNCHANGED}) n ON n.ord = v.ord "
        f"LEFT JOIN (SELECT DISTINCT ord FROM {HITS}) h ON h.ord = v.ord)"
    )


def key_changes(key: Sequence[str], fresh_below: int) -> str:
    """SELECT the number of new rows that change their key."""
    return f'SELECT count(*) FROM {ROWS} s WHERE s."~file" < {fresh_below} AND {key_changed(key)}'
