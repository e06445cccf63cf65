"""A table as people look whether it has arrived: rows on both sides, the first of them side by side, every value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from catchment.errors import TypeRefused
from catchment.reconcile.compare import as_text, identifier
from catchment.reconcile.source import SourceSide, TableGone
from catchment.reconcile.tables import TargetSide, reconcile_table
from catchment.reconcile.verdict import TableVerdict

Values = tuple[str | None, ...]
"""A row's values as text; None is NULL."""


@dataclass(frozen=True)
class Pair:
    """A row on both sides. None: the side has no row of this key among its first ones; without a key, no more rows."""

    source: Values | None
    target: Values | None


@dataclass(frozen=True)
class TableCheck:
    """What was found of one table: the comparison, or why there is none."""

    table: str
    verdict: TableVerdict | None = None
    problem: str | None = None
    columns: tuple[str, ...] = ()
    rows: tuple[Pair, ...] = ()

    @property
    def equal(self) -> bool:
        """Whether the target holds exactly what the source holds, as far as DMS can deliver it."""
        return self.verdict is not None and self.verdict.equal


def check_table(
    con: duckdb.DuckDBPyConnection,
    source: SourceSide,
    target: TargetSide,
    *,
    schema: str,
    table: str,
    key: Sequence[str],
    scratch: Path,
    rows: int = 5,
    limit: int = 20,
) -> TableCheck:
    """Compare a table of the source with the target's, and show their first ``rows`` in key order.

    ``con`` comes from ``open_duckdb``, ``source`` from ``one_moment``; ``limit`` bounds the differences listed.
    """
    name, seen = f"{schema}.{table}", list[tuple[tuple[str, ...], tuple[Pair, ...]]]()

    def look(of_source: str, of_target: str) -> None:
        seen.append(first_rows(con, of_source, of_target, key=key, rows=rows))

    try:
        verdict = reconcile_table(
            con, source, target, schema=schema, table=table, key=key, scratch=scratch, limit=limit, look=look
        )
    except (TableGone, TypeRefused) as error:
        return TableCheck(name, problem=str(error))
    [(columns, pairs)] = seen
    return TableCheck(name, verdict, columns=columns, rows=pairs)


def first_rows(
    con: duckdb.DuckDBPyConnection, source: str, target: str, *, key: Sequence[str], rows: int
) -> tuple[tuple[str, ...], tuple[Pair, ...]]:
    """The columns of two relations that have the same ones, and their first rows.

    Rows are paired by the key; without one, the first of one side with the first of the other.
    """
    types = {str(row[0]): str(row[1]) for row in con.execute(f"DESCRIBE {source}").fetchall()}
    order = [identifier(name) for name in key or types]
    by = order if key else ['"~place"']

    def first(relation: str) -> str:
        there = f"SELECT * FROM {relation} ORDER BY {', '.join(order)} LIMIT {rows}"
        return f'(SELECT *, TRUE AS "~here", row_number() OVER () AS "~place" FROM ({there}))'

    shown = [as_text(f"{side}.{identifier(name)}", kind) for side in "st" for name, kind in types.items()]
    found = con.execute(
        f'SELECT s."~here", t."~here", {", ".join(shown)} FROM {first(source)} s FULL JOIN {first(target)} t'
        f" ON {' AND '.join(f's.{name} IS NOT DISTINCT FROM t.{name}' for name in by)}"
        f" ORDER BY {', '.join(f'coalesce(s.{name}, t.{name})' for name in by)} LIMIT {rows}"
    ).fetchall()
    width = 2 + len(types)
    return tuple(types), tuple(
        Pair(tuple(row[2:width]) if row[0] else None, tuple(row[width:]) if row[1] else None) for row in found
    )
