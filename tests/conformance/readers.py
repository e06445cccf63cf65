"""Independent readers of a Delta table, and one written form for the values they give."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
from deltalake import DeltaTable, QueryBuilder

from tests.conformance import on_spark

Rows = list[dict[str, Any]]


def by_deltalake(path: Path) -> Rows:
    """delta-rs; its Arrow reader, or its query engine where rows are masked by deletion vectors."""
    table = DeltaTable(path)
    if "deletionVectors" in (table.protocol().reader_features or []):
        found = QueryBuilder().register("t", table).execute("SELECT * FROM t").read_all()
        return [dict(row) for row in _arrow(found).to_pylist()]
    return list(table.to_pyarrow_table().to_pylist())


_HIVE = {"long": "BIGINT", "byte": "TINYINT", "string": "VARCHAR"}


def _quoted(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"


def by_duckdb(path: Path) -> Rows:
    """DuckDB over the live files; their deletion vectors it does not know, so those tables are not asked of it."""
    table = DeltaTable(path)
    if "deletionVectors" in (table.protocol().reader_features or []):
        return by_deltalake(path)
    files = table.file_uris()
    if not files:
        return []
    types = {field.name: str(field.type.type) for field in table.schema().fields}
    hive = [f"{_quoted(name)}: '{_HIVE.get(types[name], types[name])}'" for name in table.metadata().partition_columns]
    options = f", hive_partitioning = true, hive_types = {{{', '.join(hive)}}}" if hive else ""
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        rows = con.sql(f"SELECT * FROM read_parquet($files, union_by_name = true{options})", params={"files": files})
        return list(rows.to_arrow_table().to_pylist())


def by_spark(path: Path) -> Rows:
    """Spark and Delta as published by them."""
    found = on_spark.session().read.format("delta").load(str(path)).collect()
    return [{name: _plain(value) for name, value in row.asDict().items()} for row in found]


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, bytearray) else value


READERS: Mapping[str, Callable[[Path], Rows]] = {"deltalake": by_deltalake, "duckdb": by_duckdb} | (
    {"spark": by_spark} if on_spark.HERE else {}
)


def canonical(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> list[tuple[Any, ...]]:
    """The rows' values as text, sorted: numbers as numbers whatever their type, ``-0.0`` apart from ``0.0``.

    Columns are found by name in whatever case.
    """
    names = [name.casefold() for name in columns]
    folded = ({name.casefold(): value for name, value in row.items()} for row in rows)
    return sorted((tuple(written(row.get(name)) for name in names) for row in folded), key=repr)


def written(value: Any) -> str | None:
    """One value, so that equal ones and no others are written alike."""
    if value is None:
        return None
    if isinstance(value, float):
        return f"float {value!r}"
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return f"number {Decimal(value).normalize() + 0:f}"
    if isinstance(value, datetime):
        return f"moment {value.astimezone(UTC).isoformat()}"
    if isinstance(value, date):
        return f"day {value.isoformat()}"
    return f"{type(value).__name__} {value!r}"


def _arrow(found: Any) -> Any:
    """Whatever carries Arrow data, as a pyarrow table."""
    import pyarrow as pa

    return pa.table(found)


def database_of(root: Path) -> str:
    """The name of a folder's database on a server."""
    return "t" + hashlib.sha256(str(root).encode()).hexdigest()[:20]
