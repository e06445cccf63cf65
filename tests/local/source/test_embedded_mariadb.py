"""Scope: the embedded MariaDB as RDS for MySQL would run it, how it is fetched, and that it ends with its parent."""

import http.server
import os
import platform
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import psutil
import pymysql
import pytest

from catchment.errors import SettingsError
from local.source import mariadb_programs
from local.source.mariadb import EmbeddedMariaDb
from local.source.mariadb_parameters import server_settings
from local.source.mariadb_programs import ARTIFACT, MariaDbMissing, fetch, programs, supported
from local.source.server import ServerFailed

PASSWORD = "s3cret'-\\Pw"


pytestmark = pytest.mark.skipif(not supported(), reason="no MariaDB is built for this machine")


def start(folder: Path, **changes: object) -> EmbeddedMariaDb:
    parameters = {"binlog_format": "ROW", "binlog_row_image": "FULL", "require_secure_transport": "1"}
    arguments = {"parameters": parameters, "user": "owner", "password": PASSWORD, "database": "sales"} | changes
    return EmbeddedMariaDb.start(folder, **arguments)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedMariaDb]:
    with start(tmp_path_factory.mktemp("mariadb")) as running:
        yield running


def ask(server: EmbeddedMariaDb, query: str) -> tuple[tuple[object, ...], ...]:
    with server.connect("sales") as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def test_parameter_group_makes_a_source_of_row_changes(server: EmbeddedMariaDb) -> None:
    [found] = ask(server, "SELECT @@log_bin, @@binlog_format, @@binlog_row_image, @@time_zone")
    assert found == (1, "ROW", "FULL", "+00:00")


def test_dynamic_parameter_is_applied_to_the_running_server(server: EmbeddedMariaDb) -> None:
    server.apply({"binlog_row_image": "MINIMAL", "max_connections": "41"})
    assert ask(server, "SELECT @@binlog_row_image, @@max_connections") == (("MINIMAL", 41),)
    server.apply({"binlog_row_image": "FULL"})


def test_master_user_may_not_do_more_than_on_rds(server: EmbeddedMariaDb) -> None:
    with pytest.raises(pymysql.OperationalError, match=r"SUPER|BINLOG ADMIN"):
        ask(server, "SET GLOBAL binlog_row_image = 'MINIMAL'")
    assert ask(server, "SELECT user FROM mysql.user WHERE user IN ('', 'root')") == ()


def test_retention_is_set_by_the_procedure_of_rds(server: EmbeddedMariaDb) -> None:
    ask(server, "CALL mysql.rds_set_configuration('binlog retention hours', 24)")
    assert ask(server, "SELECT value, @@binlog_expire_logs_seconds FROM mysql.rds_configuration") == (("24", 86400),)
    with pytest.raises(pymysql.MySQLError, match="1 to 168"):
        ask(server, "CALL mysql.rds_set_configuration('binlog retention hours', 169)")


def test_password_can_be_changed(server: EmbeddedMariaDb) -> None:
    server.change_password("another'%")
    assert ask(server, "SELECT 1") == ((1,),)


def test_wrong_password_is_refused(server: EmbeddedMariaDb) -> None:
    with pytest.raises(pymysql.OperationalError, match="Access denied"):
        pymysql.connect(host=server.host, port=server.port, user="owner", password="wrong")


def test_killed_server_comes_back_with_all_that_was_committed(tmp_path: Path) -> None:
    with start(tmp_path, binary_log=False) as server:
        ask(server, "CREATE TABLE kept (one int)")
        ask(server, "INSERT INTO kept VALUES (1)")
        os.kill(server.pid, signal.SIGKILL)
    with start(tmp_path, binary_log=False) as server:
        assert ask(server, "SELECT one, @@log_bin FROM kept") == ((1, 0),)


def test_server_dies_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from local.source.mariadb import EmbeddedMariaDb as E\n"
        "server = E.start(Path(sys.argv[1]), parameters={}, user='o', password='p')\n"
        "print(server.pid, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
    deadline = time.monotonic() + 10
    with suppress(psutil.NoSuchProcess):
        while psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_server_that_cannot_start_says_why(server: EmbeddedMariaDb, tmp_path: Path) -> None:
    with pytest.raises(ServerFailed, match="unknown variable 'no-such-parameter=1'"):
        start(tmp_path, parameters={"no_such_parameter": "1"})


def test_collation_that_mariadb_lacks_is_named() -> None:
    with pytest.raises(SettingsError, match="utf8mb4_0900_ai_ci"):
        server_settings({"collation_server": "utf8mb4_0900_ai_ci"}, binary_log=True)


def test_other_machines_are_told_what_is_supported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CATCHMENT_MARIADB", str(tmp_path))
    with pytest.raises(MariaDbMissing, match="make setup-mariadb"):
        programs()
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    with pytest.raises(MariaDbMissing, match="built for Linux x86_64, this machine is Linux arm64"):
        programs()


class _Mirror(http.server.BaseHTTPRequestHandler):
    """Serves one file, also from a byte on, as Maven Central does."""

    content = b""
    asked: list[str | None] = []

    def do_GET(self) -> None:
        assert self.path == f"/maven2/{ARTIFACT}"
        span = self.headers["Range"]
        self.asked.append(span)
        have = int(span.removeprefix("bytes=").removesuffix("-")) if span else 0
        if have >= len(self.content):
            self.send_error(416)
            return
        self.send_response(206 if span else 200)
        self.end_headers()
        self.wfile.write(self.content[have:])

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[_Mirror]]:
    jar = tmp_path / "server.jar"
    with zipfile.ZipFile(jar, "w") as whole:
        for name in ("bin/mariadbd", "bin/mariadb", "share/a.sql", "share/groonga/b.sql", "share/english/errmsg.sys"):
            whole.writestr(mariadb_programs._INSIDE + name, name)
    handler = type("Mirror", (_Mirror,), {"content": jar.read_bytes(), "asked": []})
    monkeypatch.setattr(mariadb_programs, "SHA256", sha256(handler.content).hexdigest())
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        monkeypatch.setenv("CATCHMENT_MAVEN", f"http://127.0.0.1:{running.server_port}/maven2/")
        yield handler
        running.shutdown()


@pytest.mark.parametrize("have", [0, 7, None])
def test_broken_off_download_is_taken_up(mirror: type[_Mirror], tmp_path: Path, have: int | None) -> None:
    (tmp_path / "mariadb-10.11.5.part").write_bytes(mirror.content[:have])
    fetch(tmp_path / "mariadb")
    target = tmp_path / "mariadb"
    found = {str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()}
    assert found == {"bin/mariadbd", "share/a.sql", "share/english/errmsg.sys"}
    assert mirror.asked == [None if have == 0 else f"bytes={have or len(mirror.content)}-"]
    assert not list(tmp_path.glob("*.part"))


def test_download_with_another_sum_is_thrown_away(mirror: type[_Mirror], tmp_path: Path) -> None:
    mirror.content += b" "
    with pytest.raises(MariaDbMissing, match="SHA-256"):
        fetch(tmp_path / "mariadb")
    assert not (tmp_path / "mariadb").exists()
    assert not list(tmp_path.glob("*.part"))
