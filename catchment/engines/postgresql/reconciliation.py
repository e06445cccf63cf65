"""PostgreSQL's tables as a comparison reads them: by COPY, inside one repeatable-read transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from catchment.engines.postgresql import values
from catchment.engines.postgresql.types import dms_type
from catchment.engines.reconciliation import Moment, SourceColumn
from catchment.engines.statements import Query, query_of

_COLUMNS = """
WITH RECURSIVE base AS (
    SELECT a.attnum, a.attname, t.oid AS type, t.typtype, a.atttypmod AS modifier, t.typbasetype, t.typtypmod
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = to_regclass(quote_ident(%s) || '.' || quote_ident(%s)) AND a.attnum > 0 AND NOT a.attisdropped
      AND (a.attgenerated = '' OR a.attgenerated = 's' AND current_setting('server_version_num')::int >= 180000)
    UNION ALL
    SELECT b.attnum, b.attname, t.oid, t.typtype, b.typtypmod, t.typbasetype, t.typtypmod
    FROM base b JOIN pg_type t ON t.oid = b.typbasetype WHERE b.typtype = 'd'
)
SELECT attname::text, format_type(type, modifier), typtype::text FROM base WHERE typtype <> 'd' ORDER BY attnum
"""
_FENCE = "SELECT pg_logical_emit_message(true, 'catchment', 'fence')::text"


class _Sink:
    """What pg8000 writes to."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self.write = write


@contextmanager
def one_moment(connection: Any) -> Iterator[Moment]:
    """The database as it is now."""
    query = query_of(connection)

    def write_lines(statement: str, write: Callable[[bytes], object]) -> None:
        connection.cursor().execute(f"COPY ({statement}) TO STDOUT", stream=_Sink(write))

    for statement in values.SESSION:
        query(statement)
    query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    yield Moment(query, write_lines)
    query("ROLLBACK")


def columns(query: Query, schema: str, table: str) -> list[SourceColumn]:
    """The columns of a table in their order, those that are not replicated left out.

    The stream carries stored generated columns from PostgreSQL 18 on (publish_generated_columns), virtual ones never.
    """
    rows = query(_COLUMNS, [schema, table])
    return [SourceColumn(name, declared, dms_type(declared, kind)) for name, declared, kind in rows]


def quote(name: str) -> str:
    """A name as SQL."""
    return '"' + name.replace('"', '""') + '"'


def lines(schema: str, table: str, columns: Sequence[SourceColumn]) -> str:
    """A query of the rows, which COPY writes as lines."""
    shown = [values.delivered(quote(column.name), column.type, column.declared) for column in columns]
    # the leading constant keeps a line from being empty where the only column holds an empty text
    return f"SELECT {', '.join(['1', *shown])} FROM {quote(schema)}.{quote(table)}"


def narrowed(column: SourceColumn) -> str | None:
    """Where DMS delivers less than the source has."""
    return values.narrowed(quote(column.name), column.type, column.declared)


def fingerprint(schema: str, table: str, columns: Sequence[SourceColumn]) -> str:
    """A query of the number of rows and the sum of their hashes."""
    row = ", ".join(quote(column.name) for column in columns)
    # 60 bits of each row's MD5
    hashed = f"('x' || left(md5(ROW({row})::text), 15))::bit(60)::bigint"
    return f"SELECT count(*), coalesce(sum({hashed}), 0) FROM {quote(schema)}.{quote(table)}"


def set_fence(query: Query) -> str:
    """The position of a message written into the log by a transaction of its own.

    Every commit before it has a lower position, and the stream passes it even when nothing else happens.
    """
    [(position,)] = query(_FENCE)
    return str(position)


def order(position: str) -> tuple[int, ...]:
    """What orders positions such as ``4AF/B00000D0``."""
    high, low = position.split("/")
    return int(high, 16), int(low, 16)
