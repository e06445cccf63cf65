"""SQL Server's tables as a comparison reads them: each row one text, made by the server, in one snapshot.

The database must allow snapshots (ALTER DATABASE … SET ALLOW_SNAPSHOT_ISOLATION ON).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from catchment.engines.reconciliation import Moment, SourceColumn
from catchment.engines.sqlserver import values
from catchment.engines.sqlserver.types import dms_type
from catchment.engines.statements import Query, query_of

# Computed columns are not replicated; a rowversion is another one after each update.
_COLUMNS = """
SELECT column_name, data_type, character_maximum_length, numeric_precision, numeric_scale
FROM information_schema.columns
WHERE table_schema = %s AND table_name = %s AND data_type <> 'timestamp'
  AND COLUMNPROPERTY(OBJECT_ID(QUOTENAME(table_schema) + '.' + QUOTENAME(table_name)), column_name, 'IsComputed') = 0
ORDER BY ordinal_position
"""
_MAX = -1
_WITH_LENGTH = ("char", "varchar", "nchar", "nvarchar", "binary", "varbinary")
_ROWS_AT_ONCE = 10_000
# The end of the log, as file : block : slot. What capture has read of it may be less.
_LOG_END = "SELECT log_end_lsn FROM sys.dm_db_log_stats(DB_ID())"


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

    query("SET TRANSACTION ISOLATION LEVEL SNAPSHOT")
    query("BEGIN TRANSACTION")
    yield Moment(query, write_lines)
    query("ROLLBACK TRANSACTION")


def columns(query: Query, schema: str, table: str) -> list[SourceColumn]:
    """The columns of a table in their order, those that are not replicated left out, and the rowversion."""
    found = [(row[0], _declared(*row[1:])) for row in query(_COLUMNS, [schema, table])]
    return [SourceColumn(name, declared, dms_type(declared)) for name, declared in found]


def _declared(name: str, length: int | None, precision: int | None, scale: int | None) -> str:
    if name in _WITH_LENGTH and length is not None:
        return f"{name}({'max' if length == _MAX else length})"
    return f"{name}({precision},{scale})" if name in ("decimal", "numeric") else name


def quote(name: str) -> str:
    """A name as SQL."""
    return "[" + name.replace("]", "]]") + "]"


def lines(schema: str, table: str, columns: Sequence[SourceColumn]) -> str:
    """A query of the rows as lines."""
    shown = [values.line(quote(column.name), column.type, column.declared) for column in columns]
    fields = " + NCHAR(9) + ".join(["CAST(N'1' AS nvarchar(max))", *shown])
    return f"SELECT {fields} FROM {quote(schema)}.{quote(table)}"


def narrowed(column: SourceColumn) -> str | None:
    """Where DMS delivers less than the source has."""
    return values.narrowed(quote(column.name), column.declared)


def fingerprint(schema: str, table: str, columns: Sequence[SourceColumn]) -> str:
    """A query of the number of rows and the sum of their hashes."""
    row = " + NCHAR(9) + ".join(values.line(quote(column.name), column.type, column.declared) for column in columns)
    # the first eight bytes of each row's SHA-256, as a signed number
    hashed = f"CAST(CAST(SUBSTRING(HASHBYTES('SHA2_256', {row}), 1, 8) AS bigint) AS decimal(38, 0))"
    return f"SELECT COUNT_BIG(*), COALESCE(SUM({hashed}), 0) FROM {quote(schema)}.{quote(table)}"


def set_fence(query: Query) -> str:
    """Where the transaction log ends now, as ``file:block:slot``."""
    [(position,)] = query(_LOG_END)
    return str(position)


def order(position: str) -> tuple[int, ...]:
    """What orders positions such as ``0000007c:0000029b:0003``."""
    return tuple(int(part, 16) for part in position.split(":"))
