"""What Oracle's dictionary says: asked by preparation and preflight alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from catchment.engines.base import Query
from catchment.engines.findings import Column
from catchment.engines.readiness import Wanted, WantedTable

TABLES = "SELECT owner, table_name, temporary, num_rows FROM all_tables WHERE owner = %s AND nested = 'NO'"
KEYS = (
    "SELECT k.table_name, c.column_name FROM all_constraints k JOIN all_cons_columns c"
    " ON c.owner = k.owner AND c.constraint_name = k.constraint_name AND c.table_name = k.table_name"
    " WHERE k.owner = %s AND k.constraint_type = 'P' ORDER BY k.table_name, c.position"
)
COLUMNS = (
    "SELECT table_name, column_name, data_type, data_length, char_length, data_precision, data_scale,"
    " virtual_column, hidden_column FROM all_tab_cols WHERE owner = %s AND user_generated = 'YES'"
    " ORDER BY table_name, internal_column_id"
)
LOGGED_WHOLE = "SELECT table_name FROM all_log_groups WHERE owner = %s AND log_group_type = 'ALL COLUMN LOGGING'"
EVERY_SCHEMA = (
    "SELECT username FROM all_users WHERE oracle_maintained = 'N' AND username <> 'RDSADMIN' ORDER BY username"
)
ON_RDS = "SELECT 1 FROM all_objects WHERE owner = 'RDSADMIN' AND object_name = 'RDSADMIN_UTIL' AND rownum = 1"
DATABASE = "SELECT log_mode, supplemental_log_data_min, supplemental_log_data_all, database_role FROM v$database"
WHO = "SELECT user FROM dual"
USER_IS_THERE = "SELECT 1 FROM all_users WHERE username = %s"
SYSTEM_RIGHTS = (
    "SELECT privilege FROM dba_sys_privs WHERE grantee = %s"
    " UNION SELECT granted_role FROM dba_role_privs WHERE grantee = %s"
)
OBJECT_RIGHTS = "SELECT owner, table_name FROM dba_tab_privs WHERE grantee = %s AND privilege IN ('SELECT', 'READ')"
RETENTION = "SELECT value FROM rdsadmin.rds_configuration WHERE name = 'archivelog retention hours'"


def tables(query: Query, wanted: Sequence[WantedTable]) -> dict[str, tuple[bool, int]]:
    """Those of the tables that are there: whether temporary, and how many rows were counted last."""
    names = {(table.schema, table.name) for table in wanted}
    return {
        f"{owner}.{name}": (temporary == "Y", int(rows or 0))
        for schema in dict.fromkeys(table.schema for table in wanted)
        for owner, name, temporary, rows in query(TABLES, [schema])
        if (owner, name) in names
    }


def keys(query: Query, wanted: Sequence[WantedTable]) -> dict[str, list[str]]:
    """The primary keys, empty where there is none."""
    there = {name: list[str]() for name in tables(query, wanted)}
    for schema in dict.fromkeys(table.schema for table in wanted):
        for name, column in query(KEYS, [schema]):
            if f"{schema}.{name}" in there:
                there[f"{schema}.{name}"].append(column)
    return there


def columns(query: Query, wanted: Sequence[WantedTable]) -> tuple[list[Column], list[tuple[str, str]]]:
    """The columns that are replicated, and those that are virtual or invisible, and not."""
    there = set(tables(query, wanted))
    stored, left_out = list[Column](), list[tuple[str, str]]()
    for schema in dict.fromkeys(table.schema for table in wanted):
        for name, column, kind, length, letters, precision, scale, virtual, hidden in query(COLUMNS, [schema]):
            if f"{schema}.{name}" not in there:
                continue
            if virtual == "YES" or hidden == "YES":
                left_out.append((f"{schema}.{name}", column))
            else:
                text = declared(kind, length, letters, precision, scale)
                stored.append((f"{schema}.{name}", column, (text,)))
    return stored, left_out


def declared(kind: str, length: int, letters: int | None, precision: int | None, scale: int | None) -> str:
    """A type as it is declared, from what the dictionary says of a column.

    Example: ``declared("NUMBER", 22, 0, 12, 2) == "NUMBER(12,2)"``
    """
    if kind == "NUMBER":
        if precision is None:
            return "NUMBER" if scale is None else f"NUMBER(38,{scale})"
        return f"NUMBER({precision},{scale or 0})"
    if kind == "FLOAT":
        return f"FLOAT({precision})"
    if kind in ("VARCHAR2", "NVARCHAR2", "CHAR", "NCHAR"):
        return f"{kind}({letters})"
    return f"RAW({length})" if kind == "RAW" else kind


def logged_whole(query: Query, wanted: Sequence[WantedTable]) -> set[str]:
    """The tables of which every column is logged."""
    schemas = dict.fromkeys(table.schema for table in wanted)
    return {f"{schema}.{name}" for schema in schemas for (name,) in query(LOGGED_WHOLE, [schema])}


def reader(query: Query, wanted: Wanted) -> str:
    """Who reads the source for DMS: the user that is wanted, in capitals as Oracle has it, or else who asks."""
    return wanted.user.upper() if wanted.user is not None else str(query(WHO)[0][0])


def rights(query: Query, who: str) -> tuple[set[str], dict[str, set[str]]]:
    """System rights and roles of a user, and what it may read, by owner."""
    objects = defaultdict[str, set[str]](set)
    for owner, name in query(OBJECT_RIGHTS, [who]):
        objects[owner].add(name)
    return {str(name) for (name,) in query(SYSTEM_RIGHTS, [who, who])}, objects


def quoted(name: str) -> str:
    """A name inside a statement."""
    return '"' + name.replace('"', "") + '"'


def full_name(table: WantedTable) -> str:
    """A table inside a statement."""
    return f"{quoted(table.schema)}.{quoted(table.name)}"
