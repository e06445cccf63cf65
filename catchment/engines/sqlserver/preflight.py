"""What stands in the way of a DMS task in a SQL Server source (AWS DMS User Guide, CHAP_Source.SQLServer)."""

from __future__ import annotations

from collections import defaultdict

from catchment.engines.base import Query
from catchment.engines.findings import Column, collisions, keys, lobs, missing, no_user, too_large, types
from catchment.engines.readiness import Finding, Level, Wanted, WantedTable
from catchment.engines.sqlserver import catalog, preparation, upkeep
from catchment.engines.sqlserver.catalog import FoundTable, full_name, quoted
from catchment.engines.sqlserver.server_checks import server_findings
from catchment.engines.sqlserver.types import dms_type

EVERY_TABLE = (
    "SELECT s.name, t.name FROM sys.tables AS t JOIN sys.schemas AS s ON s.schema_id = t.schema_id"
    " WHERE t.is_ms_shipped = 0 AND s.name <> 'cdc' AND t.name NOT LIKE 'awsdms[_]%' ORDER BY s.name, t.name"
)
REFUSED_IN_NAMES = "\\\"\b\r\t\n';"
"""Letters that DMS does not take in the name of a table, nor two dashes."""
LARGE_TABLE_ROWS = 1_000_000
SAMPLED = " TABLESAMPLE (1 PERCENT)"


def findings(query: Query, wanted: Wanted) -> list[Finding]:
    """What stands in the way of a task, or will."""
    found = catalog.tables(query, wanted.tables)
    there = [table for table in wanted.tables if str(table) in found]
    stored, left_out = catalog.columns(query, found)
    names = defaultdict[str, list[str]](list)
    for table, column, _ in stored:
        names[table].append(column)
    return [
        *server_findings(query, wanted),
        *_rights(query, wanted),
        *(missing(table) for table in wanted.tables if str(table) not in found),
        *_kinds(there, found),
        *keys(wanted, catalog.keys(query, found), replicated_without=True),
        *types(wanted, stored, dms_type),
        *_left_out(left_out),
        *_not_captured(query, there, found, names),
        *_large_values(query, wanted, there, found, stored),
        *collisions(wanted.tables, names),
    ]


def every_table(query: Query) -> list[WantedTable]:
    """The tables that a database holds besides its own, with their keys."""
    named = [WantedTable(schema=schema, name=name) for schema, name in query(EVERY_TABLE)]
    found = catalog.keys(query, catalog.tables(query, named))
    return [WantedTable(schema=table.schema, name=table.name, key=found[str(table)]) for table in named]


def _rights(query: Query, wanted: Wanted) -> list[Finding]:
    who = catalog.reader(query, wanted)
    if not query(catalog.LOGIN_IS_THERE, [who]):
        return [no_user(who)]
    return [
        Finding(check="rights", level=Level.BLOCKS, what=f"to do: {step.what}", why=step.why, sql=step.sql)
        for step in preparation.right_steps(query, wanted)
    ]


def _kinds(there: list[WantedTable], found: dict[str, FoundTable]) -> list[Finding]:
    findings = []
    for table in there:
        each = found[str(table)]
        kinds = {
            "memory-optimised": each.memory_optimized,
            "temporal": each.temporal,
            "column-store": each.column_store,
        }
        kind = " and ".join(name for name, is_so in kinds.items() if is_so)
        if kind:
            findings.append(
                Finding(
                    check="table",
                    level=Level.BLOCKS,
                    what=f"{table} is {kind}",
                    why="DMS does not replicate such a table.",
                    setting="Leave it out, or make it a plain one.",
                )
            )
        if any(letter in REFUSED_IN_NAMES for letter in str(table)) or "--" in str(table):
            findings.append(
                Finding(
                    check="names",
                    level=Level.BLOCKS,
                    what=f"{table} has a letter in its name that DMS does not take",
                    why="Quotes, backslashes, semicolons, tabs, line ends and -- are refused.",
                    setting="Rename it at the source, or leave it out.",
                )
            )
    return findings


def _left_out(columns: list[tuple[str, str]]) -> list[Finding]:
    return [
        Finding(
            check="type",
            level=Level.WARNS,
            what=f"{table}.{column} is computed, or sparse",
            why="DMS does not replicate it.",
            setting="Compute it in the lake, or make it a column like the others.",
        )
        for table, column in columns
    ]


def _not_captured(
    query: Query, there: list[WantedTable], found: dict[str, FoundTable], names: dict[str, list[str]]
) -> list[Finding]:
    """A capture keeps the columns that a table had when it was made."""
    if not query(upkeep.CAPTURE_IS_ON):
        return []
    captured = {int(number): int(columns) for number, columns in query(catalog.CAPTURED_COLUMNS)}
    findings = []
    for table in there:
        columns = captured.get(found[str(table)].object_id)
        if columns is not None and columns < len(names[str(table)]):
            named = f"@source_schema = {catalog.text(table.schema)}, @source_name = {catalog.text(table.name)}"
            findings.append(
                Finding(
                    check="capture",
                    level=Level.WARNS,
                    what=f"{table} has {len(names[str(table)])} columns, {columns} of them are captured",
                    why="The columns that came after capture was switched on may be missing in changes.",
                    sql=(f"EXEC sys.sp_cdc_disable_table {named}, @capture_instance = N'all'",),
                    setting="Then catchment prepare, with the task stopped, which captures the table anew.",
                )
            )
    return findings


def _large_values(
    query: Query, wanted: Wanted, there: list[WantedTable], found: dict[str, FoundTable], stored: list[Column]
) -> list[Finding]:
    tables = {str(table): table for table in there}
    findings = []
    for name, column, _ in lobs(stored, dms_type):
        part = SAMPLED if found[name].rows > LARGE_TABLE_ROWS else ""
        [(largest,)] = query(f"SELECT MAX(DATALENGTH({quoted(column)})) FROM {full_name(tables[name])}{part}")
        # nvarchar(max) is stored in UTF-16 as DMS counts it; varchar(max) is counted as it is
        if int(largest or 0) > wanted.lob_bytes(tables[name]):
            findings.append(too_large(wanted, tables[name], column, int(largest)))
    return findings
