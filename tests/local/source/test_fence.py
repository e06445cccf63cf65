"""Scope: the fence that has to lie behind a comparison, on a real replication slot."""

from collections.abc import Iterator

import psycopg
import pytest

from catchment.reconcile.fence import fence_passed, set_fence, wait_for_fence
from local.source.postgres import EmbeddedPostgres


@pytest.fixture(scope="module")
def dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    parameters = {"rds.logical_replication": "1"}
    folder = tmp_path_factory.mktemp("fence")
    with EmbeddedPostgres.start(folder, parameters=parameters, user="o", password="p", database="db") as server:
        with psycopg.connect(server.dsn("db"), autocommit=True) as connection:
            connection.execute("CREATE TABLE t (i int)")
            connection.execute("SELECT pg_create_logical_replication_slot('slot', 'pgoutput')")
        yield server.dsn("db")


def consume(connection: psycopg.Connection) -> None:
    connection.execute("CREATE PUBLICATION p FOR ALL TABLES")
    connection.execute(
        "SELECT pg_logical_slot_get_binary_changes('slot', NULL, NULL, 'proto_version', '1', 'publication_names', 'p')"
    )


def test_fence_is_passed_only_when_the_slot_has_confirmed_all_before_it(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("INSERT INTO t VALUES (1)")
        before = connection.execute("SELECT pg_current_wal_insert_lsn()::text").fetchone()
        fence = set_fence(dsn)
        assert not fence_passed(connection, "slot", fence)
        assert not wait_for_fence(dsn, "slot", fence, timeout_seconds=0.1)
        consume(connection)
        assert fence_passed(connection, "slot", fence)
        assert wait_for_fence(dsn, "slot", fence, timeout_seconds=5)
        assert before is not None
        assert connection.execute("SELECT %s::pg_lsn >= %s::pg_lsn", [fence, before[0]]).fetchone() == (True,)


def test_slot_that_is_not_there_is_named(dsn: str) -> None:
    with psycopg.connect(dsn) as connection, pytest.raises(LookupError, match="no_such_slot"):
        fence_passed(connection, "no_such_slot", "0/0")
