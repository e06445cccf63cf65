"""A real PostgreSQL is made a source and put back; whatever is broken in it is found, and mended by what is printed.

Scope: catchment.engines.postgresql.preparation and .preflight on the embedded server.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import psycopg2
import psycopg2.errors
import pytest
from psycopg2.extras import LogicalReplicationConnection

from catchment.engines.base import Query
from catchment.engines.connection import connected
from catchment.engines.postgresql import preflight, preparation
from catchment.engines.readiness import Finding, Level, Wanted, WantedTable, take, undo, undo_of
from catchment.engines.trust import Trust
from catchment.errors import SourceRefused
from catchment.prepare.sides import Direct
from local.source.postgres import EmbeddedPostgres

PARAMETERS = {"rds.logical_replication": "1", "max_replication_slots": "4", "wal_keep_size": "0"}
ORDERS = WantedTable(schema="shop", name="orders", key=("id",))
STATE = (
    "SELECT rolname::text, rolreplication, rolconfig::text FROM pg_roles"
    " WHERE NOT starts_with(rolname, 'pg_') ORDER BY 1",
    "SELECT relname::text, relreplident::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE nspname IN ('public', 'shop') ORDER BY 1",
    "SELECT c.relname::text, a.privilege_type FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a"
    " WHERE a.grantee <> c.relowner AND starts_with(c.relname, 'orders') ORDER BY 1, 2",
    "SELECT n.nspname::text, a.grantee::bigint, a.privilege_type FROM pg_namespace n"
    " CROSS JOIN LATERAL aclexplode(n.nspacl) a WHERE a.grantee <> n.nspowner"
    " AND nspname IN ('public', 'shop') ORDER BY 1, 2, 3",
    "SELECT evtname::text FROM pg_event_trigger ORDER BY 1",
)
"""Everything that preparation may change."""
LARGE = "UPDATE shop.orders SET note = (SELECT string_agg(md5(n::text), '') FROM generate_series(1, {}) n)"
RELOAD = "SELECT pg_reload_conf()"
_databases = itertools.count()


class Source:
    """A database of its own, asked as its owner asks."""

    def __init__(self, server: EmbeddedPostgres, database: str) -> None:
        self._server, self.database = server, database
        self.wanted = Wanted(tables=[ORDERS], lob_max_kb=32, outage_hours=24, user="dms", encrypted=False)

    @contextmanager
    def query(self, user: str = "owner", secret: str | None = None) -> Iterator[Query]:
        login = {"host": self._server.host, "port": self._server.port, "username": user, "password": secret or user}
        with connected("postgresql", login, self.database, Trust()) as query:
            yield query

    def run(self, *statements: str) -> None:
        with self.query() as query:
            for statement in statements:
                query(statement)

    def findings(self, **other: Any) -> list[Finding]:
        with self.query() as query:
            return preflight.findings(query, replace(self.wanted, **other))

    def prepare(self, **other: Any) -> list[str]:
        """Prepare; the statements that take it back."""
        with self.query() as query:
            steps = preparation.plan(query, replace(self.wanted, **other))
            take(query, steps, "secret")
            return undo_of(steps)

    def wait(self, fine: Callable[[list[Finding]], bool]) -> list[Finding]:
        """The findings once they are so: a reload of the configuration takes its moment."""
        deadline = time.monotonic() + 10
        while not fine(found := self.findings()) and time.monotonic() < deadline:
            time.sleep(0.02)
        return found

    def state(self) -> list[Any]:
        """What preparation may change."""
        with self.query() as query:
            return [query(statement) for statement in STATE]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    folder = tmp_path_factory.mktemp("prepared")
    with EmbeddedPostgres.start(folder, parameters=PARAMETERS, user="owner", password="owner", database="x") as server:
        yield server


@pytest.fixture
def source(server: EmbeddedPostgres) -> Iterator[Source]:
    name = f"source{next(_databases)}"
    with psycopg.connect(server.dsn("x"), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
        made = Source(server, name)
        made.run("CREATE SCHEMA shop", "CREATE TABLE shop.orders (id int PRIMARY KEY, note text, paid boolean)")
        made.run("INSERT INTO shop.orders VALUES (1, 'x', true)")
        yield made
        slots = "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
        admin.execute(slots.encode())
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
        admin.execute(b"DROP ROLE IF EXISTS dms")
        for setting in ("wal_sender_timeout", "max_slot_wal_keep_size"):
            admin.execute(f"ALTER SYSTEM RESET {setting}".encode())
        admin.execute(RELOAD.encode())


def checks(findings: list[Finding]) -> list[str]:
    """Their names."""
    return [finding.check for finding in findings]


def test_prepared_twice_there_is_nothing_to_do_and_undone_all_is_as_it_was(source: Source) -> None:
    before = source.state()
    taken_back = source.prepare()
    assert source.prepare() == []
    assert source.findings() == []
    assert source.state() != before
    with source.query() as query:
        assert undo(query, taken_back).failed == {}
    assert source.state() == before
    assert [finding.check for finding in source.findings()] == ["user"]


@pytest.mark.parametrize(
    ("check", "breaks"),
    [
        ("rights", ["REVOKE SELECT ON shop.orders FROM dms"]),
        ("rights", ["REVOKE USAGE ON SCHEMA shop FROM dms"]),
        ("rights", ["ALTER ROLE dms NOREPLICATION"]),
        ("rights", ["ALTER ROLE dms SET idle_in_transaction_session_timeout = '10s'"]),
        ("ddl", ["DROP EVENT TRIGGER awsdms_intercept_ddl"]),
        ("ddl", ["REVOKE CREATE ON SCHEMA public FROM dms"]),
        ("row-security", ["ALTER TABLE shop.orders ENABLE ROW LEVEL SECURITY"]),
        ("table", ["ALTER TABLE shop.orders SET UNLOGGED"]),
        ("full-rows", [LARGE.format(300)]),
        ("type", ["ALTER TABLE shop.orders ALTER paid TYPE numeric USING 1"]),
        ("type", ["ALTER TABLE shop.orders ADD twice int GENERATED ALWAYS AS (id * 2) VIRTUAL"]),
        ("names", ['ALTER TABLE shop.orders ADD "Note" int']),
        ("table", ["ALTER TABLE shop.orders RENAME TO other", "CREATE VIEW shop.orders AS SELECT 1 AS id"]),
        ("table", ["ALTER TABLE shop.orders RENAME TO other"]),
        ("key", ["ALTER TABLE shop.orders DROP CONSTRAINT orders_pkey"]),
        ("sender-timeout", ["ALTER SYSTEM SET wal_sender_timeout = '5s'", RELOAD]),
        ("sender-timeout", ["ALTER SYSTEM SET wal_sender_timeout = '1h'", RELOAD]),
        ("retention", ["ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'", RELOAD]),
        ("slots", ["SELECT pg_create_physical_replication_slot('s' || n) FROM generate_series(1, 4) n"]),
    ],
)
def test_what_is_broken_is_found_and_the_fix_that_is_printed_mends_it(
    source: Source, check: str, breaks: list[str]
) -> None:
    source.prepare()
    if check == "retention":
        source.run("CREATE TABLE written AS SELECT repeat('x', 200) FROM generate_series(1, 20000)")
    assert source.findings() == []
    source.run(*breaks)
    found = source.wait(lambda findings: bool(findings))
    assert check in {finding.check for finding in found}, found
    assert all(finding.what and finding.why and finding.fix for finding in found)
    mends = MENDS_BY_HAND.get(breaks[0]) or [statement for finding in found for statement in finding.sql]
    source.run(*mends)
    assert source.wait(lambda findings: not findings) == []


MENDS_BY_HAND = {
    "ALTER TABLE shop.orders ALTER paid TYPE numeric USING 1": [
        "ALTER TABLE shop.orders ALTER paid TYPE numeric(9, 2)"
    ],
    "ALTER TABLE shop.orders ADD twice int GENERATED ALWAYS AS (id * 2) VIRTUAL": [
        "ALTER TABLE shop.orders DROP twice"
    ],
    'ALTER TABLE shop.orders ADD "Note" int': ['ALTER TABLE shop.orders RENAME "Note" TO remark'],
    "ALTER TABLE shop.orders RENAME TO other": [
        "DROP VIEW IF EXISTS shop.orders",
        "ALTER TABLE shop.other RENAME TO orders",
    ],
    "ALTER TABLE shop.orders DROP CONSTRAINT orders_pkey": ["ALTER TABLE shop.orders ADD PRIMARY KEY (id)"],
    "SELECT pg_create_physical_replication_slot('s' || n) FROM generate_series(1, 4) n": [
        "SELECT pg_drop_replication_slot('s1')"
    ],
}
"""What a finding says in words, by what was broken first."""


def test_a_transaction_that_is_open_too_long_is_ended(source: Source) -> None:
    source.prepare()
    with source.query() as theirs:
        theirs("BEGIN")
        theirs("SELECT 1")
        [found] = source.findings(open_seconds=0)
        assert (found.check, found.level) == ("open-transactions", Level.WARNS)
        assert source.findings() == [], "it has not been open for long"
        source.run(*found.sql)
        assert source.findings(open_seconds=0) == []


def test_who_may_not_see_other_sessions_says_so_and_how_to_change_it(source: Source) -> None:
    source.prepare()
    alone = replace(source.wanted, user=None)
    with source.query("dms", "secret") as theirs:
        [found] = preflight.findings(theirs, alone)
        assert found.check == "open-transactions"
        source.run(*found.sql)
        assert preflight.findings(theirs, alone) == []


def test_values_over_the_limit_names_and_versions_are_told_from_the_settings(source: Source) -> None:
    source.prepare()
    source.run("ALTER TABLE shop.orders REPLICA IDENTITY FULL", LARGE.format(2000))
    [found] = source.findings()
    assert (found.check, found.level) == ("lob", Level.BLOCKS)
    assert "lob_max_kb: 125 or more" in found.fix
    assert source.findings(lob_max_kb=125) == [], "text counts two bytes a letter"
    assert checks(source.findings(lob_max_kb=125, dms_version="3.5.3")) == ["version"]
    assert source.findings(lob_max_kb=125, dms_version="3.5.4") == []
    other = WantedTable(schema="shop", name="orders", key=("note",))
    [found] = source.findings(lob_max_kb=125, tables=[other])
    assert 'tables."shop.orders".key: ["id"]' in found.fix


def test_the_user_that_is_made_loads_and_follows_and_does_nothing_else(
    source: Source, server: EmbeddedPostgres
) -> None:
    source.prepare()
    # the server's only plugin wants a publication, which DMS's does not
    source.run("CREATE PUBLICATION rows FOR TABLE shop.orders", "CREATE TABLE shop.secrets (n int)")
    login: dict[str, Any] = {"host": server.host, "port": server.port, "user": "dms", "password": "secret"}
    login |= {"dbname": source.database, "sslmode": "disable", "gssencmode": "disable"}
    with closing(psycopg2.connect(connection_factory=LogicalReplicationConnection, **login)) as stream:
        reading = stream.cursor()
        reading.create_replication_slot("dms", output_plugin="pgoutput")
        reading.start_replication("dms", options={"proto_version": "1", "publication_names": "rows"}, decode=False)
        source.run("UPDATE shop.orders SET note = 'changed'", "ALTER TABLE shop.orders ADD seen int")
        sent = b""
        deadline = time.monotonic() + 10
        while b"changed" not in sent and time.monotonic() < deadline:
            message = reading.read_message()
            sent += message.payload if message is not None else b""
        assert b"changed" in sent
    with closing(psycopg2.connect(**login)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("SELECT note FROM shop.orders")
        assert cursor.fetchall() == [("changed",)]
        cursor.execute("CREATE TABLE public.awsdms_heartbeat (n int)")
        cursor.execute("SELECT pg_drop_replication_slot('dms')")
        for refused in (
            "DELETE FROM shop.orders",
            "CREATE TABLE shop.mine (n int)",
            "SELECT * FROM shop.secrets",
            "CREATE ROLE more",
        ):
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                cursor.execute(refused)


def test_of_a_table_with_much_a_part_is_looked_at(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    source.prepare()
    source.run("INSERT INTO shop.orders SELECT n, repeat(md5(n::text), 20) FROM generate_series(2, 5000) n")
    source.run("ALTER TABLE shop.orders REPLICA IDENTITY FULL", LARGE.format(400))
    monkeypatch.setattr(preflight, "LARGE_BYTES", 2**20)
    assert checks(source.findings(lob_max_kb=1)) == ["lob"]


def test_a_database_says_which_tables_it_holds(source: Source) -> None:
    source.prepare()
    source.run('CREATE TABLE shop."No Key" (n int)')
    with source.query() as query:
        assert preflight.every_table(query) == [
            WantedTable(schema="shop", name="No Key", key=[]),
            WantedTable(schema="shop", name="orders", key=["id"]),
        ]


def test_a_log_that_is_not_logical_blocks_until_the_server_was_told_and_started_again(tmp_path: Path) -> None:
    def findings(parameters: dict[str, str]) -> list[str]:
        with EmbeddedPostgres.start(
            tmp_path, parameters=parameters, user="owner", password="owner", database="shop"
        ) as server:
            source = Source(server, "shop")
            return checks(source.findings(tables=[], user=None))

    assert findings({}) == ["log"]
    assert findings({"rds.logical_replication": "1"}) == []


def test_a_statement_that_is_refused_is_told_without_the_password(source: Source) -> None:
    source.prepare()
    with source.query("dms", "secret") as theirs:
        side = Direct("postgresql", theirs, "hidden")
        with pytest.raises(SourceRefused, match="<password>") as refused:
            side.take(replace(source.wanted, user="another"))
    assert "hidden" not in str(refused.value)


def test_a_password_with_a_quote_is_refused_before_it_is_part_of_a_statement(source: Source) -> None:
    with source.query() as query, pytest.raises(ValueError, match="without quotes"):
        take(query, preparation.plan(query, source.wanted), "it's")
    assert checks(source.findings()) == ["user"]
