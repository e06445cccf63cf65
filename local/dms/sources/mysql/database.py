"""The source database as a task sees it: sessions, catalog, log positions, and what DMS asks of the log."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pymysql
from pymysql.connections import Connection
from pymysql.cursors import Cursor, SSCursor

from catchment.engines.mysql.types import dms_type
from catchment.errors import TypeRefused
from local.dms.address import SourceAddress
from local.dms.policies import ErrorPolicy, TaskFailed
from local.dms.shapes import Column, SourceTable, TableShape
from local.dms.sources.mysql.table_map import Known

SESSION = (
    "SET SESSION time_zone = '+00:00', sql_mode = 'NO_BACKSLASH_ESCAPES', character_set_results = utf8mb4,"
    " net_write_timeout = 600"
)
"""The spelling of values in every session of a task: what the type conversion expects."""

_TABLES = """
SELECT table_schema, table_name FROM information_schema.tables
WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys')
  AND left(table_name, 7) <> 'awsdms_'
ORDER BY 1, 2"""

# MySQL marks a default that is an expression as DEFAULT_GENERATED
_COLUMNS = """
SELECT column_name, column_type,
  extra REGEXP 'INVISIBLE|(VIRTUAL|STORED) GENERATED|PERSISTENT' AS hidden
FROM information_schema.columns WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position"""

_KEY = """
SELECT column_name FROM information_schema.statistics
WHERE table_schema = %s AND table_name = %s AND index_name = 'PRIMARY' ORDER BY seq_in_index"""

_CHARSETS = """
SELECT id, character_set_name FROM information_schema.collation_character_set_applicability WHERE id IS NOT NULL"""

_LOG = "SELECT @@log_bin, @@global.binlog_format, @@global.binlog_row_image, @@global.binlog_row_metadata"


def connect(address: SourceAddress, *, raw: bool = False) -> Connection:
    """A session in autocommit mode. Raises pymysql.MySQLError.

    ``raw``: rows come as they are read from the server, values as the text or bytes that it sends.
    """
    options: dict[str, Any] = {"conv": {}, "cursorclass": SSCursor} if raw else {}
    return pymysql.connect(**arguments(address), init_command=SESSION, autocommit=True, **options)


def arguments(address: SourceAddress) -> dict[str, Any]:
    """Arguments of pymysql.connect."""
    return {
        "host": address.host,
        "port": address.port,
        "user": address.user,
        "password": address.password,
        "charset": "utf8mb4",
        "connect_timeout": 10,
        "program_name": "AWS DMS (emulated)",
    }


def identifier(name: str) -> str:
    """A name in backticks."""
    return "`" + name.replace("`", "``") + "`"


def literal(value: str) -> str:
    """A value in apostrophes, for a session of ``connect``."""
    return "'" + value.replace("'", "''") + "'"


class Catalog:
    """Reads table definitions through one connection that the caller owns."""

    def __init__(self, connection: Connection, policy: ErrorPolicy) -> None:
        self._connection, self._policy = connection, policy

    def tables(self) -> list[tuple[str, str]]:
        """All tables a task could take, by schema and name."""
        return [(schema, table) for schema, table in self.rows(_TABLES)]

    def read(self, schema: str, table: str) -> SourceTable | None:
        """A table's definition as of now, None if it is not there. Raises TableSuspended, TaskFailed."""
        found = self.rows(_COLUMNS, schema, table)
        if not found:
            return None
        key = tuple(row[0] for row in self.rows(_KEY, schema, table))
        try:
            columns = tuple(Column(name, dms_type(kind), name in key) for name, kind, hidden in found if not hidden)
        except TypeRefused as error:
            self._policy.suspend(f"{schema}.{table}", str(error))
            raise
        return SourceTable(TableShape(schema, table, columns, key))

    def known(self, schema: str, table: str, charsets: Mapping[int, str]) -> Known:
        """What a table's map in the log does not say of it, as of now."""
        found = self.rows(_COLUMNS, schema, table)
        hidden = frozenset(name for name, _, hidden in found if hidden)
        words = {name: _words(kind) for name, kind, _ in found if kind.startswith(("enum(", "set("))}
        return Known(hidden, words, charsets)

    def charsets(self) -> dict[int, str]:
        """The server's character sets by the numbers of their collations."""
        return {int(number): name for number, name in self.rows(_CHARSETS)}

    def rows(self, query: str, *arguments: object) -> Sequence[tuple[Any, ...]]:
        """A query's rows."""
        with self._connection.cursor(Cursor) as cursor:
            cursor.execute(query, arguments or None)
            return list(cursor.fetchall())


def _words(declared: str) -> list[str]:
    return [word.replace("''", "'") for word in re.findall(r"'((?:[^']|'')*)'", declared)]


def check_log(catalog: Catalog) -> None:
    """Refuse a server whose log DMS cannot read. Raises TaskFailed."""
    [(log_bin, form, image, metadata)] = catalog.rows(_LOG)
    if not int(log_bin):
        raise TaskFailed("Binary Logging must be enabled for MySQL server (automated backups switch it on)")
    for name, found, wanted in (("binlog_format", form, "ROW"), ("binlog_row_image", image, "FULL")):
        if found != wanted:
            raise TaskFailed(f"System variable '{name}' must be '{wanted}' for MySQL server; it is '{found}'")
    if metadata != "FULL":
        raise TaskFailed(f"binlog_row_metadata is {metadata}: the emulated task reads column names from the log (FULL)")


def parse_position(text: str) -> int:
    """A number for a place in the log, in the order of places: the log's number, then the place in it.

    Example: ``parse_position("mysql-bin-changelog.000024:373")``
    """
    name, _, place = text.rpartition(":")
    return int(name.rpartition(".")[2]) << 32 | int(place)


def format_position(base: str, position: int) -> str:
    """A place in the log from its number; ``base`` is the name of logs before their numbers."""
    return f"{base}.{position >> 32:06d}:{position & 0xFFFFFFFF}"
