"""SQL Server and Oracle, of which no server is to be had: what is made of answers that are written down here.

Each statement is parsed in its dialect, procedures by a list of their names. Scope: preparation and preflight of these
two; PostgreSQL and MariaDB are made sources for real in tests/local/preparation.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import sqlglot
from sqlfluff.core import Linter
from sqlglot import exp

from catchment.engines import oracle, sqlserver
from catchment.engines.oracle import catalog as ora
from catchment.engines.oracle import preflight as ora_preflight
from catchment.engines.readiness import Finding, Wanted, WantedTable, undo_of
from catchment.engines.sqlserver import catalog as ms
from catchment.engines.sqlserver import preflight as ms_preflight
from catchment.engines.sqlserver import server_checks as ms_checks
from catchment.engines.sqlserver import upkeep as ms_upkeep

PROCEDURES = {
    "msdb.dbo.rds_cdc_enable_db",
    "msdb.dbo.rds_cdc_disable_db",
    "sys.sp_cdc_enable_db",
    "sys.sp_cdc_disable_db",
    "sys.sp_cdc_enable_table",
    "sys.sp_cdc_disable_table",
    "sys.sp_cdc_change_job",
    "sys.sp_cdc_add_job",
    "sys.sp_cdc_stop_job",
    "sys.sp_cdc_start_job",
    "master.sys.sp_executesql",
    "msdb.sys.sp_executesql",
}
ORACLE_PROCEDURES = {
    "rdsadmin.rdsadmin_util.alter_supplemental_logging",
    "rdsadmin.rdsadmin_util.set_configuration",
    "rdsadmin.rdsadmin_util.grant_sys_object",
    "rdsadmin.rdsadmin_util.revoke_sys_object",
    "rdsadmin.rdsadmin_util.kill",
    "rdsadmin.rdsadmin_master_util.create_archivelog_dir",
    "rdsadmin.rdsadmin_master_util.create_onlinelog_dir",
}
"""A parser knows no procedure's name."""
NO_PARSER = (
    r"KILL \d+",
    r"DROP LOGIN \[\w+\]",
    r"ALTER SYSTEM KILL SESSION '\d+, \d+'",
    r"ALTER DATABASE (ADD|DROP) SUPPLEMENTAL LOG DATA",
    r'ALTER TABLE "\w+"\."\w+" (ADD|DROP) SUPPLEMENTAL LOG DATA \(ALL\) COLUMNS',
)
"""Statements that no parser here knows, to the letter."""

Rows = Sequence[Sequence[Any]]


class Recorded:
    """A database that answers what is written down, and nothing where nothing is."""

    def __init__(self, answers: Mapping[str, Rows | Callable[[Sequence[object]], Rows]]) -> None:
        self._answers, self.asked = answers, set[str]()

    def __call__(self, statement: str, parameters: Sequence[object] = (), /) -> Rows:
        self.asked.add(statement)
        found = self._answers.get(statement, [])
        return found(parameters) if callable(found) else found


@cache
def _linter(dialect: str) -> Linter:
    return Linter(dialect=dialect)


def parsed(statement: str, dialect: str) -> None:
    """Fail unless it is a statement of the dialect, and calls what is known."""
    if any(re.fullmatch(pattern, statement) for pattern in NO_PARSER):
        return
    plain = statement.replace("<password>", "secret").replace("%s", "1")
    assert not _linter(dialect).parse_string(plain).violations, statement
    if dialect == "oracle":
        for name in re.findall(r"rdsadmin\.[\w.]+", plain):
            assert name in ORACLE_PROCEDURES | {"rdsadmin.rds_configuration"}, statement
        return
    for each in sqlglot.parse(plain, dialect="tsql"):
        for call in each.find_all(exp.Execute) if each is not None else ():
            assert call.this.sql(dialect="tsql").replace("[", "").replace("]", "") in PROCEDURES | {"(@told)"}, (
                statement
            )
    for inner in re.findall(r"sp_executesql N'((?:[^']|'')*)'", statement):
        parsed(inner.replace("''", "'"), dialect)


def checks(findings: Sequence[Finding]) -> list[str]:
    """Their names."""
    return [finding.check for finding in findings]


# --- SQL Server

MS_TABLES = [
    ("dbo", "orders", 1, False, 0, False, False, 10),
    ("dbo", "unique only", 2, False, 0, False, False, 10),
    ("dbo", "heap", 3, False, 0, False, False, 2_000_000),
]
MS_COLUMNS = [
    (1, "id", "int", "int", 4, 10, 0, False, False),
    (2, "id", "int", "int", 4, 10, 0, False, False),
    (3, "note", "nvarchar", "nvarchar", -1, 0, 0, False, False),
]
MS_LARGEST = "SELECT MAX(DATALENGTH([note])) FROM [dbo].[heap] TABLESAMPLE (1 PERCENT)"
MS_FRESH: dict[str, Any] = {
    ms.ON_RDS: [(1,)],
    ms.TABLES: MS_TABLES,
    ms.KEYS: [(1, "id")],
    ms.UNIQUE: [(2, "ux")],
    ms.COLUMNS: MS_COLUMNS,
    ms.WHO: [("owner",)],
    ms_checks.SERVER: [(16, "Standard Edition (64-bit)", "FULL", 1)],
    ms_checks.SEES_STATE: [(1,)],
    ms_upkeep.LOG_BYTES: [(8192,)],
    ms_upkeep.LOG_LIMITS: [(-1,)],
    ms_upkeep.CAPTURE_AGE: [(0, 4320)],
    MS_LARGEST: [(100,)],
}
MS_READY: dict[str, Any] = {
    **MS_FRESH,
    ms_upkeep.CAPTURE_IS_ON: [(1,)],
    ms.TABLES: [(*row[:6], True, row[7]) for row in MS_TABLES],
    ms.HAS_JOBS: [(1,)],
    ms.JOBS: [("capture  ", 5, 0), ("cleanup ", 0, 4320)],
    ms.CAPTURED_COLUMNS: [(1, 1), (2, 1), (3, 1)],
    ms.LOGIN_IS_THERE: [(1,)],
    ms.USER_IS_THERE: [(1,)],
    ms.OWNS_DATABASE: [(1,)],
    ms.SERVER_RIGHTS: [("VIEW SERVER STATE",)],
    ms.MSDB_USER_IS_THERE: [(1,)],
    ms.MSDB_RIGHTS: [(name,) for name in (*sqlserver.preparation.MSDB_ON_RDS, *sqlserver.preparation.MSDB_ELSEWHERE)],
    ms_checks.HAS_BACKUP: [(1,)],
}
MS_WANTED = Wanted(
    tables=[
        WantedTable(schema="dbo", name="orders", key=["id"]),
        WantedTable(schema="dbo", name="unique only"),
        WantedTable(schema="dbo", name="heap"),
    ],
    lob_max_kb=32,
    outage_hours=24,
    user="dms",
    dms_version="3.5.4",
)


@pytest.mark.parametrize("on_rds", [True, False])
def test_sql_server_is_captured_with_and_without_key(on_rds: bool) -> None:
    steps = sqlserver.preparation.plan(Recorded({**MS_FRESH, ms.ON_RDS: [(1,)] if on_rds else []}), MS_WANTED)
    sql = [statement for step in steps for statement in step.sql]
    for statement in [*sql, *undo_of(steps)]:
        parsed(statement, "tsql")
    table = "EXEC sys.sp_cdc_enable_table @source_schema = N'dbo', @source_name = N'{}', @role_name = NULL, {}"
    assert sql[-4:] == [
        "DECLARE @name sysname = DB_NAME(); EXEC msdb.dbo.rds_cdc_enable_db @name"
        if on_rds
        else "EXEC sys.sp_cdc_enable_db",
        table.format("orders", "@supports_net_changes = 1"),
        table.format("unique only", "@supports_net_changes = 1, @index_name = N'ux'"),
        table.format("heap", "@supports_net_changes = 0"),
    ]
    assert sum("rds_dms_tlog" in statement for statement in sql) == (3 if on_rds else 0)
    assert undo_of(steps)[-1] == "DROP LOGIN [dms]", "what was made first goes last"


def test_sql_server_prepared_has_nothing_to_do_and_nothing_in_its_way() -> None:
    for on_rds in ([(1,)], []):
        source = Recorded({**MS_READY, ms.ON_RDS: on_rds})
        assert sqlserver.preparation.plan(source, MS_WANTED) == []
        assert checks(sqlserver.preflight.findings(source, MS_WANTED)) == ["key", "key"], "two tables have none"
        for statement in source.asked:
            parsed(statement, "tsql")


def test_capture_holds_the_log_back_for_a_dms_that_reads_no_backups() -> None:
    steps = sqlserver.preparation.plan(Recorded(MS_READY), replace(MS_WANTED, dms_version="3.5.2", outage_hours=96))
    sql = [statement for step in steps for statement in step.sql]
    assert "EXEC sys.sp_cdc_change_job @job_type = N'capture', @pollinginterval = 86399" in sql
    assert "EXEC sys.sp_cdc_change_job @job_type = N'cleanup', @retention = 5760" in sql
    assert "EXEC sys.sp_cdc_change_job @job_type = N'cleanup', @retention = 4320" in undo_of(steps)
    for statement in sql:
        parsed(statement, "tsql")


@pytest.mark.parametrize(
    ("check", "other"),
    [
        ("version", {ms_checks.SERVER: [(12, "Standard", "FULL", 1)]}),
        ("edition", {ms_checks.SERVER: [(16, "Express Edition", "FULL", 1)]}),
        ("log", {ms_checks.SERVER: [(16, "Standard", "SIMPLE", 1)]}),
        ("log", {ms_checks.SERVER: [(16, "Standard", "SIMPLE", 1)], ms.ON_RDS: []}),
        ("log", {ms_checks.HAS_BACKUP: [], ms.ON_RDS: []}),
        ("snapshots", {ms_checks.SERVER: [(16, "Standard", "FULL", 0)]}),
        ("encryption", {ms_checks.UNENCRYPTED: [(1,)]}),
        ("user", {ms.LOGIN_IS_THERE: []}),
        ("rights", {ms.OWNS_DATABASE: []}),
        ("rights", {ms.SERVER_RIGHTS: []}),
        ("rights", {ms.MSDB_RIGHTS: []}),
        ("capture", {ms.TABLES: MS_TABLES}),
        ("capture", {ms.CAPTURED_COLUMNS: [(1, 0)]}),
        ("capture-job", {ms.JOBS: [("cleanup", 0, 4320)]}),
        ("capture-job", {ms.JOBS: [("capture", 60, 0), ("cleanup", 0, 4320)]}),
        ("open-transactions", {ms_checks.OPEN: [(51, 4000)]}),
        ("open-transactions", {ms_checks.SEES_STATE: []}),
        ("table", {ms.TABLES: [(*MS_TABLES[0][:3], True, *MS_TABLES[0][4:6], True, 1)]}),
        ("type", {ms.COLUMNS: [*MS_COLUMNS, (1, "v", "sql_variant", "sql_variant", 8, 0, 0, False, False)]}),
        ("type", {ms.COLUMNS: [*MS_COLUMNS, (1, "c", "int", "int", 4, 10, 0, True, False)]}),
        ("names", {ms.COLUMNS: [*MS_COLUMNS, (1, "ID", "int", "int", 4, 10, 0, False, False)]}),
        ("lob", {MS_LARGEST: [(40_000,)]}),
    ],
)
def test_sql_server_says_what_is_wrong_and_what_mends_it(check: str, other: dict[str, Any]) -> None:
    found = sqlserver.preflight.findings(Recorded({**MS_READY, **other}), MS_WANTED)
    assert check in checks(found)
    for finding in found:
        assert finding.what
        assert finding.why
        assert finding.fix
        for statement in finding.sql:
            parsed(statement, "tsql")


def test_sql_server_says_which_tables_it_holds() -> None:
    source = Recorded({**MS_READY, ms_preflight.EVERY_TABLE: [("dbo", "orders")]})
    assert sqlserver.preflight.every_table(source) == [WantedTable(schema="dbo", name="orders", key=["id"])]
    for statement in source.asked:
        parsed(statement, "tsql")


# --- Oracle

ORA_COLUMNS = [
    ("ORDERS", "ID", "NUMBER", 22, 0, 9, 0, "NO", "NO"),
    ("ORDERS", "NOTE", "CLOB", 4000, 0, None, None, "NO", "NO"),
]
ORA_LARGEST = 'SELECT max(dbms_lob.getlength("NOTE")) FROM "ERP"."ORDERS"'
ORA_FRESH: dict[str, Any] = {
    ora.TABLES: [("ERP", "ORDERS", "N", 10)],
    ora.KEYS: [("ORDERS", "ID")],
    ora.COLUMNS: ORA_COLUMNS,
    ora.DATABASE: [("ARCHIVELOG", "NO", "NO", "PRIMARY")],
    ora.WHO: [("OWNER",)],
    ora_preflight.VERSION: [(19,)],
    ora_preflight.PROTOCOL: [("tcps",)],
    ora_preflight.REACHES_BACK: [(48,)],
    ORA_LARGEST: [(100,)],
}
ORA_VIEWS = [
    ("SYS", view) for view in (*oracle.preparation.VIEWS, *itertools.chain(*oracle.preparation.READER_VIEWS.values()))
]
ORA_RIGHTS = ("CREATE SESSION", "SELECT ANY TRANSACTION", "LOGMINING", "CREATE ANY DIRECTORY")
ORA_READY: dict[str, Any] = {
    **ORA_FRESH,
    ora.USER_IS_THERE: [(1,)],
    ora.SYSTEM_RIGHTS: [(right,) for right in ORA_RIGHTS],
    ora.OBJECT_RIGHTS: [("ERP", "ORDERS"), *ORA_VIEWS],
    ora.DATABASE: [("ARCHIVELOG", "IMPLICIT", "NO", "PRIMARY")],
    ora.LOGGED_WHOLE: [("ORDERS",)],
    ora.RETENTION: [("24",)],
}
ORA_WANTED = Wanted(
    tables=[WantedTable(schema="ERP", name="ORDERS", key=["ID"])], lob_max_kb=32, outage_hours=24, user="dms"
)


@pytest.mark.parametrize("reader", [None, "binary"])
@pytest.mark.parametrize("on_rds", [True, False])
def test_oracle_logs_every_column_and_lets_its_reader_read(on_rds: bool, reader: str | None) -> None:
    wanted = replace(ORA_WANTED, log_reader=reader)
    steps = oracle.preparation.plan(Recorded({**ORA_FRESH, ora.ON_RDS: [(1,)] if on_rds else []}), wanted)
    sql = [statement for step in steps for statement in step.sql]
    for statement in [*sql, *undo_of(steps)]:
        parsed(statement, "oracle")
    least = "BEGIN rdsadmin.rdsadmin_util.alter_supplemental_logging('ADD'); END;"
    assert (least if on_rds else "ALTER DATABASE ADD SUPPLEMENTAL LOG DATA") in sql
    assert 'ALTER TABLE "ERP"."ORDERS" ADD SUPPLEMENTAL LOG DATA (ALL) COLUMNS' in sql
    assert 'GRANT SELECT ON "ERP"."ORDERS" TO "DMS"' in sql
    kept = "BEGIN rdsadmin.rdsadmin_util.set_configuration('archivelog retention hours', '24'); END;"
    assert (kept in sql) == on_rds
    assert any("LOGMNR" in statement for statement in sql) == (reader is None)
    assert any("create_archivelog_dir" in statement for statement in sql) == (on_rds and reader == "binary")
    assert undo_of(steps)[-1] == 'DROP USER "DMS"'


@pytest.mark.parametrize("on_rds", [True, False])
def test_oracle_prepared_has_nothing_to_do_and_nothing_in_its_way(on_rds: bool) -> None:
    source = Recorded({**ORA_READY, ora.ON_RDS: [(1,)] if on_rds else []})
    assert oracle.preparation.plan(source, ORA_WANTED) == []
    assert oracle.preflight.findings(source, ORA_WANTED) == []
    for statement in source.asked:
        parsed(statement, "oracle")


@pytest.mark.parametrize(
    ("check", "other"),
    [
        ("version", {ora_preflight.VERSION: [(23,)]}),
        ("encryption", {ora_preflight.PROTOCOL: [("tcp",)]}),
        ("log-reader", {ora_preflight.PLUGGABLE: [(1,)]}),
        ("log", {ora.DATABASE: [("NOARCHIVELOG", "YES", "NO", "PRIMARY")]}),
        ("standby", {ora.DATABASE: [("ARCHIVELOG", "YES", "NO", "PHYSICAL STANDBY")]}),
        ("supplemental-log", {ora.DATABASE: [("ARCHIVELOG", "NO", "NO", "PRIMARY")]}),
        ("supplemental-log", {ora.LOGGED_WHOLE: []}),
        ("retention", {ora_preflight.REACHES_BACK: [(3,)]}),
        ("retention", {ora.ON_RDS: [(1,)], ora.RETENTION: [(None,)]}),
        ("user", {ora.USER_IS_THERE: []}),
        ("rights", {ora.OBJECT_RIGHTS: ORA_VIEWS}),
        ("rights", {ora.SYSTEM_RIGHTS: []}),
        ("open-transactions", {ora_preflight.OPEN: [(5, 77, 4000)]}),
        ("open-transactions", {ora_preflight.OPEN: [(5, 77, 4000)], ora.ON_RDS: [(1,)]}),
        ("table", {ora.TABLES: []}),
        ("table", {ora.TABLES: [("ERP", "ORDERS", "Y", 0)]}),
        ("key", {ora.KEYS: []}),
        ("type", {ora.COLUMNS: [*ORA_COLUMNS, ("ORDERS", "R", "ROWID", 10, 0, None, None, "NO", "NO")]}),
        ("type", {ora.COLUMNS: [*ORA_COLUMNS, ("ORDERS", "V", "NUMBER", 22, 0, 9, 0, "YES", "NO")]}),
        ("names", {ora.COLUMNS: [*ORA_COLUMNS, ("ORDERS", "X" * 31, "NUMBER", 22, 0, 9, 0, "NO", "NO")]}),
        ("lob", {ORA_LARGEST: [(20_000,)]}),
    ],
)
def test_oracle_says_what_is_wrong_and_what_mends_it(check: str, other: dict[str, Any]) -> None:
    found = oracle.preflight.findings(Recorded({**ORA_READY, **other}), ORA_WANTED)
    assert check in checks(found)
    for finding in found:
        assert finding.what
        assert finding.why
        assert finding.fix
        for statement in finding.sql:
            parsed(statement, "oracle")


def test_oracle_says_which_tables_it_holds() -> None:
    source = Recorded({**ORA_READY, ora.EVERY_SCHEMA: [("ERP",)]})
    assert oracle.preflight.every_table(source) == [WantedTable(schema="ERP", name="ORDERS", key=["ID"])]
    for statement in source.asked:
        parsed(statement, "oracle")


@pytest.mark.parametrize(
    "wrong", ["EXEC sys.sp_cdc_enable_tabel @source_schema = N'dbo'", "GRANT VIEW SERVER STAT TO TO x"]
)
def test_what_is_misspelt_is_seen(wrong: str) -> None:
    with pytest.raises(AssertionError):
        parsed(wrong, "tsql")
