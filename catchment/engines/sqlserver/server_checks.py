"""Findings about a SQL Server database as a whole: version, edition, recovery, capture, open transactions."""

from __future__ import annotations

from catchment.engines.base import Query
from catchment.engines.findings import storage
from catchment.engines.readiness import Finding, Level, Wanted
from catchment.engines.sqlserver import catalog, preparation, upkeep

SERVER = (
    "SELECT CAST(SERVERPROPERTY('ProductMajorVersion') AS int), CAST(SERVERPROPERTY('Edition') AS nvarchar(128)),"
    " (SELECT recovery_model_desc FROM sys.databases WHERE database_id = DB_ID()),"
    " (SELECT snapshot_isolation_state FROM sys.databases WHERE database_id = DB_ID())"
)
OLDEST, NEWEST = (13, "2016"), (16, "2022")
"""Major versions that DMS captures from, with the year they are named after."""
WITHOUT_CAPTURE = ("Express", "Web")
UNENCRYPTED = "SELECT 1 FROM sys.dm_exec_connections WHERE session_id = @@SPID AND encrypt_option = 'FALSE'"
HAS_BACKUP = "SELECT TOP (1) 1 FROM msdb.dbo.backupset WHERE database_name = DB_NAME() AND type = 'D'"
SEES_STATE = "SELECT 1 WHERE HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER STATE') = 1"
OPEN = (
    "SELECT s.session_id, DATEDIFF(SECOND, d.database_transaction_begin_time, GETDATE())"
    " FROM sys.dm_tran_database_transactions AS d"
    " JOIN sys.dm_tran_session_transactions AS s ON s.transaction_id = d.transaction_id"
    " WHERE d.database_id = DB_ID() AND s.session_id <> @@SPID"
    " AND d.database_transaction_begin_time < DATEADD(SECOND, -%s, GETDATE()) ORDER BY 2 DESC"
)
_CURRENT = "DECLARE @told nvarchar(max) = CONCAT(N'ALTER DATABASE ', QUOTENAME(DB_NAME()), N' SET {}'); EXEC (@told)"


def server_findings(query: Query, wanted: Wanted) -> list[Finding]:
    """What is to be said of the database as a whole."""
    sees_state = bool(query(SEES_STATE))
    findings = [*_version(query, wanted)]
    if wanted.encrypted and sees_state and query(UNENCRYPTED):
        findings.append(
            Finding(
                check="encryption",
                level=Level.BLOCKS,
                what="the connection is not encrypted",
                why="DMS connects with TLS only; password and rows would be readable on the way.",
                setting="Force Encryption, with a certificate; on RDS rds.force_ssl = 1.",
            )
        )
    if wanted.follows:
        findings += _capture(query, wanted)
        if sees_state:
            findings += storage(upkeep.log_use(query, wanted.storage_bytes))
    return [*findings, *_open_transactions(query, wanted, sees_state)]


def _version(query: Query, wanted: Wanted) -> list[Finding]:
    [(major, edition, recovery, snapshots)] = query(SERVER)
    findings = []
    if not OLDEST[0] <= int(major) <= NEWEST[0]:
        findings.append(
            Finding(
                check="version",
                level=Level.BLOCKS if int(major) < OLDEST[0] else Level.WARNS,
                what=f"the server is SQL Server of major version {major}",
                why=f"DMS is documented to capture changes from SQL Server {OLDEST[1]} to {NEWEST[1]}.",
                setting="Use a version that DMS reads.",
            )
        )
    if wanted.follows and any(word in str(edition) for word in WITHOUT_CAPTURE):
        findings.append(
            Finding(
                check="edition",
                level=Level.BLOCKS,
                what=f"the server is the {edition}",
                why="It has no change data capture: Standard, Enterprise and Developer have.",
                setting="Use one of these editions, or migration: full-load.",
            )
        )
    if wanted.follows and recovery == "SIMPLE":
        findings.append(
            Finding(
                check="log",
                level=Level.BLOCKS,
                what="the recovery model is SIMPLE",
                why="The log is cut at each checkpoint, and has no backups that DMS could go on from.",
                sql=() if query(catalog.ON_RDS) else (_CURRENT.format("RECOVERY FULL"),),
                setting="Automated backups of a day or more set it."
                if query(catalog.ON_RDS)
                else "Then take a backup.",
            )
        )
    if snapshots == 0:
        findings.append(
            Finding(
                check="snapshots",
                level=Level.WARNS,
                what="the database allows no snapshots",
                why="Source and lake are compared in one snapshot of the source.",
                sql=(_CURRENT.format("ALLOW_SNAPSHOT_ISOLATION ON"),),
            )
        )
    return findings


def _capture(query: Query, wanted: Wanted) -> list[Finding]:
    findings = []
    if not query(catalog.ON_RDS) and not query(HAS_BACKUP):
        findings.append(
            Finding(
                check="log",
                level=Level.BLOCKS,
                what="the database has never been backed up in full",
                why="Until then the log is cut as if the recovery model were simple.",
                setting="BACKUP DATABASE, in full.",
            )
        )
    for step in preparation.capture_steps(query, wanted):
        findings.append(
            Finding(check="capture", level=Level.BLOCKS, what=f"to do: {step.what}", why=step.why, sql=step.sql)
        )
    jobs = catalog.jobs(query)
    if query(upkeep.CAPTURE_IS_ON) and "capture" not in jobs:
        findings.append(
            Finding(
                check="capture-job",
                level=Level.BLOCKS,
                what="there is no capture job",
                why="Without it nothing reads the log, which then grows until the disk is full.",
                sql=("EXEC sys.sp_cdc_add_job @job_type = N'capture'",),
                setting="SQL Server Agent has to run.",
            )
        )
    for step in preparation.job_steps(query, wanted) if jobs else []:
        findings.append(
            Finding(check="capture-job", level=Level.WARNS, what=f"to do: {step.what}", why=step.why, sql=step.sql)
        )
    return findings


def _open_transactions(query: Query, wanted: Wanted, sees_state: bool) -> list[Finding]:
    why = "DMS waits ten minutes for transactions that are open before it loads; then it loads without their changes."
    if not sees_state:
        who = catalog.text(f"GRANT VIEW SERVER STATE TO {catalog.quoted(catalog.reader(query, wanted))}")
        return [
            Finding(
                check="open-transactions",
                level=Level.WARNS,
                what="the state of the server is hidden",
                why=why,
                sql=(f"EXEC master.sys.sp_executesql {who}",),
            )
        ]
    return [
        Finding(
            check="open-transactions",
            level=Level.WARNS,
            what=f"a transaction has been open for {int(seconds) // 60:,} minutes (session {session})",
            why=why,
            sql=(f"KILL {session}",),
        )
        for session, seconds in query(OPEN, [wanted.open_seconds])
    ]
