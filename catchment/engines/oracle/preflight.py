"""What stands in the way of a DMS task in an Oracle source (AWS DMS User Guide, CHAP_Source.Oracle)."""

from __future__ import annotations

from collections import defaultdict

from catchment.engines.base import Query
from catchment.engines.findings import Column, collisions, keys, lobs, missing, no_user, too_large, types
from catchment.engines.oracle import catalog, preparation
from catchment.engines.oracle.catalog import full_name, quoted
from catchment.engines.oracle.types import dms_type
from catchment.engines.readiness import Finding, Level, Step, Wanted, WantedTable

OLDEST, NEWEST = 10, 19
"""Major versions that DMS reads."""
LONGEST_NAME = 30
"""Bytes; of what has a longer name DMS captures no changes, without a word."""
LARGE_TABLE_ROWS = 1_000_000
SAMPLED = " SAMPLE BLOCK (1)"
VERSION = "SELECT to_number(regexp_substr(version, '^[0-9]+')) FROM product_component_version WHERE rownum = 1"
PROTOCOL = "SELECT sys_context('USERENV', 'NETWORK_PROTOCOL') FROM dual"
PLUGGABLE = "SELECT 1 FROM v$database WHERE cdb = 'YES' AND sys_context('USERENV', 'CON_NAME') <> 'CDB$ROOT'"
# The archived logs that are there reach so far back; a database without any has no destination of them yet.
REACHES_BACK = (
    "SELECT round((SYSDATE - min(first_time)) * 24) FROM v$archived_log WHERE deleted = 'NO' AND status = 'A'"
)
OPEN = (
    "SELECT s.sid, s.serial#, round((SYSDATE - t.start_date) * 86400) FROM v$transaction t"
    " JOIN v$session s ON s.saddr = t.ses_addr WHERE t.start_date < SYSDATE - %s / 86400 ORDER BY t.start_date"
)


def findings(query: Query, wanted: Wanted) -> list[Finding]:
    """What stands in the way of a task, or will."""
    found = catalog.tables(query, wanted.tables)
    stored, left_out = catalog.columns(query, wanted.tables)
    names = defaultdict[str, list[str]](list)
    for table, column, _ in stored:
        names[table].append(column)
    return [
        *_server(query, wanted),
        *(_log(query, wanted) if wanted.follows else []),
        *_rights(query, wanted),
        *_open_transactions(query, wanted),
        *(missing(table) for table in wanted.tables if str(table) not in found),
        *_names_and_kinds(wanted, found, names),
        *keys(wanted, catalog.keys(query, wanted.tables), replicated_without=True),
        *types(wanted, stored, dms_type),
        *_left_out(left_out),
        *_large_values(query, wanted, found, stored),
        *collisions(wanted.tables, names),
    ]


def every_table(query: Query) -> list[WantedTable]:
    """The tables that a database holds besides its own, with their keys."""
    every = []
    for (schema,) in query(catalog.EVERY_SCHEMA):
        rows = sorted(map(tuple, query(catalog.TABLES, [schema])))
        named = [WantedTable(schema=schema, name=name) for _, name, temporary, _ in rows if temporary == "N"]
        found = catalog.keys(query, named)
        every += [WantedTable(schema=schema, name=table.name, key=found[str(table)]) for table in named]
    return every


def _server(query: Query, wanted: Wanted) -> list[Finding]:
    [(major,)] = query(VERSION)
    findings = []
    if not OLDEST <= int(major) <= NEWEST:
        findings.append(
            Finding(
                check="version",
                level=Level.BLOCKS if int(major) < OLDEST else Level.WARNS,
                what=f"the server is Oracle {major}",
                why=f"DMS is documented to read Oracle {OLDEST} to {NEWEST}.",
                setting="Use a version that DMS reads.",
            )
        )
    if wanted.encrypted and query(PROTOCOL)[0][0] != "tcps":
        findings.append(
            Finding(
                check="encryption",
                level=Level.BLOCKS,
                what="the connection is not encrypted",
                why="DMS connects with TLS only; password and rows would be readable on the way.",
                setting="A listener for TCPS with a wallet; the secret has its port.",
            )
        )
    if wanted.follows and (wanted.log_reader or "logminer") == "logminer" and query(PLUGGABLE):
        findings.append(
            Finding(
                check="log-reader",
                level=Level.BLOCKS,
                what="the database is a pluggable one, and is to be read by LogMiner",
                why="LogMiner reads the log of a container, not of what is plugged into it.",
                setting="In the settings, log_reader: binary.",
            )
        )
    return findings


def _log(query: Query, wanted: Wanted) -> list[Finding]:
    [(mode, _, _, role)] = query(catalog.DATABASE)
    findings = []
    if mode != "ARCHIVELOG":
        findings.append(
            Finding(
                check="log",
                level=Level.BLOCKS,
                what=f"the log mode is {mode}",
                why="The redo log is written over, read or not.",
                setting="SHUTDOWN, STARTUP MOUNT, ALTER DATABASE ARCHIVELOG, OPEN; on RDS automated backups.",
            )
        )
    if role != "PRIMARY" and (wanted.log_reader or "logminer") == "logminer":
        findings.append(
            Finding(
                check="standby",
                level=Level.BLOCKS,
                what=f"the database is a {str(role).lower()}",
                why="A standby is read by Binary Reader alone.",
                setting="Name the primary in the secret, or log_reader: binary.",
            )
        )
    findings += _told("supplemental-log", preparation.log_steps(query, wanted))
    findings += _told("retention", preparation.retention_steps(query, wanted))
    if not query(catalog.ON_RDS) and mode == "ARCHIVELOG":
        findings += _reach(query, wanted)
    return findings


def _reach(query: Query, wanted: Wanted) -> list[Finding]:
    [(hours,)] = query(REACHES_BACK)
    if hours is not None and int(hours) >= wanted.outage_hours:
        return []
    return [
        Finding(
            check="retention",
            level=Level.WARNS,
            what=f"the archived logs that are there reach {int(hours or 0):,} hours back",
            why=f"After a stop of {wanted.outage_hours} hours the log might be gone unread: all is loaded again.",
            setting="Have whoever backs up keep them (RMAN: CONFIGURE ARCHIVELOG DELETION POLICY), unless all is new.",
        )
    ]


def _told(check: str, steps: list[Step]) -> list[Finding]:
    return [
        Finding(check=check, level=Level.BLOCKS, what=f"to do: {step.what}", why=step.why, sql=step.sql)
        for step in steps
    ]


def _rights(query: Query, wanted: Wanted) -> list[Finding]:
    who = catalog.reader(query, wanted)
    if not query(catalog.USER_IS_THERE, [who]):
        return [no_user(who)]
    return _told("rights", preparation.right_steps(query, wanted))


def _open_transactions(query: Query, wanted: Wanted) -> list[Finding]:
    kill = (
        "BEGIN rdsadmin.rdsadmin_util.kill({}, {}); END;"
        if query(catalog.ON_RDS)
        else "ALTER SYSTEM KILL SESSION '{}, {}'"
    )
    return [
        Finding(
            check="open-transactions",
            level=Level.WARNS,
            what=f"a transaction has been open for {int(seconds) // 60:,} minutes (session {sid})",
            why="DMS waits ten minutes for transactions that are open before it loads, and then loads without them.",
            sql=(kill.format(sid, serial),),
        )
        for sid, serial, seconds in query(OPEN, [wanted.open_seconds])
    ]


def _names_and_kinds(
    wanted: Wanted, found: dict[str, tuple[bool, int]], columns: dict[str, list[str]]
) -> list[Finding]:
    findings = []
    for table in wanted.tables:
        if found.get(str(table), (False, 0))[0]:
            findings.append(
                Finding(
                    check="table",
                    level=Level.BLOCKS,
                    what=f"{table} is a temporary table",
                    why="Its rows are nobody else's, and not in the log.",
                    setting="Leave it out.",
                )
            )
        for name in (table.schema, table.name, *columns.get(str(table), [])):
            if len(name.encode()) > LONGEST_NAME:
                findings.append(
                    Finding(
                        check="names",
                        level=Level.BLOCKS,
                        what=f"{table}: the name {name} is longer than {LONGEST_NAME} bytes",
                        why="DMS captures no changes of it, without a word.",
                        setting="Rename it at the source, or leave the table out.",
                    )
                )
    return findings


def _left_out(columns: list[tuple[str, str]]) -> list[Finding]:
    return [
        Finding(
            check="type",
            level=Level.WARNS,
            what=f"{table}.{column} is virtual, or invisible",
            why="DMS does not replicate it.",
            setting="Compute it in the lake, or make it a column like the others.",
        )
        for table, column in columns
    ]


def _large_values(
    query: Query, wanted: Wanted, found: dict[str, tuple[bool, int]], stored: list[Column]
) -> list[Finding]:
    tables = {str(table): table for table in wanted.tables}
    findings = []
    for name, column, (declared, *_) in lobs(stored, dms_type):
        if not declared.endswith("LOB"):
            continue  # a LONG has no length that could be asked for
        part = SAMPLED if found[name][1] > LARGE_TABLE_ROWS else ""
        measure = f"SELECT max(dbms_lob.getlength({quoted(column)})) FROM {full_name(tables[name])}{part}"
        [(largest,)] = query(measure)
        # of text, letters are counted, which DMS counts as two bytes each
        needed = int(largest or 0) * (1 if declared == "BLOB" else 2)
        if needed > wanted.lob_bytes(tables[name]):
            findings.append(too_large(wanted, tables[name], column, needed))
    return findings
