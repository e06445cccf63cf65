"""Findings about a PostgreSQL server as a whole: version, log, slots, connections, open transactions."""

from __future__ import annotations

from catchment.engines.base import Query
from catchment.engines.findings import least_dms, storage
from catchment.engines.postgresql import upkeep
from catchment.engines.postgresql.catalog import ON_RDS, is_true, quoted, reader, setting
from catchment.engines.postgresql.versions import NEWEST, OLDEST, TRUNCATES, least_dms_version
from catchment.engines.readiness import Finding, Level, Wanted

# A connection over a socket file or the loopback interface leaves nothing to listen to.
UNENCRYPTED = (
    "SELECT 1 FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND NOT ssl"
    " AND NOT inet_server_addr() <<= '127.0.0.0/8'::inet AND inet_server_addr() <> '::1'::inet"
)
STANDBY = "SELECT pg_is_in_recovery()"
SLOTS = (
    "SELECT (SELECT setting::int FROM pg_settings WHERE name = 'max_replication_slots') - count(*)::int,"
    " coalesce(bool_or(slot_type = 'logical' AND database = current_database()), false) FROM pg_replication_slots"
)
SENDERS = (
    "SELECT (SELECT setting::int FROM pg_settings WHERE name = 'max_wal_senders') - count(*)::int,"
    " count(*) > 0 FROM pg_stat_replication"
)
LOST_SLOTS = (
    "SELECT slot_name::text FROM pg_replication_slots WHERE wal_status = 'lost' AND database = current_database()"
)
# A server that has just started would be taken for busier than it is: nothing is measured over less than an hour.
LOG_AN_HOUR = (
    "SELECT (wal_bytes * 3600 / greatest(3600, extract(epoch FROM now() - stats_reset)))::bigint FROM pg_stat_wal"
)
SEES_SESSIONS = (
    "SELECT rolsuper OR pg_has_role(current_user, 'pg_read_all_stats', 'MEMBER') FROM pg_roles"
    " WHERE rolname = current_user"
)
OPEN = (
    "SELECT pid, usename::text, extract(epoch FROM now() - xact_start)::bigint FROM pg_stat_activity"
    " WHERE backend_type = 'client backend' AND datname = current_database() AND pid <> pg_backend_pid()"
    " AND xact_start < now() - make_interval(secs => %s) ORDER BY xact_start"
)
PREPARED = (
    "SELECT gid, extract(epoch FROM now() - prepared)::bigint FROM pg_prepared_xacts"
    " WHERE database = current_database() AND prepared < now() - make_interval(secs => %s) ORDER BY prepared"
)
SENDER_MS = (10_000, 300_000)
"""What wal_sender_timeout may be besides 0 (AWS DMS User Guide, CHAP_Source.PostgreSQL)."""


def server_findings(query: Query, wanted: Wanted) -> list[Finding]:
    """What is to be said of the server."""
    findings = _version(query, wanted)
    if wanted.encrypted and query(UNENCRYPTED):
        findings.append(
            Finding(
                check="encryption",
                level=Level.BLOCKS,
                what="the connection is not encrypted",
                why="DMS connects with TLS only; password and rows would be readable on the way.",
                setting="ssl = on with a certificate in postgresql.conf; on RDS it is always on.",
            )
        )
    if wanted.follows:
        findings += [*_log(query), *_slots(query), *_timeouts(query), *_retention(query, wanted)]
        findings += storage(upkeep.log_use(query, wanted.storage_bytes))
    return [*findings, *_open_transactions(query, wanted)]


def _set(query: Query, name: str, value: str) -> tuple[tuple[str, ...], str]:
    """What sets a server's setting: statements, or words on RDS, where a parameter group does."""
    if query(ON_RDS):
        return (), f"In the parameter group: {name} = {value}."
    return (f"ALTER SYSTEM SET {name} = '{value}'", "SELECT pg_reload_conf()"), ""


def _version(query: Query, wanted: Wanted) -> list[Finding]:
    number = int(setting(query, "server_version_num") or 0)
    major = number // 10_000
    findings = []
    if not OLDEST <= major <= NEWEST:
        findings.append(
            Finding(
                check="version",
                level=Level.BLOCKS if major < OLDEST else Level.WARNS,
                what=f"the server is PostgreSQL {major}",
                why=f"DMS is documented to read PostgreSQL {OLDEST} to {NEWEST}.",
                setting="Use a version that DMS reads.",
            )
        )
    elif major < TRUNCATES:
        findings.append(
            Finding(
                check="version",
                level=Level.WARNS,
                what=f"the server is PostgreSQL {major}",
                why=f"DMS sees a TRUNCATE from version {TRUNCATES} on: before, the lake keeps the rows, unnoticed.",
                setting="Use a later version, or reload a table after a TRUNCATE.",
            )
        )
    findings += least_dms(wanted, f"PostgreSQL {major}", least_dms_version(f"{major}.0"))
    [(standby,)] = query(STANDBY)
    if wanted.follows and standby:
        findings.append(
            Finding(
                check="standby",
                level=Level.BLOCKS if major < 16 or wanted.slot is None else Level.WARNS,
                what="the server is a standby",
                why="Changes are read from a standby only from PostgreSQL 16 on, by a slot that was made by hand.",
                setting="Name the primary in the secret, or give slot_name a slot of this standby.",
            )
        )
    return findings


def _log(query: Query) -> list[Finding]:
    level = setting(query, "wal_level")
    if level == "logical":
        return []
    sql: tuple[str, ...] = ()
    if query(ON_RDS):
        words = "In the parameter group: rds.logical_replication = 1, then a reboot."
    else:
        sql, words = ("ALTER SYSTEM SET wal_level = 'logical'",), "Then restart the server."
    return [
        Finding(
            check="log",
            level=Level.BLOCKS,
            what=f"wal_level is {level}",
            why="Row changes can be read from the log only where it is logical.",
            sql=sql,
            setting=words,
        )
    ]


def _slots(query: Query) -> list[Finding]:
    findings = []
    for noun, name, question in (
        ("replication slot", "max_replication_slots", SLOTS),
        ("WAL sender", "max_wal_senders", SENDERS),
    ):
        [(free, ours)] = query(question)
        if free > 0:
            continue
        findings.append(
            Finding(
                check="slots",
                # A task that goes on has its own already.
                level=Level.WARNS if ours else Level.BLOCKS,
                what=f"no {noun} is free",
                why="A task needs one of its own, and fails without.",
                setting=f"Drop one that nobody reads, or raise {name} (takes a restart).",
            )
        )
    for (lost,) in query(LOST_SLOTS):
        findings.append(
            Finding(
                check="slots",
                level=Level.WARNS,
                what=f"the slot {lost} has lost its log",
                why="Who reads it cannot go on: its tables have to be loaded again.",
                sql=(f"SELECT pg_drop_replication_slot('{lost}')",),
            )
        )
    return findings


def _timeouts(query: Query) -> list[Finding]:
    found = int(setting(query, "wal_sender_timeout") or 0)
    least, most = SENDER_MS
    if found == 0 or least <= found <= most:
        return []
    sql, words = _set(query, "wal_sender_timeout", "300s")
    return [
        Finding(
            check="sender-timeout",
            level=Level.BLOCKS if found < least else Level.WARNS,
            what=f"wal_sender_timeout is {found:,} ms",
            why="DMS wants 0 or 10 to 300 seconds: a shorter one cuts its stream, a longer one delays a failover.",
            sql=sql,
            setting=words,
        )
    ]


def _retention(query: Query, wanted: Wanted) -> list[Finding]:
    """Whether slots may keep, and the disk can take, what is written in the worst outage."""
    measured = query(LOG_AN_HOUR)
    keep_mb = int(setting(query, "max_slot_wal_keep_size") or -1)
    if not measured or measured[0][0] is None:
        return []
    needed = int(measured[0][0]) * wanted.outage_hours
    said = f"{wanted.outage_hours} hours of log are about {max(needed // 2**20, 1):,} MB"
    if 0 <= keep_mb < needed / 2**20:
        sql, words = _set(query, "max_slot_wal_keep_size", f"{2 * needed // 2**20 + 1}MB")
        return [
            Finding(
                check="retention",
                level=Level.WARNS,
                what=f"{said}, max_slot_wal_keep_size is {keep_mb:,} MB",
                why="A slot that is further behind loses its log, and everything is loaded again.",
                sql=sql,
                setting=words,
            )
        ]
    if keep_mb < 0 and wanted.storage_bytes is not None:
        [(data,)] = query(upkeep.DATA_BYTES)
        if needed > wanted.storage_bytes - int(data):
            return [
                Finding(
                    check="retention",
                    level=Level.WARNS,
                    what=f"{said}, the disk has room for {max(wanted.storage_bytes - int(data), 0) // 2**20:,} MB",
                    why="While the task stands still its slot keeps the log, until the disk is full.",
                    setting="Enlarge the storage (rds.max_storage_gb), or bound it by max_slot_wal_keep_size.",
                )
            ]
    return []


def _open_transactions(query: Query, wanted: Wanted) -> list[Finding]:
    why = "A slot is made only once every transaction has ended that was open before: the task waits for it."
    if not is_true(query, SEES_SESSIONS):
        who = quoted(reader(query, wanted))
        return [
            Finding(
                check="open-transactions",
                level=Level.WARNS,
                what="the sessions of other users are hidden",
                why=why,
                sql=(f"GRANT pg_read_all_stats TO {who}",),
            )
        ]
    findings = [
        Finding(
            check="open-transactions",
            level=Level.WARNS,
            what=f"a transaction of {user} has been open for {seconds // 60:,} minutes (process {pid})",
            why=why,
            sql=(f"SELECT pg_terminate_backend({pid})",),
        )
        for pid, user, seconds in query(OPEN, [wanted.open_seconds])
    ]
    return findings + [
        Finding(
            check="open-transactions",
            level=Level.WARNS,
            what=f"a prepared transaction has been waiting for {seconds // 60:,} minutes ({gid})",
            why=why,
            sql=(f"ROLLBACK PREPARED '{gid}'",),
        )
        for gid, seconds in query(PREPARED, [wanted.open_seconds])
    ]
