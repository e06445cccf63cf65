"""What SQL Server's system views say: asked by preparation and preflight alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from catchment.engines.base import Query
from catchment.engines.findings import Column
from catchment.engines.readiness import Wanted, WantedTable

TABLES = (
    "SELECT s.name, t.name, t.object_id, t.is_memory_optimized, t.temporal_type,"
    " CAST(CASE WHEN EXISTS (SELECT 1 FROM sys.indexes AS i WHERE i.object_id = t.object_id AND i.type IN (5, 6))"
    " THEN 1 ELSE 0 END AS bit), t.is_tracked_by_cdc,"
    " (SELECT SUM(p.rows) FROM sys.partitions AS p WHERE p.object_id = t.object_id AND p.index_id IN (0, 1))"
    " FROM sys.tables AS t JOIN sys.schemas AS s ON s.schema_id = t.schema_id WHERE t.is_ms_shipped = 0"
    " ORDER BY s.name, t.name"
)
KEYS = (
    "SELECT i.object_id, c.name FROM sys.indexes AS i"
    " JOIN sys.index_columns AS k ON k.object_id = i.object_id AND k.index_id = i.index_id"
    " JOIN sys.columns AS c ON c.object_id = k.object_id AND c.column_id = k.column_id"
    " WHERE i.is_primary_key = 1 ORDER BY i.object_id, k.key_ordinal"
)
# A unique index without a filter serves as a key to capture where there is no primary key.
UNIQUE = (
    "SELECT i.object_id, MIN(i.name) FROM sys.indexes AS i"
    " WHERE i.is_unique = 1 AND i.is_primary_key = 0 AND i.has_filter = 0 AND NOT EXISTS (SELECT 1"
    " FROM sys.index_columns AS k JOIN sys.columns AS c ON c.object_id = k.object_id AND c.column_id = k.column_id"
    " WHERE k.object_id = i.object_id AND k.index_id = i.index_id AND c.is_nullable = 1) GROUP BY i.object_id"
)
COLUMNS = (
    "SELECT c.object_id, c.name, TYPE_NAME(c.system_type_id), TYPE_NAME(c.user_type_id), c.max_length,"
    " c.[precision], c.[scale], c.is_computed, c.is_sparse FROM sys.columns AS c"
    " JOIN sys.tables AS t ON t.object_id = c.object_id ORDER BY c.object_id, c.column_id"
)
CAPTURED_COLUMNS = (
    "SELECT t.source_object_id, COUNT(DISTINCT c.column_id) FROM cdc.change_tables AS t"
    " JOIN cdc.captured_columns AS c ON c.object_id = t.object_id GROUP BY t.source_object_id"
)
ON_RDS = "SELECT 1 WHERE OBJECT_ID('msdb.dbo.rds_cdc_enable_db') IS NOT NULL"
# The table is made with the first capture of a server.
HAS_JOBS = "SELECT 1 WHERE OBJECT_ID('msdb.dbo.cdc_jobs') IS NOT NULL"
JOBS = "SELECT job_type, pollinginterval, retention FROM msdb.dbo.cdc_jobs WHERE database_id = DB_ID()"
WHO = "SELECT SUSER_SNAME()"
LOGIN_IS_THERE = "SELECT 1 FROM sys.server_principals WHERE name = %s"
USER_IS_THERE = "SELECT 1 FROM sys.database_principals WHERE name = %s"
OWNS_DATABASE = "SELECT 1 WHERE IS_ROLEMEMBER('db_owner', %s) = 1 OR IS_SRVROLEMEMBER('sysadmin', %s) = 1"
SERVER_RIGHTS = (
    "SELECT p.permission_name FROM sys.server_permissions AS p"
    " JOIN sys.server_principals AS u ON u.principal_id = p.grantee_principal_id WHERE u.name = %s AND p.state <> 'D'"
)
MSDB_USER_IS_THERE = "SELECT 1 FROM msdb.sys.database_principals WHERE name = %s"
MSDB_RIGHTS = (
    "SELECT LOWER(o.name) FROM msdb.sys.database_permissions AS p"
    " JOIN msdb.sys.database_principals AS u ON u.principal_id = p.grantee_principal_id"
    " JOIN msdb.sys.all_objects AS o ON o.object_id = p.major_id WHERE u.name = %s AND p.state <> 'D'"
)
_WITH_LENGTH = {"char": 1, "varchar": 1, "binary": 1, "varbinary": 1, "nchar": 2, "nvarchar": 2}
"""Bytes of a letter, where a type has a length."""


@dataclass(frozen=True)
class FoundTable:
    """A table that is there."""

    object_id: int
    memory_optimized: bool
    temporal: bool
    column_store: bool
    captured: bool
    rows: int


def tables(query: Query, wanted: Sequence[WantedTable]) -> dict[str, FoundTable]:
    """Those of the tables that are there."""
    names = {(table.schema, table.name): str(table) for table in wanted}
    return {
        names[schema, name]: FoundTable(
            number, bool(memory), temporal != 0, bool(store), bool(captured), int(rows or 0)
        )
        for schema, name, number, memory, temporal, store, captured, rows in query(TABLES)
        if (schema, name) in names
    }


def keys(query: Query, found: dict[str, FoundTable]) -> dict[str, list[str]]:
    """The primary keys, empty where there is none."""
    columns = defaultdict[int, list[str]](list)
    for number, column in query(KEYS):
        columns[number].append(column)
    return {name: columns[table.object_id] for name, table in found.items()}


def columns(query: Query, found: dict[str, FoundTable]) -> tuple[list[Column], list[tuple[str, str]]]:
    """The columns that are replicated, and those that are computed or sparse, and not."""
    names = {table.object_id: name for name, table in found.items()}
    stored, left_out = list[Column](), list[tuple[str, str]]()
    for number, column, system, user, length, precision, scale, computed, sparse in query(COLUMNS):
        if number not in names:
            continue
        if computed or sparse:
            left_out.append((names[number], column))
        else:
            stored.append((names[number], column, (declared(system or user, length, precision, scale),)))
    return stored, left_out


def declared(kind: str, length: int, precision: int, scale: int) -> str:
    """A type as T-SQL declares it, from what the catalog says of a column.

    Example: ``declared("nvarchar", 40, 0, 0) == "nvarchar(20)"``
    """
    if kind in _WITH_LENGTH:
        return f"{kind}({'max' if length == -1 else length // _WITH_LENGTH[kind]})"
    if kind in ("decimal", "numeric"):
        return f"{kind}({precision},{scale})"
    return "rowversion" if kind == "timestamp" else kind


def reader(query: Query, wanted: Wanted) -> str:
    """Who reads the source for DMS: the login that is wanted, or else who asks."""
    return wanted.user if wanted.user is not None else str(query(WHO)[0][0])


def jobs(query: Query) -> dict[str, tuple[int, int]]:
    """Polling interval in seconds and retention in minutes of the jobs of capture, by kind."""
    rows = query(JOBS) if query(HAS_JOBS) else []
    return {str(kind).strip(): (int(polling or 0), int(kept or 0)) for kind, polling, kept in rows}


def quoted(name: str) -> str:
    """A name inside a statement."""
    return "[" + name.replace("]", "]]") + "]"


def text(value: object) -> str:
    """A value inside a statement."""
    return "N'" + str(value).replace("'", "''") + "'"


def full_name(table: WantedTable) -> str:
    """A table inside a statement."""
    return f"{quoted(table.schema)}.{quoted(table.name)}"
