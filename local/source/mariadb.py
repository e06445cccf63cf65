"""A real MariaDB server from Maven Central, in place of RDS for MySQL, for the laptop run and the tests.

It is a child of the process that starts it and ends with it. It listens on 127.0.0.1 only; its socket file lies in its
data folder and nobody uses it. What of RDS it stands in for, and what not: see
docs/decisions/0131-mariadb-stands-in-for-rds-mysql.md.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Self
from urllib.parse import quote

import pymysql
from pymysql.connections import Connection

from local.processes import GuardedProcess, start_guarded
from local.source.mariadb_parameters import server_settings
from local.source.mariadb_programs import programs
from local.source.server import HOST, EmbeddedServer, ServerFailed
from local.source.unprivileged import own, unprivileged

ADMINISTRATOR = "rdsadmin"
"""RDS's own account, which owns its procedures; its password lies beside the data."""

SYSTEM_TABLES = ("mysql_system_tables.sql", "mysql_performance_tables.sql", "mysql_system_tables_data.sql")
RDS_PROCEDURES = Path(__file__).parent / "sql/rds_mysql.sql"

# AWS, Master user account privileges: what RDS gives the master user of MySQL, without what MariaDB does not know.
MASTER_PRIVILEGES = (
    "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, RELOAD, PROCESS, REFERENCES, INDEX, ALTER, SHOW DATABASES,"
    " CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, REPLICATION SLAVE, REPLICATION CLIENT, CREATE VIEW, SHOW VIEW,"
    " CREATE ROUTINE, ALTER ROUTINE, CREATE USER, EVENT, TRIGGER"
)


class EmbeddedMariaDb(EmbeddedServer):
    """A running server.

    Example: ``with EmbeddedMariaDb.start(folder, parameters={"binlog_row_image": "FULL"}, user="owner", password="…",
    database="sales") as server: server.connect("sales").cursor().execute("SELECT 1")``
    """

    title = "MariaDB"
    unreachable = pymysql.OperationalError

    @classmethod
    def start(
        cls,
        folder: Path,
        *,
        parameters: Mapping[str, str],
        user: str,
        password: str,
        database: str | None = None,
        port: int | None = None,
        binary_log: bool = True,
    ) -> Self:
        """Start a server on the data in ``folder/data``, which is made when it is not there; return when it answers.

        ``parameters`` are those of an RDS parameter group of MySQL, ``user`` becomes the master user of a new server
        with the rights it has on RDS, ``port`` is chosen where none is given, ``binary_log`` is what automated backups
        switch on. Raises MariaDbMissing without the programs, SettingsError for a parameter that cannot be followed,
        ServerFailed with the server's own words.
        """
        settings = server_settings(parameters, binary_log=binary_log)
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "data/mysql_upgrade_info").exists():
            _install(folder, user=user, password=password)
        launch = partial(_launch, folder, settings)
        return cls._started(launch, port, database, folder=folder, user=user, password=password)

    def url(self, database: str) -> str:
        """``mysql://user:password@host:port/database`` of the server's master user."""
        user, password, name = (quote(word, safe="") for word in (self.user, self.password, database))
        return f"mysql://{user}:{password}@{self.host}:{self.port}/{name}"

    def connect(self, database: str | None = None, *, autocommit: bool = True) -> Connection:
        """A connection of the master user. Raises pymysql.MySQLError."""
        return _connect(self.port, self.user, self.password, database, autocommit)

    def administer(self) -> Connection:
        """A connection of RDS's own account, which may do everything. Nothing that runs on AWS has one."""
        password = (self.folder / ADMINISTRATOR).read_text(encoding="ascii")
        return _connect(self.port, ADMINISTRATOR, password, None, True)

    def apply(self, parameters: Mapping[str, str]) -> None:
        """Change dynamic parameters of the running server, as a parameter group that is applied at once.

        Sessions that are open keep the values of theirs. Raises pymysql.MySQLError for one that is not dynamic.
        """
        with self.administer() as connection, connection.cursor() as cursor:
            for name, value in parameters.items():
                cursor.execute(f"SET GLOBAL {name} = %s", [int(value) if value.isdigit() else value])

    def change_password(self, password: str) -> None:
        """Give the master user another password."""
        with self.administer() as connection, connection.cursor() as cursor:
            cursor.execute("ALTER USER %s@'%%' IDENTIFIED BY %s", [self.user, password])
        self.password = password

    def probe(self) -> None:
        """Connect as RDS's own account, and let go."""
        self.administer().close()

    def ensure_database(self, database: str) -> None:
        """Make a database where it is not there."""
        with self.connect() as connection, connection.cursor() as cursor:
            quoted = database.replace("`", "``")
            cursor.execute(f"CREATE DATABASE IF NOT EXISTS `{quoted}`")


def _connect(port: int, user: str, password: str, database: str | None, autocommit: bool) -> Connection:
    return pymysql.connect(
        host=HOST,
        port=port,
        user=user,
        password=password,
        database=database,
        autocommit=autocommit,
        charset="utf8mb4",
        connect_timeout=5,
        ssl_disabled=True,
    )


def _command(folder: Path, *options: str) -> list[str]:
    place = programs()
    return [
        os.fspath(place / "bin/mariadbd"),
        "--no-defaults",
        f"--basedir={place}",
        f"--lc-messages-dir={place / 'share'}",
        f"--datadir={folder / 'data'}",
        f"--tmpdir={folder / 'tmp'}",  # a server that starts removes the temporary tables of any other
        *options,
    ]


def _install(folder: Path, *, user: str, password: str) -> None:
    data = folder / "data"
    for made_for_server in (data, folder / "tmp"):
        made_for_server.mkdir(mode=0o700, exist_ok=True)
        own(made_for_server)
    administrators = secrets.token_hex(16)
    secret = folder / ADMINISTRATOR
    secret.touch(mode=0o600)
    secret.write_text(administrators, encoding="ascii")
    escape = pymysql.converters.escape_string
    master = f"'{escape(user)}'@'%'"
    script = [
        "CREATE DATABASE IF NOT EXISTS mysql;\nUSE mysql;\nSET @auth_root_socket = NULL;\n",
        *((programs() / "share" / name).read_text(encoding="utf-8") for name in SYSTEM_TABLES),
        "DELETE FROM global_priv WHERE User IN ('', 'root');\nFLUSH PRIVILEGES;\n",
        f"CREATE USER {ADMINISTRATOR}@'%' IDENTIFIED BY '{administrators}';\n",
        f"GRANT ALL ON *.* TO {ADMINISTRATOR}@'%' WITH GRANT OPTION;\n",
        f"CREATE USER {master} IDENTIFIED BY '{escape(password)}';\n",
        f"GRANT {MASTER_PRIVILEGES} ON *.* TO {master} WITH GRANT OPTION;\n",
        RDS_PROCEDURES.read_text(encoding="utf-8"),
    ]
    made = subprocess.run(
        unprivileged(_command(folder, "--bootstrap", "--skip-log-bin", "--innodb-log-file-size=64M")),
        input="".join(script),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if made.returncode != 0:
        raise ServerFailed("MariaDB's system tables could not be made", made.stdout)
    # the server's own mark of a finished installation
    (data / "mysql_upgrade_info").write_text("10.11.5-MariaDB", encoding="ascii")


def _launch(folder: Path, settings: Mapping[str, str], port: int) -> GuardedProcess:
    options = [f"--{name}={value}" if value else f"--{name}" for name, value in settings.items()]
    log = folder / "mariadb.log"
    log.unlink(missing_ok=True)
    return start_guarded(
        unprivileged(_command(folder, f"--port={port}", *options)), log=log, stop_signal=signal.SIGTERM
    )
