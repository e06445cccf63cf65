"""What is asked of a source, and taken away in it: each engine's statements, and what is made of their answers.

Scope: MySQL and SQL Server by answers written down here, their statements parsed; PostgreSQL in tests/infrastructure,
against a server.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import sqlglot
from sqlglot import exp

from catchment.engines import ENGINES
from catchment.engines.base import percent_left
from catchment.engines.mysql import upkeep as mysql_upkeep
from catchment.engines.postgresql import upkeep as postgresql_upkeep
from catchment.engines.sqlserver import upkeep as sqlserver_upkeep

GB = 2**30
PROCEDURES = {
    "mysql.rds_set_configuration",
    "sys.sp_cdc_disable_table",
    "sys.sp_cdc_disable_db",
    "msdb.dbo.rds_cdc_disable_db",
}
"""A parser knows no procedure's name."""


class Answers:
    """A database that answers what is written down; what it was told to do is in ``done``."""

    def __init__(self, answers: Mapping[str, Sequence[Sequence[Any]]]) -> None:
        self._answers = answers
        self.done: list[tuple[str, tuple[object, ...]]] = []

    def __call__(self, statement: str, parameters: Sequence[object] = (), /) -> Sequence[Sequence[Any]]:
        if statement in self._answers:
            return self._answers[statement]
        assert not statement.startswith(("SELECT", "SHOW")), statement
        self.done.append((statement, tuple(parameters)))
        return []


@pytest.mark.parametrize(
    ("module", "dialect"), [(mysql_upkeep, "mysql"), (sqlserver_upkeep, "tsql"), (postgresql_upkeep, "postgres")]
)
def test_every_statement_is_of_its_engine(module: Any, dialect: str) -> None:
    texts = [value for name, value in vars(module).items() if name.isupper() and isinstance(value, str)]
    texts += [text for _, *both in getattr(module, "DDL_CAPTURE", ()) for text in both]
    assert len(texts) > 5
    for text in texts:
        [parsed] = [each for each in sqlglot.parse(text.replace("%s", "'x'"), dialect=dialect) if each][-1:]
        if isinstance(parsed, exp.Command | exp.Execute) and text.startswith(("CALL", "EXEC", "DECLARE")):
            words = text.replace("(", " ").split()
            assert words[words.index("CALL" if "CALL" in words else "EXEC") + 1] in PROCEDURES


def test_every_engine_of_rds_is_looked_after() -> None:
    assert {name for name, engine in ENGINES.items() if engine.upkeep is not None} == {
        name for name, engine in ENGINES.items() if engine.infrastructure.rds is not None
    }


@pytest.mark.parametrize(
    ("used", "limit", "percent"), [(0, 10, 100), (5, 10, 50), (10, 10, 0), (11, 10, 0), (1, 0, 0), (1, -5, 0)]
)
def test_what_is_left(used: float, limit: float, percent: float) -> None:
    assert percent_left(used, limit) == percent


def test_the_log_of_postgresql_may_have_what_slots_may_keep_or_the_databases_leave() -> None:
    def use(lost: bool, keep_mb: int, storage: int | None) -> float | None:
        answers = {
            postgresql_upkeep.RETAINED: [(GB, lost)],
            postgresql_upkeep.KEEP_MB: [(keep_mb,)],
            postgresql_upkeep.DATA_BYTES: [(6 * GB,)],
        }
        found = postgresql_upkeep.log_use(Answers(answers), storage)
        assert found.retained_bytes == GB
        return found.headroom_percent

    assert use(False, 4096, 100 * GB) == 75
    assert use(False, -1, 10 * GB) == 75
    assert use(False, -1, None) is None, "nobody knows how large the disk is"
    assert use(True, -1, 10 * GB) == 0, "a slot is lost already"


def test_the_log_of_mysql_may_have_what_tables_leave_unless_rds_throws_it_away() -> None:
    def use(on_rds: bool, hours: str | None, storage: int | None) -> float | None:
        answers: dict[str, list[tuple[Any, ...]]] = {
            mysql_upkeep.LOGS: [("a.1", GB, "No"), ("a.2", GB, "No")],
            mysql_upkeep.ON_RDS: [(1,)] if on_rds else [],
            mysql_upkeep.RETENTION: [(hours,)],
            mysql_upkeep.DATA_BYTES: [(2 * GB,)],
        }
        found = mysql_upkeep.log_use(Answers(answers), storage)
        assert found.retained_bytes == 2 * GB
        return found.headroom_percent

    assert use(True, "24", 10 * GB) == 75
    assert use(False, None, 10 * GB) == 75
    assert use(False, None, None) is None
    assert use(True, None, 10 * GB) == 0, "a log may go before it is read"


@pytest.mark.parametrize(
    ("on_rds", "hours", "readers", "does"),
    [(True, "24", [], True), (True, None, [], False), (True, "24", [("debezium",)], False), (False, "24", [], False)],
)
def test_mysql_keeps_its_log_no_longer_unless_somebody_else_reads_it(
    on_rds: bool, hours: str | None, readers: list[tuple[str]], does: bool
) -> None:
    source = Answers(
        {
            mysql_upkeep.ON_RDS: [(1,)] if on_rds else [],
            mysql_upkeep.RETENTION: [(hours,)],
            mysql_upkeep.READERS: readers,
        }
    )
    assert bool(mysql_upkeep.clean_up(source, [], [])) is does
    assert source.done == ([(mysql_upkeep.FORGET_RETENTION, ())] if does else [])


def test_the_log_of_sql_server_may_grow_to_its_files_limit_or_what_the_data_leave() -> None:
    def use(limits: list[int], storage: int | None) -> float | None:
        answers = {
            sqlserver_upkeep.LOG_BYTES: [(GB,)],
            sqlserver_upkeep.LOG_LIMITS: [(pages,) for pages in limits],
            sqlserver_upkeep.DATA_PAGES: [(6 * GB // 8192,)],
            sqlserver_upkeep.CAPTURE_IS_ON: [],
        }
        return sqlserver_upkeep.log_use(Answers(answers), storage).headroom_percent

    assert use([2 * GB // 8192, 2 * GB // 8192], None) == 75
    assert use([-1], 10 * GB) == use([268435456], 10 * GB) == 75
    assert use([-1], None) is None


def test_capture_may_be_behind_for_as_long_as_it_keeps_what_it_captured() -> None:
    def use(seconds: int | None, minutes: int | None, limit: int = 2 * GB // 8192) -> float | None:
        answers = {
            sqlserver_upkeep.LOG_BYTES: [(GB,)],
            sqlserver_upkeep.LOG_LIMITS: [(limit,)],
            sqlserver_upkeep.CAPTURE_IS_ON: [(1,)],
            sqlserver_upkeep.CAPTURE_AGE: [(seconds, minutes)],
        }
        return sqlserver_upkeep.log_use(Answers(answers), None).headroom_percent

    assert use(0, 4320) == 50, "the log is half full"
    assert use(194_400, 4320) == 25, "capture is three quarters of three days behind"
    assert use(194_400, 4320, limit=-1) == 25
    assert use(None, 4320, limit=-1) is use(60, None, limit=-1) is None, (
        "nothing has been captured, or no job cleans up"
    )


@pytest.mark.parametrize("on_rds", [True, False])
def test_capture_of_the_tasks_tables_ends_and_of_the_database_with_the_last(on_rds: bool) -> None:
    def cleared(*captured: tuple[str, str, str], enabled: bool = True) -> tuple[list[str], list[str]]:
        answers: dict[str, Sequence[Sequence[Any]]] = {
            sqlserver_upkeep.CAPTURE_IS_ON: [(1,)] if enabled else [],
            sqlserver_upkeep.CAPTURED: captured,
            sqlserver_upkeep.ON_RDS: [(1,)] if on_rds else [],
        }
        source = Answers(answers)
        words = sqlserver_upkeep.clean_up(source, [], [("dbo", "orders")])
        return words, [statement for statement, _ in source.done]

    whole = sqlserver_upkeep.DISABLE_ON_RDS if on_rds else sqlserver_upkeep.DISABLE
    own, theirs = ("dbo", "orders", "dbo_orders"), ("dbo", "stock", "dbo_stock")
    table = sqlserver_upkeep.DISABLE_TABLE
    assert cleared(own) == (["capture of dbo.orders", "capture of the database"], [table, whole])
    assert cleared(own, theirs) == (["capture of dbo.orders"], [table])
    assert cleared(enabled=False) == ([], [])
