"""What stands in the way of a DMS task in a PostgreSQL source (AWS DMS User Guide, CHAP_Source.PostgreSQL)."""

from __future__ import annotations

from collections import defaultdict

from catchment.engines.base import Query
from catchment.engines.findings import Column, collisions, keys, lobs, missing, no_user, too_large, types
from catchment.engines.postgresql import catalog, preparation
from catchment.engines.postgresql.catalog import FoundTable, full_name, quoted
from catchment.engines.postgresql.server_checks import server_findings
from catchment.engines.postgresql.types import dms_type
from catchment.engines.readiness import Finding, Level, Wanted, WantedTable

LARGE_BYTES = 256 * 2**20
"""How much of what a table stores out of line is looked at for large values; of more, some pages."""


def findings(query: Query, wanted: Wanted) -> list[Finding]:
    """What stands in the way of a task, or will."""
    found = catalog.tables(query, wanted.tables)
    there = [table for table in wanted.tables if str(table) in found]
    stored, computed = catalog.columns(query, found)
    names = defaultdict[str, list[str]](list)
    for table, column, _ in stored:
        names[table].append(column)
    return [
        *server_findings(query, wanted),
        *_rights(query, wanted, there, found),
        *(missing(table) for table in wanted.tables if str(table) not in found),
        *_kinds(there, found),
        *keys(wanted, catalog.keys(query, _tables_only(found)), replicated_without=False),
        *types(wanted, stored, dms_type),
        *_computed(computed),
        *_full_rows(wanted, there, found),
        *_large_values(query, wanted, there, found, stored),
        *collisions(wanted.tables, names),
    ]


def every_table(query: Query) -> list[WantedTable]:
    """The tables that a database holds besides its own, with their keys."""
    named = [WantedTable(schema=schema, name=name) for schema, name in query(catalog.EVERY_TABLE)]
    found = catalog.keys(query, catalog.tables(query, named))
    return [WantedTable(schema=table.schema, name=table.name, key=found[str(table)]) for table in named]


def _rights(query: Query, wanted: Wanted, there: list[WantedTable], found: dict[str, FoundTable]) -> list[Finding]:
    who = catalog.reader(query, wanted)
    user = catalog.user(query, who)
    if user is None:
        return [no_user(who)]
    findings = []
    # What preparation would do for this user is what it lacks.
    for step in preparation.right_steps(query, wanted, who, user):
        findings.append(
            Finding(check="rights", level=Level.BLOCKS, what=f"to do: {step.what}", why=step.why, sql=step.sql)
        )
    for step in preparation.capture_steps(query, wanted, who, user):
        findings.append(Finding(check="ddl", level=Level.WARNS, what=f"to do: {step.what}", why=step.why, sql=step.sql))
    for table in there:
        if found[str(table)].row_security and not (user.superuser or user.bypasses_row_security):
            findings.append(
                Finding(
                    check="row-security",
                    level=Level.BLOCKS,
                    what=f"{table} has row-level security, and {who} does not pass it",
                    why="Rows that a policy hides would be missing in the load, unnoticed.",
                    sql=(f"ALTER ROLE {quoted(who)} BYPASSRLS",),
                )
            )
    return findings


def _tables_only(found: dict[str, FoundTable]) -> dict[str, FoundTable]:
    return {name: table for name, table in found.items() if table.kind in "rp"}


def _kinds(there: list[WantedTable], found: dict[str, FoundTable]) -> list[Finding]:
    findings = []
    for table in there:
        each = found[str(table)]
        if each.kind not in "rp":
            findings.append(
                Finding(
                    check="table",
                    level=Level.BLOCKS,
                    what=f"{table} is no table, but a view, a foreign table or the like",
                    why="It has no changes of its own in the log.",
                    setting="Name the tables behind it.",
                )
            )
        elif each.persistence != "p":
            findings.append(
                Finding(
                    check="table",
                    level=Level.BLOCKS,
                    what=f"{table} is unlogged",
                    why="Its changes are not in the log.",
                    sql=(f"ALTER TABLE {full_name(table)} SET LOGGED",),
                )
            )
    return findings


def _computed(columns: list[tuple[str, str]]) -> list[Finding]:
    return [
        Finding(
            check="type",
            level=Level.WARNS,
            what=f"{table}.{column} is computed when it is read",
            why="It is not in the log: the lake does not have it.",
            setting="Compute it in the lake, or store it (GENERATED … STORED).",
        )
        for table, column in columns
    ]


def _full_rows(wanted: Wanted, there: list[WantedTable], found: dict[str, FoundTable]) -> list[Finding]:
    if not wanted.follows:
        return []
    return [
        Finding(
            check="full-rows",
            level=Level.WARNS,
            what=f"{table} holds large values, and its replica identity is not full",
            why="An update that leaves a large value alone carries NULL for it.",
            sql=(f"ALTER TABLE {full_name(table)} REPLICA IDENTITY FULL",),
        )
        for table in there
        if found[str(table)].identity != "f" and catalog.wants_full_rows(table, found[str(table)])
    ]


def _large_values(
    query: Query, wanted: Wanted, there: list[WantedTable], found: dict[str, FoundTable], stored: list[Column]
) -> list[Finding]:
    """Only what is stored out of line can be larger than any limit that is allowed."""
    tables = {str(table): table for table in there if found[str(table)].out_of_line_bytes > 0}
    findings = []
    for name, column, declared in lobs(stored, dms_type):
        if name not in tables:
            continue
        table, kind = tables[name], dms_type(*declared).name
        measure = f"octet_length({quoted(column)}{'' if kind == 'BLOB' else '::text'})"
        stored_bytes = found[name].out_of_line_bytes
        percent = max(100 * LARGE_BYTES / stored_bytes, 0.001)
        part = f" TABLESAMPLE SYSTEM ({percent:.3f})" if stored_bytes > LARGE_BYTES else ""
        [(largest,)] = query(f"SELECT max({measure})::bigint FROM {full_name(table)}{part}")
        # Text of no set length is counted in UTF-16.
        needed = (largest or 0) * (2 if kind == "NCLOB" else 1)
        if needed > wanted.lob_bytes(table):
            findings.append(too_large(wanted, table, column, needed))
    return findings
