"""What replication keeps in a MySQL source, and leaves there: the binary log, and how long it is kept."""

from __future__ import annotations

from collections.abc import Sequence

from catchment.engines.base import LogUse, Query, Table, percent_left

LOGS = "SHOW BINARY LOGS"
READERS = "SELECT user FROM information_schema.processlist WHERE command LIKE 'Binlog Dump%'"
# Databases outside RDS have neither; their binlog_expire_logs_seconds is their owner's.
ON_RDS = (
    "SELECT 1 FROM information_schema.routines"
    " WHERE routine_schema = 'mysql' AND routine_name = 'rds_set_configuration'"
)
RETENTION = "SELECT value FROM mysql.rds_configuration WHERE name = 'binlog retention hours'"
FORGET_RETENTION = "CALL mysql.rds_set_configuration('binlog retention hours', NULL)"
DATA_BYTES = "SELECT coalesce(sum(data_length + index_length), 0) FROM information_schema.tables"


def log_use(query: Query, storage_bytes: int | None) -> LogUse:
    """The binary logs that are there. They may have what the tables leave of the disk.

    RDS without a retention removes a log as soon as it can, read or not: no headroom at all.
    """
    retained = sum(int(line[1]) for line in query(LOGS))
    if query(ON_RDS) and not _retention(query):
        return LogUse(retained, 0.0)
    if storage_bytes is None:
        return LogUse(retained, None)
    [(data_bytes,)] = query(DATA_BYTES)
    return LogUse(retained, percent_left(retained, storage_bytes - int(data_bytes)))


def held(query: Query, task: str) -> list[str]:
    """Nothing: the binary log is kept by the hour, whoever reads it."""
    return []


def left(query: Query, held: Sequence[str]) -> list[str]:
    """Nothing."""
    return []


def clean_up(query: Query, held: Sequence[str], tables: Sequence[Table]) -> list[str]:
    """Have RDS remove binary logs as soon as it can again, unless somebody else reads them."""
    if not query(ON_RDS) or not _retention(query) or query(READERS):
        return []
    query(FORGET_RETENTION)
    return ["retention of the binary log"]


def _retention(query: Query) -> str | None:
    """Hours, or None where RDS has been told none."""
    found = query(RETENTION)
    return found[0][0] if found else None


def change_password(query: Query, user: str, old: str, new: str) -> None:
    """Of whoever asks, at whatever host."""
    query("ALTER USER USER() IDENTIFIED BY %s", [new])
