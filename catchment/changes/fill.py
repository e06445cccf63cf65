"""Step 4: a column that the winner's file does not speak of keeps its last known value.

Needed only where some file of the batch lacks one of the table's columns. For an update, the value is the last one
said since the key's last insert, delete or arrival, else the table's; an insert starts from NULL. A row that arrives
by a key change brings what its old key had at that moment, which may lead to yet another key: ``hop`` goes one such
step, until ``hops`` says that none is left.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from catchment.changes.relations import EFFECTS, EXISTING, ORD, ROWS, WINNERS, both, comma, keys, quote

STEPS, TRAIL = '"~steps"', '"~trail"'


def steps(key_width: int, lacking: Iterable[int]) -> str:
    """SELECT the effects with the one that says the column's value: at it (``src``) and right before it (``before``).

    ``lacking`` are the files that do not speak of the column. A key change delivered twice moves its row once: of the
    second copy, the delete says nothing and the arrival is an update.
    """
    copy = "copy > 1 AND (part = 0 OR kind = 'K')"
    speaks = f"(part = 1 AND kind <> 'D' AND NOT {_lacks('file', lacking)})"
    says = f"CASE WHEN {speaks} OR (kind <> 'U' AND NOT ({copy})) THEN ord END"
    copies = f"PARTITION BY seq, kind, part, {comma(keys(key_width))} ORDER BY ord"
    window = f"PARTITION BY {comma(keys(key_width))} ORDER BY ord ROWS BETWEEN UNBOUNDED PRECEDING AND"
    return (
        f"SELECT ord, file, line, part, kind, {comma(keys(key_width))}, "
        f"max({says}) OVER ({window} CURRENT ROW) AS src, max({says}) OVER ({window} 1 PRECEDING) AS before "
        f"FROM (SELECT *, row_number() OVER ({copies}) AS copy FROM {EFFECTS}) e"
    )


def trail(lacking: Iterable[int]) -> str:
    """SELECT the search: for each winner that needs the column, where to look (``src``) on which key (``home``)."""
    return (
        f"SELECT w.ord, s.src, s.ord AS home FROM {WINNERS} w "
        f"JOIN {STEPS} s ON s.ord = w.ord WHERE w.kind IN ('U', 'K') AND {_lacks('w.file', lacking)}"
    )


def hops(lacking: Iterable[int]) -> str:
    """SELECT how many searches have come to a row that arrived by a key change and does not say the column."""
    return (
        f"SELECT count(*) FROM {TRAIL} t JOIN {STEPS} s ON s.ord = t.src "
        f"WHERE s.kind = 'K' AND {_lacks('s.file', lacking)}"
    )


def hop(lacking: Iterable[int]) -> str:
    """SELECT the search anew, one key change further back."""
    arrived = f"s.kind = 'K' AND {_lacks('s.file', lacking)}"
    return (
        "SELECT t.ord, "
        f"CASE WHEN {arrived} THEN d.before ELSE t.src END AS src, "
        f"CASE WHEN {arrived} THEN d.ord ELSE t.home END AS home "
        f"FROM {TRAIL} t LEFT JOIN {STEPS} s ON s.ord = t.src "
        f"LEFT JOIN {STEPS} d ON d.file = s.file AND d.line = s.line AND d.part = 0 AND s.part = 1"
    )


def values(column: str, key_width: int) -> str:
    """SELECT (ord, value): what each search found; needs the table's rows as ``"~existing"``."""
    name = quote(column)
    return (
        "SELECT t.ord, "
        f"CASE WHEN t.src IS NULL THEN x.{name} WHEN s.kind <> 'D' THEN r.{name} END AS value FROM {TRAIL} t "
        f"LEFT JOIN {STEPS} s ON s.ord = t.src "
        f'LEFT JOIN {ROWS} r ON r."~file" = s.file AND r."~row" = s.line '
        f"JOIN {STEPS} h ON h.ord = t.home "
        f"JOIN {WINNERS} w ON {both(keys(key_width, 'w'), keys(key_width, 'h'))} "
        f"LEFT JOIN {EXISTING} x ON x.{ORD} = w.ord"
    )


def _lacks(column: str, lacking: Iterable[int]) -> str:
    numbers: Sequence[str] = [str(number) for number in lacking]
    return f"({column} IN ({comma(numbers)}))" if numbers else "FALSE"
