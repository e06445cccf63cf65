"""What PostgreSQL's catalog says of tables, columns and users: asked by preparation and preflight alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from catchment.engines.base import Query
from catchment.engines.findings import Column
from catchment.engines.readiness import Wanted, WantedTable

TABLES = (
    "SELECT w.table_schema || '.' || w.table_name, c.oid::bigint, c.relkind::text, c.relpersistence::text,"
    " c.relreplident::text, c.relrowsecurity,"
    " coalesce(pg_relation_size(nullif(c.reltoastrelid, 0)), 0)::bigint,"
    " (SELECT i.relname::text FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid"
    " WHERE x.indrelid = c.oid AND x.indisreplident)"
    " FROM unnest(%s::text[], %s::text[]) AS w(table_schema, table_name)"
    " JOIN pg_namespace n ON n.nspname = w.table_schema"
    " JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.table_name ORDER BY 1"
)
KEYS = (
    "SELECT i.indrelid::bigint, a.attname::text FROM pg_index i"
    " CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(attnum, place)"
    " JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum"
    " WHERE i.indisprimary AND i.indrelid = ANY(%s::bigint[]) ORDER BY 1, k.place"
)
# A domain is followed to its base type.
COLUMNS = (
    "SELECT a.attrelid::bigint, a.attname::text, b.declared, b.kind, a.attgenerated::text FROM pg_attribute a"
    " CROSS JOIN LATERAL (WITH RECURSIVE base AS ("
    " SELECT a.atttypid AS type, a.atttypmod AS modifier, 0 AS depth"
    " UNION ALL SELECT t.typbasetype, t.typtypmod, depth + 1 FROM base"
    " JOIN pg_type t ON t.oid = base.type WHERE t.typtype = 'd')"
    " SELECT format_type(type, modifier) AS declared, t.typtype::text AS kind"
    " FROM base JOIN pg_type t ON t.oid = base.type ORDER BY depth DESC LIMIT 1) AS b"
    " WHERE a.attrelid = ANY(%s::bigint[]) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attrelid, a.attnum"
)
EVERY_TABLE = (
    "SELECT n.nspname::text, c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence = 'p'"
    " AND n.nspname <> 'information_schema' AND NOT starts_with(n.nspname, 'pg_')"
    " AND NOT starts_with(c.relname, 'awsdms_') ORDER BY 1, 2"
)
WHO = "SELECT current_user::text"
# On RDS nobody is superuser, and the right to replicate is membership.
USER = (
    "SELECT r.rolsuper, r.rolreplication OR EXISTS (SELECT 1 FROM pg_roles g WHERE g.rolname = 'rds_replication'"
    " AND pg_has_role(r.oid, g.oid, 'MEMBER')), EXISTS (SELECT 1 FROM pg_roles g WHERE g.rolname = 'rds_superuser'"
    " AND pg_has_role(r.oid, g.oid, 'MEMBER')), r.rolbypassrls FROM pg_roles r WHERE r.rolname = %s"
)
ON_RDS = "SELECT 1 FROM pg_roles WHERE rolname = 'rds_superuser'"
SCHEMA_RIGHT = "SELECT has_schema_privilege(%s, %s, %s)"
MAY_READ = "SELECT has_table_privilege(%s, %s::bigint::oid, 'SELECT')"
IDLE_TIMEOUT = "idle_in_transaction_session_timeout"
# What holds for the user's sessions: set for it in this database, for it, for the database, or for everybody.
IDLE_SECONDS = (
    "SELECT coalesce((SELECT split_part(c, '=', 2) FROM pg_db_role_setting s CROSS JOIN LATERAL unnest(s.setconfig) c"
    " WHERE s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))"
    " AND s.setrole IN (0, (SELECT oid FROM pg_roles WHERE rolname = %s))"
    " AND starts_with(c, 'idle_in_transaction_session_timeout=')"
    " ORDER BY s.setrole = 0, s.setdatabase = 0 LIMIT 1),"
    " (SELECT reset_val FROM pg_settings WHERE name = 'idle_in_transaction_session_timeout')) NOT IN ('0', '0ms')"
)
SETTING = "SELECT setting FROM pg_settings WHERE name = %s"
ARTIFACTS = "public"
"""The schema of what DMS keeps in a source: DdlArtifactsSchema and HeartbeatSchema, which its endpoints leave alone."""
AUDIT = "SELECT 1 FROM pg_event_trigger WHERE evtname = 'awsdms_intercept_ddl'"


@dataclass(frozen=True)
class FoundTable:
    """A table that is there."""

    oid: int
    kind: str
    """``r``: a table, ``p``: a partitioned one, anything else: none."""
    persistence: str
    identity: str
    """Replica identity: ``d`` default, ``n`` nothing, ``f`` full, ``i`` an index."""
    row_security: bool
    out_of_line_bytes: int
    identity_index: str | None


@dataclass(frozen=True)
class User:
    """What a user is."""

    superuser: bool
    replicates: bool
    rds_superuser: bool
    bypasses_row_security: bool


def tables(query: Query, wanted: Sequence[WantedTable]) -> dict[str, FoundTable]:
    """Those of the tables that are there."""
    rows = query(TABLES, [[table.schema for table in wanted], [table.name for table in wanted]])
    return {
        name: FoundTable(oid, kind, persistence, identity, security, toasted, index)
        for name, oid, kind, persistence, identity, security, toasted, index in rows
    }


def keys(query: Query, found: dict[str, FoundTable]) -> dict[str, list[str]]:
    """The primary keys, empty where there is none."""
    columns = defaultdict[int, list[str]](list)
    for oid, column in query(KEYS, [[table.oid for table in found.values()]]):
        columns[oid].append(column)
    return {name: columns[table.oid] for name, table in found.items()}


def columns(query: Query, found: dict[str, FoundTable]) -> tuple[list[Column], list[tuple[str, str]]]:
    """The columns that are stored, and those that are computed when they are read."""
    names = {table.oid: name for name, table in found.items()}
    rows = query(COLUMNS, [list(names)])
    stored: list[Column] = [
        (names[oid], column, (declared, kind)) for oid, column, declared, kind, made in rows if made != "v"
    ]
    return stored, [(names[oid], column) for oid, column, _, _, made in rows if made == "v"]


def user(query: Query, name: str) -> User | None:
    """What a user is; None where there is none of the name."""
    rows = query(USER, [name])
    return User(*rows[0]) if rows else None


def reader(query: Query, wanted: Wanted) -> str:
    """Who reads the source for DMS: the user that is wanted, or else who asks."""
    return wanted.user if wanted.user is not None else str(query(WHO)[0][0])


def setting(query: Query, name: str) -> str | None:
    """A setting of the server in its base unit, None where the server does not know it."""
    rows = query(SETTING, [name])
    return str(rows[0][0]) if rows else None


def is_true(query: Query, question: str, parameters: Sequence[object] = ()) -> bool:
    """The one answer to a question of yes or no."""
    [(answer,)] = query(question, parameters)
    return bool(answer)


def quoted(name: str) -> str:
    """A name inside a statement."""
    return '"' + name.replace('"', '""') + '"'


def full_name(table: WantedTable) -> str:
    """A table inside a statement."""
    return f"{quoted(table.schema)}.{quoted(table.name)}"


def wants_full_rows(table: WantedTable, found: FoundTable) -> bool:
    """Whether a table's changes have to carry the whole old row: PostgreSQL leaves unchanged large values out."""
    return found.out_of_line_bytes > 0 if table.full_rows is None else table.full_rows
