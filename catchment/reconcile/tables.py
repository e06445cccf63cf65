"""Reconcile one table: bring both sides into DuckDB in a common form, compare, and say what DMS cannot deliver."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import duckdb

from catchment.engines.dms_types import Form
from catchment.engines.reconciliation import SourceColumn
from catchment.landing.types import DeltaType, widen
from catchment.reconcile.compare import compare, identifier
from catchment.reconcile.source import SourceSide
from catchment.reconcile.verdict import TableVerdict

TEXT_TABLE, SOURCE, LAKE = "reconcile_text", "reconcile_source", "reconcile_lake"


class TargetSide(Protocol):
    """A table that is to hold what the source holds: of the lake, or of a replica."""

    @property
    def columns(self) -> Mapping[str, DeltaType]:
        """Its columns in order, without those that are not the source's."""
        ...

    def read(self, con: duckdb.DuckDBPyConnection, wanted: Sequence[tuple[str, str]], relation: str, /) -> None:
        """Make the temporary view ``relation`` with the ``wanted`` columns (name, DuckDB type)."""
        ...


def reconcile_table(
    con: duckdb.DuckDBPyConnection,
    source: SourceSide,
    lake: TargetSide,
    *,
    schema: str,
    table: str,
    key: Sequence[str],
    scratch: Path,
    limit: int = 20,
    look: Callable[[str, str], object] | None = None,
) -> TableVerdict:
    """Compare ``schema.table`` of the source with its table in the lake or in a replica, value by value.

    ``source`` comes from ``one_moment``, ``con`` from ``open_duckdb``; ``key`` is empty for a table without one.
    ``scratch`` holds the source's rows while they are compared; ``limit`` bounds the rows listed. ``look`` is told the
    relations of source and lake, with the same columns, while they are there.
    Raises TableGone where the source has no such table.
    """
    columns = source.columns(schema, table)
    source.read(con, schema, table, columns, TEXT_TABLE, scratch)
    wanted = _make_alike(con, columns, lake)
    lake.read(con, wanted, LAKE)
    sides = [_without_case(con, columns, relation) for relation in (SOURCE, LAKE)]
    found = compare(con, *sides, key=key, limit=limit)
    if look is not None:
        look(*sides)
    con.execute(f"DROP VIEW {LAKE}; DROP VIEW {SOURCE}; DROP TABLE {TEXT_TABLE}")
    names = [column.name for column in columns]
    return TableVerdict(
        table=f"{schema}.{table}",
        rows_source=found.rows_source,
        rows_lake=found.rows_lake,
        missing=found.missing,
        extra=found.extra,
        different=found.different,
        differences=found.differences,
        narrowed=source.narrowings(schema, table, columns),
        only_source=tuple(name for name in names if name not in lake.columns),
        only_lake=tuple(name for name in lake.columns if name not in names),
    )


def common_type(source: DeltaType, lake: DeltaType | None) -> str:
    """The DuckDB type in which a column's two sides are compared: one that holds the values of both, else text."""
    if lake is None or {source.name, lake.name} <= {"timestamp", "timestamp_ntz"}:
        lake = source
    wider = widen(source, lake)
    if wider is None:
        return "VARCHAR"
    # a timestamp is compared as its UTC reading, which is how DMS labels a wall clock too
    return "TIMESTAMP" if wider.name == "timestamp" else wider.duckdb


def _make_alike(con: duckdb.DuckDBPyConnection, columns: list[SourceColumn], lake: TargetSide) -> list[tuple[str, str]]:
    """Make the view SOURCE of the text table; the columns and DuckDB types that LAKE has to have as well."""
    wanted = []
    for column in columns:
        kind = common_type(column.delta, lake.columns.get(column.name))
        name = identifier(column.name)
        if kind not in ("VARCHAR", "BLOB"):
            misfit = con.execute(
                f"SELECT 1 FROM {TEXT_TABLE} WHERE {name} IS NOT NULL AND TRY_CAST({name} AS {kind}) IS NULL LIMIT 1"
            ).fetchone()
            # a value beyond the type cannot be equal to anything the lake holds; text compares and shows it
            kind = "VARCHAR" if misfit else kind
        wanted.append((column.name, kind))
    shown = ", ".join(f"CAST({identifier(name)} AS {kind}) AS {identifier(name)}" for name, kind in wanted)
    con.execute(f"CREATE OR REPLACE TEMP VIEW {SOURCE} AS SELECT {shown} FROM {TEXT_TABLE}")
    return wanted


def _without_case(con: duckdb.DuckDBPyConnection, columns: Sequence[SourceColumn], relation: str) -> str:
    """The relation with the columns in lower case whose case nobody tells."""
    caseless = [identifier(column.name) for column in columns if column.type.form is Form.CASELESS]
    if not caseless:
        return relation
    lower = ", ".join(f"lower({name}) AS {name}" for name in caseless)
    folded = f"{relation}_caseless"
    con.execute(f"CREATE OR REPLACE TEMP VIEW {folded} AS SELECT * REPLACE ({lower}) FROM {relation}")
    return folded
