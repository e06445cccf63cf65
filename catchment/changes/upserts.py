"""The rows to write: of each winner that is an insert or update, its columns and its token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from catchment.changes.effects import token
from catchment.changes.relations import ORD, ROWS, SEQUENCE, VERDICTS, comma, quote


def upserts(columns: Sequence[str], filled: Mapping[str, str], floor: str = "") -> str:
    """SELECT the upserts. ``filled`` maps columns to the relations (ord, value) that step 4 made for them.

    ``floor`` is the generation's, the token of load rows.
    """
    # The token comes from the row, not the verdict: the join then holds numbers only.
    chosen, joins = [], []
    for i, name in enumerate(columns):
        value = f"r.{quote(name)}"
        if name in filled:
            joins.append(f"LEFT JOIN {filled[name]} f{i} ON f{i}.ord = v.ord")
            value = f"CASE WHEN f{i}.ord IS NOT NULL THEN f{i}.value ELSE {value} END"
        chosen.append(f"{value} AS {quote(name)}")
    return (
        f"SELECT v.ord AS {ORD}, {comma(chosen)}, {token('r', floor)} AS {quote(SEQUENCE)} "
        f'FROM {VERDICTS} v JOIN {ROWS} r ON r."~file" = v.file AND r."~row" = v.line {" ".join(joins)} '
        "WHERE v.kind <> 'D' AND v.verdict <> 'newer'"
    )
