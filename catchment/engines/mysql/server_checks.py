"""Findings about a MySQL or MariaDB server as a whole: version, binary log, its retention, open transactions."""

from __future__ import annotations

from collections.abc import Mapping

from catchment.engines.base import Query
from catchment.engines.findings import least_dms, storage
from catchment.engines.mysql import catalog, upkeep
from catchment.engines.mysql.versions import NEWEST, OLDEST, least_dms_version
from catchment.engines.readiness import Finding, Level, Wanted

CIPHER = "SHOW SESSION STATUS LIKE 'Ssl_cipher'"
OFF_UTC = "SELECT abs(timestampdiff(SECOND, utc_timestamp(), now())) > 1"
OPEN = (
    "SELECT trx_mysql_thread_id, timestampdiff(SECOND, trx_started, now()) FROM information_schema.innodb_trx"
    " WHERE trx_mysql_thread_id <> connection_id() AND trx_started <= now() - INTERVAL %s SECOND ORDER BY trx_started"
)
LOG_SETTINGS = {
    "binlog_format": ("ROW", "Only rows can be replicated: of a statement DMS makes nothing."),
    "binlog_row_image": ("FULL", "Any other image leaves columns out of the changes."),
    "binlog_row_value_options": ("", "A partial JSON value cannot be put together in the lake."),
    "binlog_transaction_compression": ("OFF", "DMS does not read a compressed binary log."),
    "log_bin_compress": ("OFF", "DMS does not read a compressed binary log."),
}
"""What variables of the binary log have to be, where the server knows them (AWS DMS User Guide, CHAP_Source.MySQL)."""
LEAST_HOURS = 24


def server_findings(query: Query, wanted: Wanted) -> list[Finding]:
    """What is to be said of the server."""
    known = catalog.variables(query)
    findings = _version(wanted, known["version"])
    if wanted.encrypted and not query(CIPHER)[0][1]:
        findings.append(
            Finding(
                check="encryption",
                level=Level.BLOCKS,
                what="the connection is not encrypted",
                why="DMS connects with TLS only; password and rows would be readable on the way.",
                setting="ssl_cert and ssl_key in my.cnf; on RDS it is always on.",
            )
        )
    if query(OFF_UTC)[0][0]:
        sql, words = _mends(query, known, "time_zone", "+00:00")
        findings.append(
            Finding(
                check="time-zone",
                level=Level.WARNS,
                what=f"the server's time zone is {known['time_zone']}, which is not UTC",
                why="DMS is told that it is UTC (ServerTimezone): TIMESTAMP columns would be off.",
                sql=sql,
                setting=words,
            )
        )
    if wanted.follows:
        findings += _log(query, known)
    if wanted.follows and known["log_bin"] == "ON":
        # a log that is not kept has no room to grow into, which would be told twice
        findings += _retention(query, wanted, known) or storage(upkeep.log_use(query, wanted.storage_bytes))
    return [*findings, *_open_transactions(query, wanted)]


def setting_statement(known: Mapping[str, str], name: str, literal: str) -> str:
    """What sets a variable of the server, in MySQL 8 for good."""
    lasts = "MariaDB" not in known["version"] and not known["version"].startswith("5.")
    return f"SET {'PERSIST' if lasts else 'GLOBAL'} {name} = {literal}"


def retention_hours(query: Query, known: Mapping[str, str]) -> float | None:
    """How long the binary log is kept. None: until somebody removes it; 0: RDS removes it as soon as it can."""
    if query(upkeep.ON_RDS):
        rows = query(upkeep.RETENTION)
        return float(rows[0][0] or 0) if rows else 0
    if "binlog_expire_logs_seconds" in known:
        return int(known["binlog_expire_logs_seconds"]) / 3600 or None
    return float(known.get("expire_logs_days", "0")) * 24 or None


def wanted_hours(wanted: Wanted) -> int:
    """How long it has to be kept: a day at least, as DMS wants it."""
    return max(LEAST_HOURS, wanted.outage_hours)


def keep_for(query: Query, known: Mapping[str, str], hours: int) -> str:
    """The statement that has the binary log kept for so long."""
    if query(upkeep.ON_RDS):
        return f"CALL mysql.rds_set_configuration('binlog retention hours', {hours})"
    if "binlog_expire_logs_seconds" in known:
        return setting_statement(known, "binlog_expire_logs_seconds", str(hours * 3600))
    return setting_statement(known, "expire_logs_days", str(-(-hours // 24)))


def log_misfits(known: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Variables of the binary log that are not as they have to be: what they have to be, and why."""
    return {
        name: (value, why)
        for name, (value, why) in LOG_SETTINGS.items()
        if known.get(name, value).upper() not in (value, value.replace("OFF", "0"))
    }


def _mends(query: Query, known: Mapping[str, str], name: str, value: str) -> tuple[tuple[str, ...], str]:
    """Statements and words that set a variable."""
    if query(upkeep.ON_RDS):
        return (), f"In the parameter group: {name} = {value or 'nothing'}."
    return (setting_statement(known, name, f"'{value}'"),), "In my.cnf as well, for the next start."


def _version(wanted: Wanted, version: str) -> list[Finding]:
    kind = "MariaDB" if "MariaDB" in version else "MySQL"
    major, minor = (int(part) for part in version.split("-")[0].split(".")[:2])
    findings = least_dms(wanted, f"{kind} {major}.{minor}", least_dms_version(version))
    if (major, minor) < OLDEST[kind] or (major, minor) > NEWEST[kind]:
        oldest, newest = (".".join(map(str, each[kind])) for each in (OLDEST, NEWEST))
        findings.append(
            Finding(
                check="version",
                level=Level.BLOCKS if (major, minor) < OLDEST[kind] else Level.WARNS,
                what=f"the server is {kind} {major}.{minor}",
                why=f"DMS is documented to read {kind} {oldest} to {newest}.",
                setting="Use a version that DMS reads.",
            )
        )
    return findings


def _log(query: Query, known: Mapping[str, str]) -> list[Finding]:
    if known["log_bin"] != "ON":
        return [
            Finding(
                check="log",
                level=Level.BLOCKS,
                what="the server writes no binary log",
                why="Changes are read from it.",
                setting="On RDS automated backups switch it on; else log_bin and server_id in my.cnf, and a restart.",
            )
        ]
    findings = []
    for name, (value, why) in log_misfits(known).items():
        sql, words = _mends(query, known, name, value)
        findings.append(
            Finding(check="log", level=Level.BLOCKS, what=f"{name} is {known[name]}", why=why, sql=sql, setting=words)
        )
    if known.get("gtid_mode") == "ON":
        findings.append(
            Finding(
                check="log",
                level=Level.WARNS,
                what="gtid_mode is ON",
                why="The AWS DMS User Guide lists global transaction identifiers as not supported.",
                setting="Try it on a copy, or set gtid_mode to OFF_PERMISSIVE.",
            )
        )
    if known.get("read_only") == "ON":
        findings.append(
            Finding(
                check="standby",
                level=Level.WARNS,
                what="the server is read-only, a replica perhaps",
                why="A replica that lags behind can lose transactions, and needs log_replica_updates.",
                setting="Name the primary in the secret.",
            )
        )
    return findings


def _retention(query: Query, wanted: Wanted, known: Mapping[str, str]) -> list[Finding]:
    hours, needed = retention_hours(query, known), wanted_hours(wanted)
    if hours is None or hours >= needed:
        return []
    return [
        Finding(
            check="retention",
            level=Level.BLOCKS,
            what=f"the binary log is kept for {hours:g} hours" if hours else "the binary log is kept for no set time",
            why=f"After a stop of {needed} hours the log would be gone unread, and everything is loaded again.",
            sql=(keep_for(query, known, needed),),
        )
    ]


def _open_transactions(query: Query, wanted: Wanted) -> list[Finding]:
    why = "DMS waits ten minutes for transactions that are open before it loads; then it loads without their changes."
    if "PROCESS" not in catalog.rights(query, _asking(query)).everywhere:
        return [
            Finding(
                check="open-transactions",
                level=Level.WARNS,
                what="the transactions of other users are hidden",
                why=why,
                sql=(f"GRANT PROCESS ON *.* TO {_asking(query)}",),
            )
        ]
    kill = "CALL mysql.rds_kill({})" if query(upkeep.ON_RDS) else "KILL {}"
    return [
        Finding(
            check="open-transactions",
            level=Level.WARNS,
            what=f"a transaction has been open for {seconds // 60:,} minutes (thread {thread})",
            why=why,
            sql=(kill.format(thread),),
        )
        for thread, seconds in query(OPEN, [wanted.open_seconds])
    ]


def _asking(query: Query) -> catalog.Account:
    user, _, host = str(query(catalog.WHO)[0][0]).rpartition("@")
    return catalog.Account(user, host)
