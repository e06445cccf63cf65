"""The source side of a comparison: a PostgreSQL table, each value in the form in which DMS delivers it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import psycopg

from catchment.engines.dms_types import DmsType, Form
from catchment.engines.postgresql.types import dms_type, interval_words
from catchment.engines.postgresql.values import SESSION, delivered, narrowed
from catchment.landing.types import DeltaType
from catchment.reconcile.compare import identifier
from catchment.reconcile.verdict import Narrowing

SHORT_LINE = 2 * 1024 * 1024

_COLUMNS = """
WITH RECURSIVE base AS (
    SELECT a.attnum, a.attname, t.oid AS type, t.typtype, a.atttypmod AS modifier, t.typbasetype, t.typtypmod
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = to_regclass(format('%%I.%%I', %s::text, %s::text)) AND a.attnum > 0 AND NOT a.attisdropped
      AND (a.attgenerated = '' OR a.attgenerated = 's' AND current_setting('server_version_num')::int >= 180000)
    UNION ALL
    SELECT b.attnum, b.attname, t.oid, t.typtype, b.typtypmod, t.typbasetype, t.typtypmod
    FROM base b JOIN pg_type t ON t.oid = b.typbasetype WHERE b.typtype = 'd'
)
SELECT attname, format_type(type, modifier), typtype FROM base WHERE typtype <> 'd' ORDER BY attnum
"""


@dataclass(frozen=True)
class SourceColumn:
    """A column of the source: its name, its (base) type as PostgreSQL declares it, and what DMS makes of it."""

    name: str
    declared: str
    type: DmsType

    @property
    def delta(self) -> DeltaType:
        """The type in which the lake gets it."""
        return DeltaType.parse(self.type.delta)


class TableGone(LookupError):
    """The source has no such table."""

    def __init__(self, schema: str, table: str) -> None:
        super().__init__(schema, table)
        self.schema, self.table = schema, table

    def __str__(self) -> str:
        return f"the source has no table {self.schema}.{self.table}"


@contextmanager
def one_moment(dsn: str) -> Iterator[psycopg.Connection]:
    """A connection whose every query sees the database as it is now: all tables of a comparison at one moment."""
    with psycopg.connect(dsn) as connection:
        for statement in SESSION:
            connection.execute(statement)
        connection.commit()
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        yield connection
        connection.rollback()


def columns_of(connection: psycopg.Connection, schema: str, table: str) -> list[SourceColumn]:
    """The columns of a source table in their order, those that are not replicated left out. Raises TableGone.

    The stream carries stored generated columns from PostgreSQL 18 on (publish_generated_columns), virtual ones never.
    """
    rows = connection.execute(_COLUMNS, [schema, table]).fetchall()
    if not rows:
        raise TableGone(schema, table)
    return [SourceColumn(name, declared, dms_type(declared, kind)) for name, declared, kind in rows]


def narrowings(
    connection: psycopg.Connection, schema: str, table: str, columns: list[SourceColumn]
) -> tuple[Narrowing, ...]:
    """Which columns hold values that DMS cannot deliver as they are, and in how many rows."""
    conditions = {column: narrowed(identifier(column.name), column.type, column.declared) for column in columns}
    asked = [(column, condition) for column, condition in conditions.items() if condition]
    if not asked:
        return ()
    counts = ", ".join(f"count(*) FILTER (WHERE {condition})" for _, condition in asked)
    query = f"SELECT {counts} FROM {identifier(schema)}.{identifier(table)}"
    row = connection.execute(query).fetchone()
    assert row is not None
    return tuple(
        Narrowing(column.name, column.type.narrows or "", rows)
        for (column, _), rows in zip(asked, row, strict=True)
        if rows
    )


def copy_table(connection: psycopg.Connection, schema: str, table: str, columns: list[SourceColumn], file: Path) -> int:
    """Write the table's rows to ``file`` in PostgreSQL's text format, in the form in which DMS delivers the values.

    Returns the length of the longest line in bytes, which read_copy needs.
    """
    values = ", ".join(delivered(identifier(column.name), column.type, column.declared) for column in columns)
    # the leading constant keeps a line from being empty where the only column holds an empty text
    query = f"COPY (SELECT 1, {values} FROM {identifier(schema)}.{identifier(table)}) TO STDOUT"
    with file.open("wb", buffering=1 << 20) as sink, connection.cursor() as cursor, cursor.copy(query) as copy:
        longest = 0
        for line in copy:
            sink.write(line)
            longest = max(longest, len(line))
    return longest


def read_copy(
    con: duckdb.DuckDBPyConnection, file: Path, columns: list[SourceColumn], relation: str, *, longest: int
) -> None:
    """Make the temporary table ``relation`` of a file that copy_table wrote; every value is text, bytes are binary."""
    _declare_words(con)
    values = ", ".join(_unescaped(position, column) for position, column in enumerate(columns, start=1))
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE {relation} AS SELECT {values}
        FROM read_csv(?, header=false, delim='\t', quote='', escape='', comment='', nullstr='\\N', new_line='\\n',
             auto_detect=false, strict_mode=true, max_line_size={max(longest + 1, SHORT_LINE)}, columns=?)""",
        [str(file), {f"c{position}": "VARCHAR" for position in range(len(columns) + 1)}],
    )


# PostgreSQL's text format escapes these; a backslash itself is doubled, which U+0000, no text's character, stands for
_ESCAPES = {r"\b": 8, r"\f": 12, r"\n": 10, r"\r": 13, r"\t": 9, r"\v": 11}


def _unescaped(position: int, column: SourceColumn) -> str:
    raw = f"c{position}"
    text = rf"replace({raw}, '\\', chr(0))"
    for escape, code in _ESCAPES.items():
        text = f"replace({text}, '{escape}', chr({code}))"
    text = rf"CASE WHEN contains({raw}, '\') THEN replace({text}, chr(0), '\') ELSE {raw} END"
    if column.type.form is Form.HEX:
        text = f"unhex(substr({text}, 3))"
    elif column.type.form is Form.INTERVAL_WORDS:
        text = f"dms_interval_words({text})"
    return f"{text} AS {identifier(column.name)}"


def _declare_words(con: duckdb.DuckDBPyConnection) -> None:
    known = con.execute("SELECT 1 FROM duckdb_functions() WHERE function_name = 'dms_interval_words'").fetchone()
    if known is None:
        con.create_function("dms_interval_words", interval_words, ["VARCHAR"], "VARCHAR")
