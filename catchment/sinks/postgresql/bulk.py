"""Rows between DuckDB and PostgreSQL by COPY, through CSV in files of the scratch folder.

CSV of both sides tells NULL (nothing) from the empty text (quoted).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg

from catchment.changes.relations import comma, quote, text
from catchment.changes.session import DuckSession
from catchment.landing.types import DeltaType
from catchment.sinks.postgresql.types import from_csv, to_csv

_BLOCK = 1 << 20


@dataclass(frozen=True)
class Rows:
    """Rows on their way, in a file."""

    path: Path
    columns: Mapping[str, DeltaType]


def write(session: DuckSession, query: str, columns: Mapping[str, DeltaType], scratch: Path) -> Rows:
    """Write the rows of a DuckDB query, which gives ``columns``, to a file in the folder ``scratch``."""
    scratch.mkdir(parents=True, exist_ok=True)
    path = scratch / "to-postgresql.csv"
    shown = comma(f"{to_csv(quote(name), kind)} AS {quote(name)}" for name, kind in columns.items())
    session.con.execute(
        f"COPY (SELECT {shown} FROM ({query})) TO {text(str(path))} "
        "(FORMAT csv, HEADER false, FORCE_QUOTE *, NULLSTR '')"
    )
    return Rows(path, columns)


def send(cursor: psycopg.Cursor, rows: Rows, target: str) -> int:
    """Append rows to the table ``target`` (quoted), and delete their file; returns how many."""
    named = comma(quote(name) for name in rows.columns)
    with rows.path.open("rb") as file, cursor.copy(f"COPY {target} ({named}) FROM STDIN (FORMAT csv)") as copy:
        while block := file.read(_BLOCK):
            copy.write(block)
    rows.path.unlink()
    return cursor.rowcount


def fetch(
    session: DuckSession,
    cursor: psycopg.Cursor,
    query: str,
    columns: Mapping[str, DeltaType],
    relation: str,
    scratch: Path,
) -> None:
    """Append the rows of a PostgreSQL query, which gives ``columns``, to a relation of the session."""
    scratch.mkdir(parents=True, exist_ok=True)
    path = scratch / "from-postgresql.csv"
    with path.open("wb") as file, cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT csv)") as copy:
        for block in copy:
            file.write(block)
    if path.stat().st_size:
        kinds = comma(f"{text(name)}: 'VARCHAR'" for name in columns)
        shown = comma(f"{from_csv(quote(name), kind)} AS {quote(name)}" for name, kind in columns.items())
        session.append(
            relation,
            f"SELECT {shown} FROM read_csv({text(str(path))}, header = false, auto_detect = false, delim = ',', "
            f"quote = '\"', escape = '\"', nullstr = '', allow_quoted_nulls = false, max_line_size = 1073741824, "
            f"parallel = false, columns = {{{kinds}}})",
        )
    path.unlink()
