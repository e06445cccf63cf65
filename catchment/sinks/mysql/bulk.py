"""Rows between DuckDB and MySQL: LOAD DATA LOCAL INFILE of a CSV file, or INSERTs of many rows where that is off.

CSV of both sides tells NULL (the bare word) from every text, which is quoted.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from catchment.changes.relations import comma, quote, text
from catchment.changes.session import DuckSession
from catchment.landing.types import DeltaType
from catchment.sinks.mysql.session import MySqlSession, RowsRefused
from catchment.sinks.mysql.types import from_text, to_text

_STATEMENT = 1 << 20
_BLOCK = 20_000


@dataclass(frozen=True)
class Rows:
    """Rows on their way: so many, in a file, as the server takes them: ``loaded`` whole, or as the text of INSERTs."""

    path: Path
    count: int
    columns: Mapping[str, DeltaType]
    loaded: bool


def write(
    session: DuckSession, server: MySqlSession, query: str, columns: Mapping[str, DeltaType], scratch: Path
) -> Rows:
    """Write the rows of a DuckDB query, which gives ``columns``, to a file in the folder ``scratch``."""
    scratch.mkdir(parents=True, exist_ok=True)
    path = scratch / "to-mysql.csv"
    if server.loads_files:
        shown = comma(f"{to_text(quote(name), kind)} AS {quote(name)}" for name, kind in columns.items())
    else:
        literals = comma(f"coalesce({_literal(quote(name), kind)}, 'NULL')" for name, kind in columns.items())
        shown = f"'(' || concat_ws(',', {literals}) || ')' AS row"
    written = session.con.execute(
        f"COPY (SELECT {shown} FROM ({query})) TO {text(str(path))} "
        "(FORMAT csv, HEADER false, FORCE_QUOTE *, NULLSTR 'NULL')"
    ).fetchone()
    assert written is not None
    return Rows(path, written[0], columns, server.loads_files)


def send(server: MySqlSession, rows: Rows, target: str) -> int:
    """Append rows to the table ``target`` (quoted), and delete their file; returns how many.

    Raises RowsRefused where the server would have changed a value or left out a row.
    """
    arrived = _load(server, rows, target) if rows.loaded else _insert(server, rows, target)
    rows.path.unlink()
    if arrived != rows.count:
        raise RowsRefused(f"{rows.count} rows were sent, {arrived} arrived")
    return arrived


def _load(server: MySqlSession, rows: Rows, target: str) -> int:
    binary = {name: f"@b{place}" for place, (name, kind) in enumerate(rows.columns.items()) if kind.name == "binary"}
    named = comma(binary.get(name) or quote(name) for name in rows.columns)
    unhexed = comma(f"{quote(name)} = UNHEX({variable})" for name, variable in binary.items())
    return server.load(
        rows.path,
        f"INTO TABLE {target} CHARACTER SET utf8mb4 FIELDS TERMINATED BY ',' ENCLOSED BY '\"' ESCAPED BY '' "
        f"LINES TERMINATED BY X'0A' ({named}) {f'SET {unhexed}' if unhexed else ''}",
    )


def _insert(server: MySqlSession, rows: Rows, target: str) -> int:
    beginning = f"INSERT INTO {target} ({comma(map(quote, rows.columns))}) VALUES "
    csv.field_size_limit(sys.maxsize)
    with rows.path.open(encoding="utf-8", newline="") as file:
        return sum(server.run(beginning + comma(some)) for some in _statements(row for (row,) in csv.reader(file)))


def _literal(column: str, kind: DeltaType) -> str:
    written = to_text(column, kind)
    if kind.name == "binary":
        return f"'X''' || {written} || ''''"
    if kind.name == "string":
        return f"'''' || replace({written}, '''', '''''') || ''''"
    return f"'''' || {written} || ''''"


def _statements(rows: Iterable[str]) -> Iterator[list[str]]:
    """The rows in parts of about a megabyte."""
    part: list[str] = []
    size = 0
    for row in rows:
        part.append(row)
        size += len(row)
        if size >= _STATEMENT:
            yield part
            part, size = [], 0
    if part:
        yield part


def fetch(
    session: DuckSession, server: MySqlSession, query: str, columns: Mapping[str, DeltaType], relation: str
) -> None:
    """Append the rows of a MySQL query, which gives ``columns`` as text, to a relation of the session."""
    places = range(len(columns))
    shown = comma(f"{from_text(f'c{place}', kind)}" for place, kind in enumerate(columns.values()))
    arrived = comma(f"unnest(CAST(${place + 1} AS VARCHAR[])) AS c{place}" for place in places)
    for rows in server.texts(query, _BLOCK):
        values = [list(each) for each in zip(*rows, strict=True)]
        session.con.execute(f"INSERT INTO {relation} SELECT {shown} FROM (SELECT {arrived})", values)
