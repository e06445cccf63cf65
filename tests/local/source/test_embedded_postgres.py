"""Scope: the embedded PostgreSQL server as RDS would run it, and what becomes of it when its parent dies."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import psycopg
import pytest

from catchment.errors import SettingsError
from local.source.parameters import server_settings
from local.source.postgres import EmbeddedPostgres
from local.source.server import ServerFailed

LOGICAL = {"rds.logical_replication": "1"}


def start(folder: Path, **changes: object) -> EmbeddedPostgres:
    arguments = {"parameters": LOGICAL, "user": "owner", "password": "s3cret-Pw", "database": "sales"} | changes
    return EmbeddedPostgres.start(folder, **arguments)


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("version", [16, 18])
def test_parameter_group_makes_a_source_for_logical_replication(tmp_path: Path, version: int) -> None:
    with start(tmp_path, version=version) as server, psycopg.connect(server.dsn("sales"), autocommit=True) as sql:
        assert sql.execute("SHOW wal_level").fetchone() == ("logical",)
        assert sql.info.server_version // 10_000 == version
        sql.execute("SELECT pg_create_logical_replication_slot('s', 'pgoutput')")


def test_password_is_asked_for(tmp_path: Path) -> None:
    with start(tmp_path) as server:
        server.password = "wrong"
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(server.dsn("sales"))


def test_data_survive_stop_and_start_in_the_same_folder(tmp_path: Path) -> None:
    with start(tmp_path) as server, psycopg.connect(server.dsn("sales"), autocommit=True) as sql:
        sql.execute("CREATE TABLE kept AS SELECT 1 AS one")
    with start(tmp_path) as server, psycopg.connect(server.dsn("sales")) as sql:
        assert sql.execute("TABLE kept").fetchall() == [(1,)]


def test_killed_server_comes_back_with_all_that_was_committed(tmp_path: Path) -> None:
    with start(tmp_path) as server, psycopg.connect(server.dsn("sales"), autocommit=True) as sql:
        sql.execute("CREATE TABLE kept (one int)")
        sql.execute("SELECT pg_create_logical_replication_slot('s', 'pgoutput')")
        sql.execute("INSERT INTO kept VALUES (1)")
        os.kill(server.pid, signal.SIGKILL)
    with start(tmp_path) as server, psycopg.connect(server.dsn("sales")) as sql:
        assert sql.execute("TABLE kept").fetchall() == [(1,)]
        assert sql.execute("SELECT slot_name FROM pg_replication_slots").fetchall() == [("s",)]


def test_two_servers_side_by_side_choose_their_ports(tmp_path: Path) -> None:
    with start(tmp_path / "one") as one, start(tmp_path / "two") as two:
        assert one.port != two.port


def test_server_dies_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from local.source.postgres import EmbeddedPostgres as E\n"
        "server = E.start(Path(sys.argv[1]), parameters={}, user='o', password='p', database='d')\n"
        "print(server.pid, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
    assert gone(pid)


def test_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(ServerFailed, match="unrecognized configuration parameter"):
        start(tmp_path, parameters={"no_such_parameter": "1"})


def test_unknown_rds_parameter_is_named() -> None:
    with pytest.raises(SettingsError, match=r"rds\.unheard_of"):
        server_settings({"rds.unheard_of": "1"}, 18)


def test_without_the_rds_parameter_there_is_no_logical_replication() -> None:
    assert server_settings({"rds.logical_replication": "0"}, 18)["wal_level"] == "replica"
