"""What stands in the way of a DMS task in a MySQL or MariaDB source (AWS DMS User Guide, CHAP_Source.MySQL)."""

from __future__ import annotations

from collections import defaultdict

from catchment.engines.base import Query
from catchment.engines.findings import Column, collisions, keys, lobs, missing, no_user, too_large, types
from catchment.engines.mysql import catalog, preparation
from catchment.engines.mysql.catalog import FoundTable, full_name, quoted
from catchment.engines.mysql.server_checks import server_findings
from catchment.engines.mysql.types import dms_type
from catchment.engines.readiness import Finding, Level, Wanted, WantedTable

LARGE_BYTES = 256 * 2**20
"""How much of a table is looked at for large values; of a larger one, its first rows."""
TRANSACTIONAL = ("InnoDB", "ROCKSDB")


def findings(query: Query, wanted: Wanted) -> list[Finding]:
    """What stands in the way of a task, or will."""
    found = catalog.tables(query, wanted.tables)
    there = [table for table in wanted.tables if str(table) in found]
    stored, left_out = catalog.columns(query, wanted.tables, found)
    names = defaultdict[str, list[str]](list)
    for table, column, _ in stored:
        names[table].append(column)
    return [
        *server_findings(query, wanted),
        *_rights(query, wanted, there),
        *(missing(table) for table in wanted.tables if str(table) not in found),
        *_kinds(there, found),
        *keys(wanted, catalog.keys(query, wanted.tables, found), replicated_without=True),
        *types(wanted, stored, dms_type),
        *_left_out(left_out),
        *_cascades(query, wanted),
        *_large_values(query, wanted, there, found, stored),
        *collisions(wanted.tables, names),
    ]


def every_table(query: Query) -> list[WantedTable]:
    """The tables that the server holds besides its own, with their keys."""
    schemas = [WantedTable(schema=schema, name="") for (schema,) in query(catalog.EVERY_SCHEMA)]
    named = [
        WantedTable(schema=schema, name=name)
        for schema, name, kind, *_ in sorted(map(tuple, catalog.of_schemas(query, catalog.TABLES, schemas)))
        if kind == "BASE TABLE" and not name.startswith("awsdms_")
    ]
    found = catalog.keys(query, named, catalog.tables(query, named))
    return [WantedTable(schema=table.schema, name=table.name, key=found[str(table)]) for table in named]


def _rights(query: Query, wanted: Wanted, there: list[WantedTable]) -> list[Finding]:
    account = catalog.reader(query, wanted)
    if wanted.user is not None and not query(catalog.USER_IS_THERE, [account.user, account.host]):
        return [no_user(str(account))]
    steps = preparation.right_steps(query, wanted, account, there)
    return [
        Finding(check="rights", level=Level.BLOCKS, what=f"to do: {step.what}", why=step.why, sql=step.sql)
        for step in steps
    ]


def _kinds(there: list[WantedTable], found: dict[str, FoundTable]) -> list[Finding]:
    findings = []
    for table in there:
        each = found[str(table)]
        if each.kind != "BASE TABLE":
            findings.append(
                Finding(
                    check="table",
                    level=Level.BLOCKS,
                    what=f"{table} is no table, but a {each.kind.lower()}",
                    why="It has no changes of its own in the log.",
                    setting="Name the tables behind it.",
                )
            )
        elif each.engine not in TRANSACTIONAL:
            findings.append(
                Finding(
                    check="table",
                    level=Level.WARNS,
                    what=f"{table} is kept by {each.engine}, which knows no transactions",
                    why="Its load is no state that it ever had, and what is rolled back stays changed.",
                    sql=(f"ALTER TABLE {full_name(table)} ENGINE = InnoDB",),
                )
            )
    return findings


def _left_out(columns: list[tuple[str, str]]) -> list[Finding]:
    return [
        Finding(
            check="type",
            level=Level.WARNS,
            what=f"{table}.{column} is generated, or invisible",
            why="DMS does not read it from the log: changes do not have it.",
            setting="Compute it in the lake, or make it a column like the others.",
        )
        for table, column in columns
    ]


def _cascades(query: Query, wanted: Wanted) -> list[Finding]:
    if not wanted.follows:
        return []
    return [
        Finding(
            check="cascade",
            level=Level.WARNS,
            what=f"{table} is changed by its foreign keys: {', '.join(constraints)}",
            why="Rows that ON DELETE or ON UPDATE changes are not in the binary log: the lake keeps them as they were.",
            setting="Delete and update the rows themselves, or compare and reload the table from time to time.",
        )
        for table, constraints in catalog.cascades(query, wanted.tables).items()
    ]


def _large_values(
    query: Query, wanted: Wanted, there: list[WantedTable], found: dict[str, FoundTable], stored: list[Column]
) -> list[Finding]:
    tables = {str(table): table for table in there if found[str(table)].kind == "BASE TABLE"}
    findings = []
    for name, column, declared in lobs(stored, dms_type):
        if name not in tables:
            continue
        table, kind = tables[name], dms_type(*declared).name
        rows = full_name(table)
        if found[name].data_bytes > LARGE_BYTES:
            some = max(1000, LARGE_BYTES // max(found[name].row_bytes, 1))
            rows = f"(SELECT {quoted(column)} FROM {rows} LIMIT {some}) AS first_rows"
        [(largest,)] = query(f"SELECT max(octet_length({quoted(column)})) FROM {rows}")
        # Text of no set length is counted in UTF-16.
        needed = int(largest or 0) * (2 if kind == "NCLOB" else 1)
        if needed > wanted.lob_bytes(table):
            findings.append(too_large(wanted, table, column, needed))
    return findings
