"""Scope: printed connection details, pasted: the servers take them, whatever is in the names."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg
from psycopg import sql

from catchment.engines import engine
from catchment.engines.client_text import Target
from local.source.mariadb import EmbeddedMariaDb
from local.source.postgres import EmbeddedPostgres, binary

PASSWORD = 'it\'s "so" $HOME `x` \\n; #é'
DATABASE = "my 'data' \\base"
USER = "o'wner $x"


def run(text: str, folder: Path, *, python: bool) -> str:
    script = folder / "pasted"
    script.write_text(text, encoding="utf-8")
    command = [sys.executable, str(script)] if python else ["bash", str(script)]
    path = os.pathsep.join([str(Path(binary("psql", 18)).parent), os.environ["PATH"]])
    done = subprocess.run(
        command, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_postgresql_takes_what_is_printed(tmp_path: Path) -> None:
    tools = engine("postgresql").clients.tools
    with EmbeddedPostgres.start(tmp_path, parameters={}, user="o", password="p", database=DATABASE) as server:
        with psycopg.connect(server.dsn(DATABASE)) as connection:
            role = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
            connection.execute(role.format(sql.Identifier(USER), sql.Literal(PASSWORD)))
        target = Target(
            host=server.host, port=server.port, database=DATABASE, user=USER, password=PASSWORD, encrypted=False
        )
        asked = "SELECT current_user, current_database()"
        shell = run(f'{tools["psql"](target)} -At -c "{asked}"', tmp_path, python=False)
        assert shell == f"{USER}|{DATABASE}"
        pasted = (
            f"{tools['python'](target)}\nprint(*connection.execute('{asked}').fetchone(), sep='|')\nconnection.close()"
        )
        assert run(pasted, tmp_path, python=True) == shell


def test_mariadb_takes_what_is_printed(mariadb: EmbeddedMariaDb, tmp_path: Path) -> None:
    password = PASSWORD.replace("é", "")  # which the driver sends as Latin-1, whatever it is told
    with mariadb.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE IF NOT EXISTS `my 'data'`")
        cursor.execute("CREATE OR REPLACE USER %s IDENTIFIED BY %s", [USER, password])
        cursor.execute("GRANT SELECT ON `my 'data'`.* TO %s", [USER])
    target = Target(
        host=mariadb.host, port=mariadb.port, database="my 'data'", user=USER, password=password, encrypted=False
    )
    asked = (
        "with connection.cursor() as c:\n    c.execute('SELECT user(), database()')\n    print(*c.fetchone(), sep='|')"
    )
    for name in ("mariadb", "mysql"):
        pasted = f"{engine(name).clients.tools['python'](target)}\n{asked}\nconnection.close()"
        assert run(pasted, tmp_path, python=True) == f"{USER}@localhost|my 'data'"
