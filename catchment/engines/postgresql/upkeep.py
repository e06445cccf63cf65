"""What replication keeps in a PostgreSQL source, and leaves there: slots, publications, the objects of DDL capture."""

from __future__ import annotations

from collections.abc import Sequence

from catchment.engines.base import LogUse, Query, Table, percent_left

SLOTS = (
    "SELECT slot_name::text, active FROM pg_replication_slots"
    " WHERE slot_type = 'logical' AND database = current_database() ORDER BY 1"
)
# DMS puts the first letters of the task's id into the slot's name, which nobody has promised to stay so.
HELD = (
    "SELECT s.slot_name::text FROM pg_replication_slots s LEFT JOIN pg_stat_activity a ON a.pid = s.active_pid"
    " WHERE s.slot_type = 'logical' AND s.database = current_database()"
    " AND (a.usename = current_user OR position(%s IN s.slot_name::text) > 0) ORDER BY 1"
)
ID_LETTERS = 16
# A physical slot, and one of another database, fills the same disk.
RETAINED = (
    "SELECT coalesce(max(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)), 0)::bigint,"
    " coalesce(bool_or(wal_status = 'lost'), false) FROM pg_replication_slots"
)
# In megabytes; -1: as much as the disk takes.
KEEP_MB = "SELECT setting::bigint FROM pg_settings WHERE name = 'max_slot_wal_keep_size'"
DATA_BYTES = "SELECT sum(pg_database_size(oid))::bigint FROM pg_database WHERE datallowconn"
DROP_SLOT = "SELECT pg_drop_replication_slot(%s)"
# Publications are named after the slot of the task that made them.
PUBLICATIONS = "SELECT pubname::text FROM pg_publication WHERE starts_with(pubname::text, %s) ORDER BY 1"
# A slot that stands still may be that of another task of DMS, which then needs DDL capture as well.
OTHER_TASKS = (
    "SELECT slot_name::text FROM pg_replication_slots WHERE database = current_database()"
    " AND (plugin IN ('test_decoding', 'pglogical') OR starts_with(slot_name::text, 'awsdms_'))"
)
# AWS DMS User Guide, "Removing AWS DMS artifacts from a PostgreSQL source database".
DDL_CAPTURE = (
    ("event trigger", "SELECT 1 FROM pg_event_trigger WHERE evtname = 'awsdms_intercept_ddl'",
     "DROP EVENT TRIGGER awsdms_intercept_ddl"),
    ("function", "SELECT 1 FROM pg_proc WHERE proname = 'awsdms_intercept_ddl'",
     "DROP FUNCTION awsdms_intercept_ddl()"),
    ("table", "SELECT 1 FROM pg_class WHERE relname = 'awsdms_ddl_audit' AND relkind = 'r'",
     "DROP TABLE awsdms_ddl_audit"),
)  # fmt: skip


def log_use(query: Query, storage_bytes: int | None) -> LogUse:
    """The log that the slot furthest behind keeps.

    It may keep ``max_slot_wal_keep_size``, or, without that limit, what the databases leave of the disk.
    """
    [(retained, lost)] = query(RETAINED)
    [(keep_mb,)] = query(KEEP_MB)
    if lost:
        return LogUse(int(retained), 0.0)
    if keep_mb >= 0:
        return LogUse(int(retained), percent_left(retained, keep_mb * 2**20))
    if storage_bytes is None:
        return LogUse(int(retained), None)
    [(data_bytes,)] = query(DATA_BYTES)
    return LogUse(int(retained), percent_left(retained, storage_bytes - int(data_bytes)))


def held(query: Query, task: str) -> list[str]:
    """The slots of this database that the user who asks reads, and those that are named after the task."""
    return [name for (name,) in query(HELD, [task.lower().replace("-", "_")[:ID_LETTERS]])]


def left(query: Query, held: Sequence[str]) -> list[str]:
    """Those of these slots that are still there."""
    return [name for name, _ in query(SLOTS) if name in held]


def clean_up(query: Query, held: Sequence[str], tables: Sequence[Table]) -> list[str]:
    """Drop these slots where nobody reads them, with their publications; DDL capture, if no other task needs it."""
    reading = {name: active for name, active in query(SLOTS)}
    done = []
    for name in held:
        if reading.get(name):
            continue
        if name in reading:
            query(DROP_SLOT, [name])
            done.append(f"slot {name}")
        for (publication,) in query(PUBLICATIONS, [name]):
            query(f'DROP PUBLICATION "{publication}"')
            done.append(f"publication {publication}")
    return done if query(OTHER_TASKS) else [*done, *_without_ddl_capture(query)]


def _without_ddl_capture(query: Query) -> list[str]:
    done = []
    for noun, question, statement in DDL_CAPTURE:
        if query(question):
            query(statement)
            done.append(f"{noun} {statement.split()[-1]}")
    return done


def change_password(query: Query, user: str, old: str, new: str) -> None:
    """The server itself writes names and passwords as SQL: ALTER ROLE takes no parameters."""
    [(statement,)] = query("SELECT 'ALTER ROLE ' || quote_ident(%s) || ' PASSWORD ' || quote_literal(%s)", [user, new])
    query(statement)
