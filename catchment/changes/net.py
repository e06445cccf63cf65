"""Step 2: per key the last effect wins."""

from __future__ import annotations

from catchment.changes.relations import EFFECTS, comma, keys


def winners(key_width: int) -> str:
    """SELECT the winners: of each key the effect with the highest place in the history."""
    return (
        f"SELECT e.* FROM {EFFECTS} e "
        f"JOIN (SELECT max(ord) AS ord FROM {EFFECTS} GROUP BY {comma(keys(key_width))}) m ON m.ord = e.ord"
    )
