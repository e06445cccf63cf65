"""The names of the relations and columns the steps hand to each other, and how they are quoted.

``"~rows"``     ~file, ~op, ~seq, ~row, the source columns, ~old_0 … : good rows of all files of the batch
``"~effects"``  ord, file, line, part, fresh, kind, seq, k0 … : ``kind`` is I (insert), U (update), K (arrival
                of a row whose key changed) or D (delete); ``fresh``: of a new file, not read again for a late one
``"~winners"``  the effects that are the last of their key
``"~hits"``     ord, part, pos, token: where the table has a winner's key, and the token of that row (the sink's)
``"~verdicts"`` the winners with ``verdict`` and ``neutral`` (see guard)
``"~keys"``     k0 … : the keys of all rows of the table (the sink's)
``"~upserts"``  ~ord, the table's columns, _catchment_seq: the rows to write

Where the lake's columns stand beside the source's, theirs begin with a tilde, which the reader refuses in a source.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

ROWS, EFFECTS, WINNERS, HITS, VERDICTS, UPSERTS = (
    '"~rows"',
    '"~effects"',
    '"~winners"',
    '"~hits"',
    '"~verdicts"',
    '"~upserts"',
)
TOUCHED, UNCHANGED, EXISTING, FILL = '"~touched"', '"~unchanged"', '"~existing"', '"~fill"'
KEYS = '"~keys"'
SEQUENCE = "_catchment_seq"
ORD = '"~ord"'


def quote(name: str) -> str:
    """An identifier, exactly as spelt."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """A string literal."""
    return "'" + value.replace("'", "''") + "'"


def keys(count: int, table: str = "") -> list[str]:
    """The key columns of the effect tables: k0, k1 …"""
    prefix = f"{table}." if table else ""
    return [f"{prefix}k{i}" for i in range(count)]


def comma(parts: Iterable[str]) -> str:
    """SQL list."""
    return ", ".join(parts)


def both(left: Sequence[str], right: Sequence[str]) -> str:
    """Pairwise equality. Keys are never NULL here: the reader quarantines such rows."""
    return " AND ".join(f"{a} = {b}" for a, b in zip(left, right, strict=True))
