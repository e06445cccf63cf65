"""``catchment query``: SQL over the live files of the lake's tables."""

from __future__ import annotations

import tempfile
from pathlib import Path

import duckdb

from catchment.changes.relations import quote
from catchment.cli.lake import list_tables, open_lake, read_table
from catchment.cli.show import show
from catchment.errors import CatchmentError
from catchment.landing.duck import open_duckdb
from catchment.landing.names import TableName
from catchment.sinks.delta_files import live_parts
from catchment.sinks.delta_write import PartReader
from catchment.storage import ObjectStore

_MEMORY_MB, _THREADS = 2048, 2


class QueryFailed(CatchmentError):
    """DuckDB's answer to a query it cannot run."""


def query(sql: str | None, given: str | None, form: str) -> None:
    """Print the answer to ``sql``, or the tables with their lengths. Raises QueryFailed, SettingsError."""
    lake = open_lake(given)
    tables = list_tables(lake)
    if sql is None:
        show(["table", "rows", "version"], [_line(lake, name) for name in tables], form)
        return
    with tempfile.TemporaryDirectory(prefix="catchment-") as folder:
        con = open_duckdb(Path(folder), _MEMORY_MB, _THREADS)
        try:
            wanted = _mentioned(sql, tables)
            for name in wanted:
                _view(con, lake, name, Path(folder))
            answer = con.sql(sql)
            if answer is not None:  # a statement such as SET has none
                show(answer.columns, answer.project(_printable(answer)).fetchall(), form)
        except duckdb.Error as error:
            known = ", ".join(str(name) for name in tables) or "none"
            raise QueryFailed(f"{str(error).strip()}\nTables of this lake: {known}") from error
        finally:
            con.close()


def _printable(answer: duckdb.DuckDBPyRelation) -> str:
    """The answer's columns; what Python has no exact value for (dates before year 1, instants) as DuckDB writes it."""
    kept = ("INT", "FLOAT", "DOUBLE", "DECIMAL", "BOOL", "VARCHAR", "BLOB", "TINY", "SMALL", "BIG", "HUGE", "U")
    return ", ".join(
        f"#{i}" if str(kind).startswith(kept) and str(kind) not in ("INTERVAL", "UUID") else f"CAST(#{i} AS VARCHAR)"
        for i, kind in enumerate(answer.types, start=1)
    )


def _mentioned(sql: str, tables: list[TableName]) -> list[TableName]:
    """The tables whose name occurs in the query: opening only those keeps a query fast in a large lake."""
    folded = sql.casefold()
    return [name for name in tables if name.table.casefold().replace('"', '""') in folded]


def _view(con: duckdb.DuckDBPyConnection, lake: ObjectStore, name: TableName, scratch: Path) -> None:
    table = read_table(lake, name)
    path = f"{name.schema}/{name.table}"
    columns = table.columns
    parts = live_parts(table.adds.values())
    if parts:
        reader = PartReader(con, lake, path, scratch, parts)
        select = f"SELECT {reader.columns(columns)} FROM {reader.scan}"
    else:
        empty = ", ".join(f"CAST(NULL AS {kind.duckdb}) AS {quote(name)}" for name, kind in columns.items())
        select = f"SELECT {empty} WHERE FALSE"
    con.execute(f"CREATE SCHEMA IF NOT EXISTS {quote(name.schema)}")
    con.execute(f"CREATE VIEW {quote(name.schema)}.{quote(name.table)} AS {select}")


def _line(lake: ObjectStore, name: TableName) -> tuple[str, int, int]:
    table = read_table(lake, name)
    return str(name), sum(add.rows or 0 for add in table.adds.values()), table.version
