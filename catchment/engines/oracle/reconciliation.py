"""Oracle's tables as a comparison reads them: each row one text, made by the server, in one read-only transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from catchment.engines.oracle import values
from catchment.engines.oracle.types import dms_type
from catchment.engines.reconciliation import Moment, SourceColumn
from catchment.engines.statements import Query, query_of

# A BLOB, LONG or LONG RAW is no text of any SQL expression; virtual and invisible columns are not replicated.
_COLUMNS = """
SELECT column_name, data_type, char_length, data_length, data_precision, data_scale FROM all_tab_cols
WHERE owner = %s AND table_name = %s AND virtual_column = 'NO' AND hidden_column = 'NO'
  AND data_type NOT IN ('BLOB', 'LONG', 'LONG RAW')
ORDER BY column_id
"""
_CHARACTERS = ("CHAR", "VARCHAR2", "NCHAR", "NVARCHAR2")
_ROWS_AT_ONCE = 10_000
_SCN = "SELECT current_scn FROM v$database"


@contextmanager
def one_moment(connection: Any) -> Iterator[Moment]:
    """The database as it is now."""
    query = query_of(connection)

    def write_lines(statement: str, write: Callable[[bytes], object]) -> None:
        cursor = connection.cursor()
        cursor.execute(statement)
        while rows := cursor.fetchmany(_ROWS_AT_ONCE):
            for (line,) in rows:
                write(line.encode() + b"\n")

    query("SET TRANSACTION READ ONLY")
    yield Moment(query, write_lines)
    query("ROLLBACK")


def columns(query: Query, schema: str, table: str) -> list[SourceColumn]:
    """The columns of a table in their order, without those that are not replicated, and BLOB, LONG and LONG RAW."""
    found = [(row[0], _declared(*row[1:])) for row in query(_COLUMNS, [schema, table])]
    return [SourceColumn(name, declared, dms_type(declared)) for name, declared in found]


def _declared(name: str, characters: int, length: int, precision: int | None, scale: int | None) -> str:
    if name in _CHARACTERS:
        return f"{name}({characters})"
    if name == "RAW":
        return f"{name}({length})"
    if name == "FLOAT" or (name == "NUMBER" and precision is not None):
        return f"{name}({precision})" if scale is None else f"{name}({precision},{scale})"
    return "NUMBER(*,0)" if name == "NUMBER" and scale == 0 else name


def quote(name: str) -> str:
    """A name as SQL."""
    return '"' + name + '"'


def lines(schema: str, table: str, columns: Sequence[SourceColumn]) -> str:
    """A query of the rows as lines."""
    shown = [values.line(quote(column.name), column.type, column.declared) for column in columns]
    fields = " || CHR(9) || ".join(["TO_CLOB('1')", *shown])
    return f"SELECT {fields} FROM {quote(schema)}.{quote(table)}"


def narrowed(column: SourceColumn) -> str | None:
    """Where DMS delivers less than the source has."""
    return values.narrowed(quote(column.name), column.type, column.declared)


def fingerprint(schema: str, table: str, columns: Sequence[SourceColumn]) -> str:
    """A query of the number of rows and the sum of their hashes.

    Columns are hashed one by one, for a text has at most 4,000 bytes; of a CLOB its first 1,000 letters and its length.
    """
    hashes = " || ".join(f"STANDARD_HASH({_short(column)}, 'MD5')" for column in columns)
    # 60 bits of each row's MD5
    hashed = f"TO_NUMBER(SUBSTR(RAWTOHEX(STANDARD_HASH({hashes}, 'MD5')), 1, 15), 'XXXXXXXXXXXXXXX')"
    return f"SELECT COUNT(*), NVL(SUM({hashed}), 0) FROM {quote(schema)}.{quote(table)}"


def _short(column: SourceColumn) -> str:
    name = quote(column.name)
    if column.type.is_lob:
        name = values.delivered(name, column.type, column.declared)
        return f"DBMS_LOB.GETLENGTH({name}) || ':' || DBMS_LOB.SUBSTR({name}, 1000, 1)"
    return values.line(name, column.type, column.declared)


def set_fence(query: Query) -> str:
    """The system change number that the database has come to."""
    [(number,)] = query(_SCN)
    return str(number)


def order(position: str) -> tuple[int, ...]:
    """What orders system change numbers."""
    return (int(position),)
