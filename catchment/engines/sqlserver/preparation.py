"""What makes a SQL Server database a source of DMS (AWS DMS User Guide, CHAP_Source.SQLServer).

MS-CDC for the database and each of its tables, with and without a key, on RDS and elsewhere: it keeps changes whole in
the log, which DMS reads; nobody reads the change tables.
"""

from __future__ import annotations

from collections.abc import Sequence

from catchment.engines.base import Query
from catchment.engines.readiness import STAND_IN, Step, Wanted, WantedTable
from catchment.engines.sqlserver import catalog, upkeep
from catchment.engines.sqlserver.catalog import FoundTable, quoted, text

SERVER_RIGHTS = ("VIEW SERVER STATE",)
MSDB_ON_RDS = {
    "rds_dms_tlog_download": "EXECUTE",
    "rds_dms_tlog_read": "EXECUTE",
    "rds_dms_tlog_list_current_lsn": "EXECUTE",
    "rds_task_status": "EXECUTE",
}
MSDB_ELSEWHERE = {
    "sp_stop_job": "EXECUTE",
    "sp_start_job": "EXECUTE",
    "backupset": "SELECT",
    "backupmediafamily": "SELECT",
    "backupfile": "SELECT",
}
"""What DMS's user does in msdb: reads backups of the log, where the log itself has been cut already."""
READS_BACKUPS = (3, 5, 3)
"""From this version on DMS reads backups of the log, and capture may take its turn as always."""
POLLING, HELD_BACK = 5, 86_399
"""Seconds between two turns of the capture job: as it is made, and to hold back the log for a DMS that does not."""


def plan(query: Query, wanted: Wanted) -> list[Step]:
    """What is still to be done, in order; nothing where all is as wanted."""
    steps = right_steps(query, wanted) if wanted.user is not None else []
    return [*steps, *capture_steps(query, wanted), *job_steps(query, wanted)] if wanted.follows else steps


def right_steps(query: Query, wanted: Wanted) -> list[Step]:
    """The rights that DMS's user lacks, and the user, where there is none."""
    who, steps = catalog.reader(query, wanted), list[Step]()
    name, made = quoted(who), not query(catalog.LOGIN_IS_THERE, [who])
    if made:
        steps.append(
            Step(
                what=f"make the login {who}",
                why="DMS logs in as a user of its own.",
                sql=(f"CREATE LOGIN {name} WITH PASSWORD = '{STAND_IN}'",),
                undo=(f"DROP LOGIN {name}",),
            )
        )
    if not query(catalog.OWNS_DATABASE, [who, who]):
        grants = [f"ALTER ROLE db_owner ADD MEMBER {name}"]
        backs = [f"ALTER ROLE db_owner DROP MEMBER {name}"]
        if not query(catalog.USER_IS_THERE, [who]):
            grants.insert(0, f"CREATE USER {name} FOR LOGIN {name}")
            backs = [f"DROP USER {name}"]
        why = "DMS reads the log of the database (fn_dblog), which takes db_owner."
        steps.append(Step(what=f"make {who} an owner of the database", why=why, sql=grants, undo=backs))
    lacking = [right for right in SERVER_RIGHTS if made or right not in _listed(query, catalog.SERVER_RIGHTS, who)]
    for right in lacking:
        steps.append(
            Step(
                what=f"grant {right} to {who}",
                why="DMS looks at the state of the log, and of availability groups.",
                sql=(_within("master", f"GRANT {right} TO {name}"),),
                undo=() if made else (_within("master", f"REVOKE {right} FROM {name}"),),
            )
        )
    return steps + _msdb(query, who)


def _msdb(query: Query, who: str) -> list[Step]:
    name, rights = quoted(who), MSDB_ON_RDS if query(catalog.ON_RDS) else MSDB_ELSEWHERE
    there = _listed(query, catalog.MSDB_RIGHTS, who)
    lacking = {routine: right for routine, right in rights.items() if routine not in there}
    if not lacking:
        return []
    grants = [_within("msdb", f"GRANT {right} ON dbo.{routine} TO {name}") for routine, right in lacking.items()]
    backs = [_within("msdb", f"REVOKE {right} ON dbo.{routine} FROM {name}") for routine, right in lacking.items()]
    if not query(catalog.MSDB_USER_IS_THERE, [who]):
        grants.insert(0, _within("msdb", f"CREATE USER {name} FOR LOGIN {name}"))
        backs = [_within("msdb", f"DROP USER {name}")]
    why = "DMS goes on from backups of the log where the log itself has been cut."
    return [Step(what=f"let {who} read backups of the log", why=why, sql=grants, undo=backs)]


def capture_steps(query: Query, wanted: Wanted) -> list[Step]:
    """Capture of the database, and of the tables that have none."""
    steps = []
    if not query(upkeep.CAPTURE_IS_ON):
        on_rds = query(catalog.ON_RDS)
        steps.append(
            Step(
                what="have the changes of the database captured",
                why="Without, the log does not hold what DMS needs of an update.",
                sql=(_for_database("enable") if on_rds else "EXEC sys.sp_cdc_enable_db",),
                undo=(_for_database("disable") if on_rds else "EXEC sys.sp_cdc_disable_db",),
            )
        )
    found = catalog.tables(query, wanted.tables)
    keys, unique = catalog.keys(query, found), dict(map(tuple, query(catalog.UNIQUE)))
    for table in wanted.tables:
        each = found.get(str(table))
        if each is not None and not each.captured:
            steps.append(_capture(table, each, keys[str(table)], unique))
    return steps


def _capture(table: WantedTable, found: FoundTable, key: Sequence[str], unique: dict[int, str]) -> Step:
    named = f"@source_schema = {text(table.schema)}, @source_name = {text(table.name)}"
    # Net changes are told by a key: the primary one, or a unique index that is named.
    index = unique.get(found.object_id) if not key else None
    by_index = f", @index_name = {text(index)}" if index is not None else ""
    net = int(bool(key) or index is not None)
    return Step(
        what=f"have the changes of {table} captured",
        why="Without, the log does not hold what DMS needs of an update.",
        sql=(f"EXEC sys.sp_cdc_enable_table {named}, @role_name = NULL, @supports_net_changes = {net}{by_index}",),
        undo=(f"EXEC sys.sp_cdc_disable_table {named}, @capture_instance = N'all'",),
    )


def wanted_polling(wanted: Wanted) -> int:
    """Seconds between two turns of the capture job, as this version of DMS has it."""
    if wanted.dms_version is None:
        return POLLING
    version = tuple(int(part) for part in wanted.dms_version.split("."))
    return POLLING if version >= READS_BACKUPS else HELD_BACK


def job_steps(query: Query, wanted: Wanted) -> list[Step]:
    """The jobs of capture: how often they read the log, and how long the change tables keep it."""
    jobs = catalog.jobs(query)
    # Capture that is switched on just now makes its jobs with these: five seconds, three days.
    polling, _ = jobs.get("capture", (POLLING, 0))
    _, kept = jobs.get("cleanup", (0, 4320))
    steps, every, minutes = [], wanted_polling(wanted), wanted.outage_hours * 60
    if polling != every:
        steps.append(
            Step(
                what=f"have capture read the log every {every:,} seconds",
                why="What capture has read may be cut from the log; an older DMS reads no backups of it.",
                sql=_job("capture", "pollinginterval", every),
                undo=_job("capture", "pollinginterval", polling),
            )
        )
    if kept < minutes:
        steps.append(
            Step(
                what=f"keep captured changes for {wanted.outage_hours} hours",
                why="As long as the task may stand still; it costs space only.",
                sql=_job("cleanup", "retention", minutes),
                undo=_job("cleanup", "retention", kept),
            )
        )
    return steps


def _job(kind: str, setting: str, value: int) -> tuple[str, ...]:
    changed = f"EXEC sys.sp_cdc_change_job @job_type = N'{kind}', @{setting} = {value}"
    # a job takes what it was told when it starts
    return (
        changed,
        f"EXEC sys.sp_cdc_stop_job @job_type = N'{kind}'",
        f"EXEC sys.sp_cdc_start_job @job_type = N'{kind}'",
    )


def _for_database(verb: str) -> str:
    return f"DECLARE @name sysname = DB_NAME(); EXEC msdb.dbo.rds_cdc_{verb}_db @name"


def _within(database: str, statement: str) -> str:
    return f"EXEC {database}.sys.sp_executesql {text(statement)}"


def _listed(query: Query, question: str, who: str) -> set[str]:
    return {str(name) for (name,) in query(question, [who])}
