"""MySQL's tables as a comparison reads them: each row one text, made by the server, in one consistent snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from catchment.engines.mysql import values
from catchment.engines.mysql.types import dms_type
from catchment.engines.reconciliation import Moment, SourceColumn
from catchment.engines.statements import Query, query_of
from catchment.errors import SourceUnreadable

# Neither generated nor invisible columns are replicated (AWS DMS User Guide, CHAP_Source.MySQL).
_COLUMNS = """
SELECT column_name, column_type FROM information_schema.columns
WHERE table_schema = %s AND table_name = %s AND extra NOT LIKE '%%GENERATED%%' AND extra NOT LIKE '%%INVISIBLE%%'
ORDER BY ordinal_position
"""
_ROWS_AT_ONCE = 10_000


@contextmanager
def one_moment(connection: Any) -> Iterator[Moment]:
    """The database as it is now."""
    from pymysql.cursors import SSCursor

    query = query_of(connection)

    def write_lines(statement: str, write: Callable[[bytes], object]) -> None:
        with connection.cursor(SSCursor) as cursor:
            cursor.execute(statement)
            while rows := cursor.fetchmany(_ROWS_AT_ONCE):
                for (line,) in rows:
                    if line is None:  # MySQL gives NULL, and a warning, for a text beyond max_allowed_packet
                        raise SourceUnreadable("a row", "it is longer than max_allowed_packet")
                    write(line.encode() + b"\n")

    for statement in (*values.SESSION, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ"):
        query(statement)
    query("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
    yield Moment(query, write_lines)
    query("ROLLBACK")


def columns(query: Query, schema: str, table: str) -> list[SourceColumn]:
    """The columns of a table in their order, those that are not replicated left out."""
    rows = query(_COLUMNS, [schema, table])
    return [SourceColumn(name, declared, dms_type(declared)) for name, declared in rows]


def quote(name: str) -> str:
    """A name as SQL."""
    return "`" + name.replace("`", "``") + "`"


def lines(schema: str, table: str, columns: Sequence[SourceColumn]) -> str:
    """A query of the rows as lines."""
    shown = [values.line(quote(column.name), column.type, column.declared) for column in columns]
    return f"SELECT CONCAT_WS('\\t', {', '.join(['1', *shown])}) FROM {quote(schema)}.{quote(table)}"


def narrowed(column: SourceColumn) -> str | None:
    """Where DMS delivers less than the source has."""
    return values.narrowed(quote(column.name), column.declared)


def fingerprint(schema: str, table: str, columns: Sequence[SourceColumn]) -> str:
    """A query of the number of rows and the sum of their hashes."""
    row = ", ".join(values.line(quote(column.name), column.type, column.declared) for column in columns)
    hashed = f"CAST(CONV(LEFT(MD5(CONCAT_WS('\\t', {row})), 15), 16, 10) AS UNSIGNED)"
    return f"SELECT COUNT(*), COALESCE(SUM({hashed}), 0) FROM {quote(schema)}.{quote(table)}"


def set_fence(query: Query) -> str:
    """Where the binary log ends now, as ``file:position``."""
    [(version,)] = query("SELECT VERSION()")
    renamed = "MariaDB" not in version and tuple(int(part) for part in version.split(".")[:2]) >= (8, 2)
    [(file, position, *_)] = query("SHOW BINARY LOG STATUS" if renamed else "SHOW MASTER STATUS")
    return f"{file}:{position}"


def order(position: str) -> tuple[int, ...]:
    """What orders positions such as ``mysql-bin-changelog.000024:373``."""
    file, _, offset = position.rpartition(":")
    return int(file.rpartition(".")[2]), int(offset)
