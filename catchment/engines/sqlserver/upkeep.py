"""What replication keeps in a SQL Server source, and leaves there: the log that capture has not read, and capture."""

from __future__ import annotations

from collections.abc import Sequence

from catchment.engines.base import LogUse, Query, Table, percent_left

LOG_BYTES = "SELECT used_log_space_in_bytes FROM sys.dm_db_log_space_usage"
# Pages of 8 KiB. -1 and 268435456 (2 TiB) mean: until the disk is full.
LOG_LIMITS = "SELECT max_size FROM sys.database_files WHERE type = 1"
UNLIMITED = (-1, 268435456)
DATA_PAGES = "SELECT sum(CAST(size AS bigint)) FROM sys.database_files WHERE type <> 1"
CAPTURE_IS_ON = "SELECT 1 FROM sys.databases WHERE database_id = DB_ID() AND is_cdc_enabled = 1"
# In a database that never had capture, cdc.change_tables does not exist: ask only after CAPTURE_IS_ON.
# How far behind the log capture is, in seconds, and for how many minutes it keeps what it captured. It notes the time
# every few minutes, also of a database where nothing happens.
CAPTURE_AGE = (
    "SELECT DATEDIFF(SECOND, (SELECT MAX(tran_end_time) FROM cdc.lsn_time_mapping), GETDATE()),"
    " (SELECT retention FROM msdb.dbo.cdc_jobs WHERE database_id = DB_ID() AND job_type = 'cleanup')"
)
CAPTURED = (
    "SELECT OBJECT_SCHEMA_NAME(source_object_id), OBJECT_NAME(source_object_id), capture_instance"
    " FROM cdc.change_tables ORDER BY capture_instance"
)
DISABLE_TABLE = "EXEC sys.sp_cdc_disable_table @source_schema = %s, @source_name = %s, @capture_instance = %s"
ON_RDS = "SELECT 1 WHERE OBJECT_ID('msdb.dbo.rds_cdc_disable_db') IS NOT NULL"
DISABLE_ON_RDS = "DECLARE @name sysname = DB_NAME(); EXEC msdb.dbo.rds_cdc_disable_db @name"
DISABLE = "EXEC sys.sp_cdc_disable_db"
PAGE = 8192

ALTER_LOGIN = (
    "SELECT CONCAT('ALTER LOGIN ', QUOTENAME(%s), ' WITH PASSWORD = ', QUOTENAME(%s, ''''),"
    " ' OLD_PASSWORD = ', QUOTENAME(%s, ''''))"
)


def log_use(query: Query, storage_bytes: int | None) -> LogUse:
    """The part of the transaction log that cannot be used again yet, because capture or a backup has not read it.

    It may grow to its files' limits, or, where they have none, to what the data leave of the disk; and capture may be
    behind for as long as it keeps what it captured. What there is less of counts.
    """
    by_size, by_age = _by_size(query, storage_bytes), _by_age(query)
    left = [percent for percent in (by_size.headroom_percent, by_age) if percent is not None]
    return LogUse(by_size.retained_bytes, min(left, default=None))


def _by_age(query: Query) -> float | None:
    if not query(CAPTURE_IS_ON):
        return None
    [(seconds, minutes)] = query(CAPTURE_AGE)
    return None if seconds is None or not minutes else percent_left(float(seconds), 60 * float(minutes))


def _by_size(query: Query, storage_bytes: int | None) -> LogUse:
    [(used,)] = query(LOG_BYTES)
    limits = [int(pages) for (pages,) in query(LOG_LIMITS)]
    if not any(pages in UNLIMITED for pages in limits):
        return LogUse(int(used), percent_left(used, sum(limits) * PAGE))
    if storage_bytes is None:
        return LogUse(int(used), None)
    [(data_pages,)] = query(DATA_PAGES)
    return LogUse(int(used), percent_left(used, storage_bytes - int(data_pages) * PAGE))


def held(query: Query, task: str) -> list[str]:
    """Nothing: what keeps the log is capture itself, whoever reads its tables."""
    return []


def left(query: Query, held: Sequence[str]) -> list[str]:
    """Nothing."""
    return []


def clean_up(query: Query, held: Sequence[str], tables: Sequence[Table]) -> list[str]:
    """End the capture of these tables; that of the database, if no other table is captured."""
    if not query(CAPTURE_IS_ON):
        return []
    done, others = [], 0
    for schema, table, instance in query(CAPTURED):
        if (schema, table) in tables:
            query(DISABLE_TABLE, [schema, table, instance])
            done.append(f"capture of {schema}.{table}")
        else:
            others += 1
    if not others:
        query(DISABLE_ON_RDS if query(ON_RDS) else DISABLE)
        done.append("capture of the database")
    return done


def change_password(query: Query, user: str, old: str, new: str) -> None:
    """The server itself writes names and passwords as SQL: ALTER LOGIN takes no parameters."""
    [(statement,)] = query(ALTER_LOGIN, [user, new, old])
    query(statement)
