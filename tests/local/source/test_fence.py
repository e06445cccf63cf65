"""Scope: the fence that has to lie behind a comparison: where it is in a real log, and when a task has passed it."""

from pathlib import Path

import psycopg
import pytest

from catchment.engines.connection import connected
from catchment.engines.trust import Trust
from catchment.reconcile.fence import fence_passed, set_fence
from local.source.postgres import EmbeddedPostgres


def test_a_fence_lies_behind_what_is_committed_and_before_what_comes(tmp_path: Path) -> None:
    parameters = {"rds.logical_replication": "1"}
    with EmbeddedPostgres.start(tmp_path, parameters=parameters, user="o", password="p", database="db") as server:
        login = {"host": server.host, "port": server.port, "username": "o", "password": "p"}
        with (
            psycopg.connect(server.dsn("db"), autocommit=True) as connection,
            connected("postgresql", login, "db", Trust()) as query,
        ):
            connection.execute("CREATE TABLE t (i int)")
            before = connection.execute("SELECT pg_current_wal_insert_lsn()::text").fetchone()
            fence = set_fence("postgresql", query)
            connection.execute("INSERT INTO t VALUES (1)")
            after = connection.execute("SELECT pg_current_wal_insert_lsn()::text").fetchone()
    assert before is not None
    assert after is not None
    assert not fence_passed("postgresql", f"checkpoint:V1#1#{before[0]}#0#0#*#0#0", fence)
    assert fence_passed("postgresql", f"checkpoint:V1#1#{after[0]}#0#0#*#0#0", fence)


@pytest.mark.parametrize(
    ("engine", "checkpoint", "fence", "passed"),
    [
        ("postgresql", "checkpoint:V1#1#4AF/B00000D0#0#0#*#0#0", "4AF/B00000D0", True),
        ("postgresql", "checkpoint:V1#1#4AF/B00000D0#0#0#*#0#0", "4AF/B00000D1", False),
        ("postgresql", "checkpoint:V1#1#10/0#0#0#*#0#0", "F/FFFFFFFF", True),
        ("postgresql", "", "0/1", False),
        ("postgresql", "checkpoint:V1#1##0#0#*#0#0", "0/1", False),
    ],
)
def test_a_checkpoint_tells_whether_a_fence_is_passed(engine: str, checkpoint: str, fence: str, passed: bool) -> None:
    assert fence_passed(engine, checkpoint, fence) is passed
