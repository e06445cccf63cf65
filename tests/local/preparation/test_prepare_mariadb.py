"""A real MariaDB is made a source and put back; whatever is broken in it is found, and mended by what is printed.

Scope: catchment.engines.mysql.preparation and .preflight on the embedded server, as RDS has it and as its owner has.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pymysql
import pytest

from catchment.engines.base import Query
from catchment.engines.connection import query_of
from catchment.engines.mysql import preflight, preparation
from catchment.engines.readiness import Finding, Level, Wanted, WantedTable, take, undo, undo_of
from local.source.mariadb import EmbeddedMariaDb
from local.source.mariadb_programs import supported

pytestmark = pytest.mark.skipif(not supported(), reason="no MariaDB is built for this machine")

PARAMETERS = {"binlog_format": "ROW", "binlog_row_image": "FULL"}
ORDERS = WantedTable(schema="shop", name="orders", key=("id",))
STATE = (
    "SELECT user, host FROM mysql.user ORDER BY 1, 2",
    "SELECT grantee, privilege_type FROM information_schema.user_privileges ORDER BY 1, 2",
    "SELECT grantee, table_name FROM information_schema.table_privileges ORDER BY 1, 2",
    "SELECT @@global.binlog_format, @@global.binlog_row_image, @@global.binlog_expire_logs_seconds",
)
"""Everything that preparation may change."""
TEXT = "UPDATE shop.orders SET note = repeat('x', {})"


class Source:
    """A server, asked as who looks after it asks: RDS's master user, or its owner, who may do everything."""

    def __init__(self, server: EmbeddedMariaDb, *, on_rds: bool) -> None:
        self.server, self.on_rds = server, on_rds
        self.wanted = Wanted(tables=[ORDERS], lob_max_kb=32, outage_hours=24, user="dms", encrypted=False)

    @contextmanager
    def query(self, *, administers: bool | None = None) -> Iterator[Query]:
        everything = not self.on_rds if administers is None else administers
        connection = self.server.administer() if everything else self.server.connect()
        try:
            yield query_of(connection)
        finally:
            connection.close()

    def run(self, *statements: str) -> None:
        with self.query(administers=True) as query:
            for statement in statements:
                query(statement)

    def findings(self, **other: Any) -> list[Finding]:
        with self.query() as query:
            return preflight.findings(query, replace(self.wanted, **other))

    def wait(self, fine: Callable[[list[Finding]], bool], **other: Any) -> list[Finding]:
        """The findings once they are so: InnoDB tells the same for a tenth of a second after it is asked."""
        deadline = time.monotonic() + 10
        while not fine(found := self.findings(**other)) and time.monotonic() < deadline:
            time.sleep(0.15)
        return found

    def prepare(self) -> list[str]:
        """Prepare; the statements that take it back."""
        with self.query() as query:
            steps = preparation.plan(query, self.wanted)
            take(query, steps, "secret")
            return undo_of(steps)

    def state(self) -> list[Any]:
        with self.query(administers=True) as query:
            return [query(statement) for statement in STATE]


@pytest.fixture(scope="module", params=[True, False], ids=["rds", "own"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Source]:
    with EmbeddedMariaDb.start(
        tmp_path_factory.mktemp("mariadb"), parameters=PARAMETERS, user="owner", password="owner"
    ) as server:
        source = Source(server, on_rds=request.param)
        if not source.on_rds:
            source.run("DROP PROCEDURE mysql.rds_set_configuration")
        yield source


@pytest.fixture
def source(made: Source) -> Iterator[Source]:
    made.run("CREATE DATABASE shop", "CREATE TABLE shop.orders (id int PRIMARY KEY, note mediumtext, paid boolean)")
    made.run("INSERT INTO shop.orders VALUES (1, 'x', true)", "SET GLOBAL binlog_expire_logs_seconds = 3600")
    yield made
    made.run("DROP DATABASE shop", "DROP USER IF EXISTS dms", "SET GLOBAL time_zone = '+00:00'")
    made.run("SET GLOBAL binlog_format = 'ROW'", "SET GLOBAL binlog_row_image = 'FULL'", "SET GLOBAL read_only = 0")
    made.run("UPDATE mysql.rds_configuration SET value = NULL")


def checks(findings: list[Finding]) -> list[str]:
    """Their names."""
    return [finding.check for finding in findings]


def test_prepared_twice_there_is_nothing_to_do_and_undone_all_is_as_it_was(source: Source) -> None:
    assert checks(source.findings()) == ["retention", "user"]
    before = source.state()
    taken_back = source.prepare()
    assert source.prepare() == []
    assert source.findings() == []
    assert source.state() != before
    with source.query() as query:
        assert undo(query, taken_back).failed == {}
    # RDS's procedure, told NULL, says for how long the server keeps its log: here, for ever
    assert source.state()[:3] == before[:3]
    assert source.on_rds or source.state() == before
    assert source.on_rds or checks(source.findings()) == ["retention", "user"]


CASCADING = "ALTER TABLE shop.orders ADD CONSTRAINT c FOREIGN KEY (p) REFERENCES orders (id) ON DELETE CASCADE"
BREAKS: list[tuple[str, list[str], list[str]]] = [
    ("rights", ["REVOKE SELECT ON shop.orders FROM dms"], []),
    ("rights", ["REVOKE REPLICATION SLAVE ON *.* FROM dms"], []),
    ("rights", ["REVOKE REPLICATION CLIENT ON *.* FROM dms"], []),
    ("log", ["SET GLOBAL binlog_format = 'MIXED'"], ["SET GLOBAL binlog_format = 'ROW'"]),
    ("log", ["SET GLOBAL binlog_row_image = 'MINIMAL'"], ["SET GLOBAL binlog_row_image = 'FULL'"]),
    ("log", ["SET GLOBAL log_bin_compress = ON"], ["SET GLOBAL log_bin_compress = OFF"]),
    ("standby", ["SET GLOBAL read_only = ON"], ["SET GLOBAL read_only = OFF"]),
    ("table", ["ALTER TABLE shop.orders ENGINE = MyISAM"], []),
    ("table", ["RENAME TABLE shop.orders TO shop.other"], ["RENAME TABLE shop.other TO shop.orders"]),
    ("key", ["ALTER TABLE shop.orders DROP PRIMARY KEY"], ["ALTER TABLE shop.orders ADD PRIMARY KEY (id)"]),
    ("type", ["ALTER TABLE shop.orders ADD seen inet6"], ["ALTER TABLE shop.orders DROP seen"]),
    ("type", ["ALTER TABLE shop.orders ADD two int AS (id * 2)"], ["ALTER TABLE shop.orders DROP two"]),
    ("type", ["ALTER TABLE shop.orders ADD h int INVISIBLE"], ["ALTER TABLE shop.orders MODIFY h int"]),
    ("lob", [TEXT.format(20_000)], [TEXT.format(16_000)]),
    (
        "cascade",
        ["ALTER TABLE shop.orders ADD p int", CASCADING],
        ["ALTER TABLE shop.orders DROP FOREIGN KEY c"],
    ),
]  # fmt: skip
"""A check, what breaks it, and what mends it where the finding says so in words."""


@pytest.mark.parametrize(
    ("check", "breaks", "by_hand"), BREAKS, ids=[f"{n}-{each[0]}" for n, each in enumerate(BREAKS)]
)
def test_what_is_broken_is_found_and_the_fix_that_is_printed_mends_it(
    source: Source, check: str, breaks: list[str], by_hand: list[str]
) -> None:
    source.prepare()
    assert source.findings() == []
    source.run(*breaks)
    found = source.findings()
    assert set(checks(found)) == {check}, found
    assert all(finding.what and finding.why and finding.fix for finding in found)
    printed = [statement for finding in found for statement in finding.sql]
    assert printed or by_hand
    source.run(*(printed or by_hand))
    assert source.findings() == []


def test_how_long_the_log_is_kept_is_measured_against_the_worst_outage(source: Source) -> None:
    source.prepare()
    [found] = source.findings(outage_hours=48)
    assert (found.check, found.level) == ("retention", Level.BLOCKS)
    source.run(*found.sql)
    assert source.findings(outage_hours=48) == []


def test_a_server_in_another_time_zone_is_told_of(source: Source) -> None:
    source.prepare()
    with source.query() as query:
        query("SET SESSION time_zone = '+02:00'")
        [found] = preflight.findings(query, source.wanted)
    assert (found.check, found.level) == ("time-zone", Level.WARNS)


def test_a_transaction_that_is_open_too_long_is_ended(source: Source) -> None:
    source.prepare()
    with source.server.connect(autocommit=False) as theirs:
        theirs.cursor().execute("UPDATE shop.orders SET paid = false")
        assert source.findings() == [], "it has not been open for long"
        [found] = source.wait(bool, open_seconds=0)
        assert (found.check, found.level) == ("open-transactions", Level.WARNS)
        if not source.on_rds:
            source.run(*found.sql)
            assert source.wait(lambda findings: not findings, open_seconds=0) == []


def test_the_user_that_is_made_loads_and_reads_the_log_and_does_nothing_else(source: Source) -> None:
    source.prepare()
    login = {"host": source.server.host, "port": source.server.port, "user": "dms", "password": "secret"}
    with pymysql.connect(**login, ssl_disabled=True) as theirs, theirs.cursor() as cursor:
        assert cursor.execute("SELECT * FROM shop.orders") == 1
        assert cursor.execute("SHOW MASTER STATUS") == 1
        for refused in ("DELETE FROM shop.orders", "CREATE TABLE shop.t (i int)", "SELECT * FROM mysql.user"):
            with pytest.raises(pymysql.MySQLError):
                cursor.execute(refused)
        found = preflight.findings(query_of(theirs), replace(source.wanted, user=None))
    assert checks(found) == ["open-transactions"], "it does not see what others have open"


def test_of_a_large_table_a_part_is_looked_at(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    source.prepare()
    source.run(TEXT.format(20_000))
    monkeypatch.setattr(preflight, "LARGE_BYTES", 0)
    assert checks(source.findings()) == ["lob"]


def test_a_server_says_which_tables_it_holds(source: Source) -> None:
    source.prepare()
    source.run("CREATE TABLE shop.`No Key` (n int)", "CREATE VIEW shop.v AS SELECT 1 AS n")
    with source.query() as query:
        assert preflight.every_table(query) == [
            WantedTable(schema="shop", name="No Key", key=[]),
            WantedTable(schema="shop", name="orders", key=["id"]),
        ]


def test_a_server_without_a_binary_log_is_blocked(tmp_path: Path) -> None:
    with EmbeddedMariaDb.start(tmp_path, parameters={}, user="owner", password="owner", binary_log=False) as server:
        found = Source(server, on_rds=True).findings(tables=[], user=None)
    assert "log" in checks(found)
