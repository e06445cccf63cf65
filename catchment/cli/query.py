"""``catchment query``: SQL over the live files of the lake's tables."""

from __future__ import annotations

import tempfile
from pathlib import Path

import duckdb

from catchment.changes.relations import quote, text
from catchment.cli.lake import list_tables, open_lake, open_table
from catchment.cli.show import show
from catchment.errors import CatchmentError
from catchment.landing.duck import open_duckdb
from catchment.landing.names import TableName
from catchment.landing.types import DeltaType
from catchment.sinks.delta_write import local_part
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
            answer = con.execute(sql)
            columns = [column[0] for column in answer.description or []]
            show(columns, answer.fetchall(), form)
        except duckdb.Error as error:
            known = ", ".join(str(name) for name in tables) or "none"
            raise QueryFailed(f"{str(error).strip()}\nTables of this lake: {known}") from error
        finally:
            con.close()


def _mentioned(sql: str, tables: list[TableName]) -> list[TableName]:
    """The tables whose name occurs in the query: opening only those keeps a query fast in a large lake."""
    folded = sql.casefold()
    return [name for name in tables if name.table.casefold().replace('"', '""') in folded]


def _view(con: duckdb.DuckDBPyConnection, lake: ObjectStore, name: TableName, scratch: Path) -> None:
    table = open_table(lake, name)
    path = f"{name.schema}/{name.table}"
    columns = {field.name: DeltaType.parse(str(field.type.type)) for field in table.schema().fields}
    files = [
        local_part(lake, path, scratch, part) for part in table.get_add_actions(flatten=True).column("path").to_pylist()
    ]
    if files:
        listed = ", ".join(text(str(file)) for file in files)
        source = f"read_parquet([{listed}], union_by_name = true)"
        there = {row[0] for row in con.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}
    else:
        source, there = "(SELECT 1) WHERE FALSE", set()
    chosen = ", ".join(
        f"CAST({quote(column) if column in there else 'NULL'} AS {kind.duckdb}) AS {quote(column)}"
        for column, kind in columns.items()
    )
    con.execute(f"CREATE SCHEMA IF NOT EXISTS {quote(name.schema)}")
    con.execute(f"CREATE VIEW {quote(name.schema)}.{quote(name.table)} AS SELECT {chosen} FROM {source}")


def _line(lake: ObjectStore, name: TableName) -> tuple[str, int, int]:
    table = open_table(lake, name)
    return str(name), sum(table.get_add_actions(flatten=True).column("num_records").to_pylist()), table.version()
