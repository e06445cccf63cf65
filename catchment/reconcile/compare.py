"""Compare two relations of the same columns in DuckDB. Pure: whoever fills them decides what they mean.

Equality is exact: NULL equals NULL alone, floating-point values are equal when all their bits are (any NaN equals any
other), text when all its characters are, decimals by value whatever their scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from catchment.reconcile.verdict import Difference, Finding

SHOWN = 160
"""Longer values are shown as the surroundings of their first difference."""
CONTEXT = 20


@dataclass(frozen=True)
class Comparison:
    """Counts of rows, and the first differences in key order."""

    rows_source: int
    rows_lake: int
    missing: int
    extra: int
    different: int
    differences: tuple[Difference, ...]


def identifier(name: str) -> str:
    """A name quoted for SQL."""
    return '"' + name.replace('"', '""') + '"'


def compare(
    con: duckdb.DuckDBPyConnection, source: str, lake: str, *, key: Sequence[str], limit: int = 20
) -> Comparison:
    """Compare the relations named ``source`` and ``lake``, whose columns have the same names and types.

    With a ``key`` rows are paired by it; without one the relations are compared as multisets of whole rows. At most
    ``limit`` rows are listed among the differences.
    """
    types = {str(row[0]): str(row[1]) for row in con.execute(f"DESCRIBE {source}").fetchall()}
    rows_source, rows_lake = (_number(con, f"SELECT count(*) FROM {name}") for name in (source, lake))
    if not key:
        missing, extra, listed = _compare_multisets(con, source, lake, types, limit)
        return Comparison(rows_source, rows_lake, missing, extra, 0, tuple(listed))
    missing, extra, different, listed = _Keyed(source, lake, types, key).compare(con, limit)
    return Comparison(rows_source, rows_lake, missing, extra, different, tuple(listed))


def _number(con: duckdb.DuckDBPyConnection, query: str) -> int:
    row = con.execute(query).fetchone()
    assert row is not None
    return int(row[0] or 0)


def _same(left: str, right: str, duckdb_type: str) -> str:
    same = f"{left} IS NOT DISTINCT FROM {right}"
    if duckdb_type in ("FLOAT", "DOUBLE"):
        return f"({same} AND (coalesce({left}, 1) <> 0 OR signbit({left}) = signbit({right})))"
    return same


def as_text(column: str, duckdb_type: str) -> str:
    """The SQL of a value as it is shown."""
    return rf"'\x' || lower(hex({column}))" if duckdb_type == "BLOB" else f"CAST({column} AS VARCHAR)"


class _Keyed:
    """The queries for a table with a key."""

    def __init__(self, source: str, lake: str, types: dict[str, str], key: Sequence[str]) -> None:
        self.lake = lake
        self.types = types
        self.key = list(key)
        self.values = [name for name in types if name not in self.key]
        on = " AND ".join(f"s.{identifier(name)} = l.{identifier(name)}" for name in self.key)
        self.pairs = (
            f'(SELECT *, TRUE AS "~here" FROM {source}) AS s FULL OUTER JOIN'
            f' (SELECT *, TRUE AS "~here" FROM {lake}) AS l ON {on}'
        )
        self.missing, self.extra = 'l."~here" IS NULL', 's."~here" IS NULL'
        same = [_same(f"s.{identifier(name)}", f"l.{identifier(name)}", types[name]) for name in self.values]
        self.same = dict(zip(self.values, same, strict=True))
        self.different = f"NOT ({' AND '.join(same) or 'TRUE'})"

    def compare(self, con: duckdb.DuckDBPyConnection, limit: int) -> tuple[int, int, int, list[Difference]]:
        row = con.execute(
            f"SELECT count(*) FILTER (WHERE {self.missing}), count(*) FILTER (WHERE {self.extra}),"
            f" count(*) FILTER (WHERE NOT ({self.missing}) AND NOT ({self.extra}) AND {self.different})"
            f" FROM {self.pairs}"
        ).fetchone()
        assert row is not None
        missing, extra, different = row
        repeated, repeats = self._repeated(con, limit)
        listed = self._list(con, limit) if missing or extra or different else []
        return missing, extra + repeated, different, listed + repeats

    def _repeated(self, con: duckdb.DuckDBPyConnection, limit: int) -> tuple[int, list[Difference]]:
        """Keys the lake holds more than once; a NULL in the key was counted by the join already."""
        keys = ", ".join(identifier(name) for name in self.key)
        given = " AND ".join(f"{identifier(name)} IS NOT NULL" for name in self.key)
        groups = (
            f"SELECT {keys}, count(*) - 1 AS more FROM {self.lake} WHERE {given} GROUP BY {keys} HAVING count(*) > 1"
        )
        repeated = _number(con, f"SELECT sum(more) FROM ({groups})")
        if not repeated:
            return 0, []
        shown = ", ".join(as_text(identifier(name), self.types[name]) for name in self.key)
        rows = con.execute(f"SELECT {shown} FROM ({groups}) ORDER BY {keys} LIMIT {limit}").fetchall()
        return repeated, [Difference(Finding.EXTRA, dict(zip(self.key, row, strict=True))) for row in rows]

    def _list(self, con: duckdb.DuckDBPyConnection, limit: int) -> list[Difference]:
        both = [f"coalesce(s.{identifier(name)}, l.{identifier(name)})" for name in self.key]
        shown = [as_text(column, self.types[name]) for column, name in zip(both, self.key, strict=True)]
        for name in self.values:
            left, right = f"s.{identifier(name)}", f"l.{identifier(name)}"
            shown += [self.same[name], as_text(left, self.types[name]), as_text(right, self.types[name])]
        rows = con.execute(
            f"SELECT {self.missing}, {self.extra}, {', '.join(shown)} FROM {self.pairs}"
            f" WHERE {self.missing} OR {self.extra} OR {self.different} ORDER BY {', '.join(both)} LIMIT {limit}"
        ).fetchall()
        return [difference for row in rows for difference in self._differences(row)]

    def _differences(self, row: tuple[object, ...]) -> list[Difference]:
        missing, extra, *rest = row
        key = {name: None if rest[i] is None else str(rest[i]) for i, name in enumerate(self.key)}
        if missing or extra:
            return [Difference(Finding.MISSING if missing else Finding.EXTRA, key)]
        found = []
        for i, name in enumerate(self.values):
            same, left, right = rest[len(key) + 3 * i : len(key) + 3 * i + 3]
            if not same:
                found.append(Difference(Finding.DIFFERENT, key, name, *_excerpts(left, right)))
        return found


def _compare_multisets(
    con: duckdb.DuckDBPyConnection, source: str, lake: str, types: dict[str, str], limit: int
) -> tuple[int, int, list[Difference]]:
    # as text, so that the two zeros of a floating-point column stay apart
    whole = ", ".join(f"{as_text(identifier(name), kind)} AS {identifier(name)}" for name, kind in types.items())
    counts, listed = [], []
    for finding, one, other in ((Finding.MISSING, source, lake), (Finding.EXTRA, lake, source)):
        surplus = f"(SELECT {whole} FROM {one} EXCEPT ALL SELECT {whole} FROM {other})"
        counts.append(_number(con, f"SELECT count(*) FROM {surplus}"))
        if counts[-1]:
            rows = con.execute(f"SELECT * FROM {surplus} ORDER BY ALL LIMIT {limit}").fetchall()
            listed += [Difference(finding, dict(zip(types, row, strict=True))) for row in rows]
    return counts[0], counts[1], listed


def _excerpts(left: object, right: object) -> tuple[str | None, str | None]:
    """Both values as they are shown: whole, or around their first difference where they are long."""
    if not isinstance(left, str) or not isinstance(right, str):
        return _excerpt(left, 0), _excerpt(right, 0)
    shorter = min(len(left), len(right))
    apart = next((i for i in range(shorter) if left[i] != right[i]), shorter)
    return _excerpt(left, apart), _excerpt(right, apart)


def _excerpt(value: object, around: int) -> str | None:
    if value is None:
        return None
    text = str(value)
    if len(text) <= SHOWN:
        return text
    start = max(0, around - CONTEXT)
    return f"…{text[start : start + SHOWN]}… (from character {start + 1} of {len(text)})"
