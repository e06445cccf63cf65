"""The replica in MariaDB: a real server a test process, and in it a database for each folder of the suite."""

from __future__ import annotations

import atexit
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC
from functools import cache, partial
from pathlib import Path
from typing import Any, cast

from pymysql.cursors import DictCursor

from catchment.apply import Account, apply_table
from catchment.apply.replica import open_replica_engine
from catchment.landing.types import DeltaType
from catchment.sinks.mysql import Connection, Login
from catchment.sinks.mysql.session import MySqlSession
from catchment.sinks.mysql.types import Types
from catchment.sinks.replica import ReplicaSink
from local.source.mariadb import EmbeddedMariaDb
from local.source.mariadb_programs import PLACE, PLACE_VARIABLE
from tests.conformance.calls import Calls
from tests.conformance.idle import idle_sink
from tests.conformance.readers import Rows, database_of

NAME = "replica in MariaDB"
_LOCK_SECONDS = 0.5
"""Short: whom the suite has wait for a transaction waits for one that does not go on."""


def is_here() -> bool:
    """Whether this machine has the server's programs."""
    return (Path(os.environ.get(PLACE_VARIABLE) or PLACE) / "bin/mariadbd").exists()


@cache
def start() -> EmbeddedMariaDb:
    """The server, started when it is first asked for; what it holds is thrown away with the process."""
    folder = tempfile.TemporaryDirectory(prefix="catchment-replica-")
    started = EmbeddedMariaDb.start(
        Path(folder.name),
        parameters={"innodb_stats_auto_recalc": "0"},
        user="replica",
        password="secret",
        binary_log=False,
    )
    atexit.register(folder.cleanup)
    atexit.register(started.stop)
    return started


def url(root: Path) -> str:
    """Where a folder's tables are."""
    return start().url(database_of(root))


def cut_off(root: Path) -> None:
    """End every connection of the replica's user, as a failover or a full network table does."""
    with start().administer() as con, con.cursor() as cursor:
        cursor.execute("SELECT id FROM information_schema.processlist WHERE user = 'replica'")
        for (number,) in cursor.fetchall():
            cursor.execute(f"KILL CONNECTION {number}")


class _WatchedReplica(Connection):
    """A connection whose statements are counted with the other calls."""

    def __init__(self, login: Login, calls: Calls) -> None:
        super().__init__(login, lock_seconds=_LOCK_SECONDS)
        self._calls = calls

    @contextmanager
    def working(self, table: str) -> Iterator[MySqlSession]:
        with super().working(table) as server:
            yield cast(MySqlSession, _WatchedSession(server, self._calls))
        self._calls.run("replica.commit", lambda: None)


class _WatchedSession:
    def __init__(self, server: MySqlSession, calls: Calls) -> None:
        self._server, self._calls = server, calls

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._server, name)
        if name in ("run", "load"):
            return lambda *arguments: self._calls.run(f"replica.{name}", lambda: found(*arguments))
        return found

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._server.begin()
        yield
        self._calls.run("replica.run", self._server.commit)


def apply(**arguments: Any) -> Account:
    """``apply_table`` with the replica of the folder that the landing zone lies in."""
    root, calls = Path(arguments["landing"].url).parent, getattr(arguments["landing"], "calls", None)
    login = Login.parse(url(root))
    replica = Connection(login, lock_seconds=_LOCK_SECONDS) if calls is None else _WatchedReplica(login, calls)
    try:
        return apply_table(**arguments, open_engine=partial(open_replica_engine, replica=replica))
    finally:
        replica.close()


@contextmanager
def sink(root: Path) -> Iterator[ReplicaSink]:
    """The folder's table as a sink, whose session has a batch that changes nothing."""
    with idle_sink(Connection(Login.parse(url(root))), root) as made:
        yield made


def make_foreign(root: Path) -> None:
    """Make the table as somebody else."""
    with start().connect() as con, con.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {database_of(root)}")
        cursor.execute(f"CREATE TABLE {database_of(root)}.t AS SELECT 1 AS theirs")


def refer_to(root: Path, code: str) -> None:
    """Have a table of somebody else's refer to a row, to go with it."""
    with start().connect(database_of(root)) as con, con.cursor() as cursor:
        cursor.execute("CREATE TABLE theirs LIKE t")
        cursor.execute("ALTER TABLE theirs ADD FOREIGN KEY (code) REFERENCES t (code) ON DELETE CASCADE")
        cursor.execute("INSERT INTO theirs (code) VALUES (%s)", [code])


def referring(root: Path) -> list[str]:
    """What refers to rows."""
    with start().connect(database_of(root)) as con, con.cursor() as cursor:
        cursor.execute("SELECT code FROM theirs")
        return [code for (code,) in cursor.fetchall()]


def rows_scanned() -> int:
    """Rows that the server has read one after the other so far."""
    with start().connect() as con, con.cursor() as cursor:
        cursor.execute("SHOW GLOBAL STATUS LIKE 'Handler_read_rnd_next'")
        [(_, number)] = cursor.fetchall()
        return int(number)


class ReplicaView:
    """The table ``t`` of the folder's database."""

    def __init__(self, root: Path) -> None:
        self._root, self._database = root, database_of(root)

    def is_there(self) -> bool:
        return bool(self._id())

    def read(self) -> Iterator[tuple[str, Rows]]:
        kinds = {row["column_name"]: row["column_type"] for row in self._columns()}
        rows = self._rows(f"SELECT * FROM `{self._database}`.t") if kinds else []
        yield "pymysql", [{name: _plain(value, kinds[name]) for name, value in row.items()} for row in rows]

    def records(self) -> Iterable[dict[str, Any]]:
        found = self._of("SELECT record FROM {}.catchment_commits WHERE id = %s ORDER BY version")
        return [json.loads(row["record"]) for row in found]

    def watermark(self) -> int:
        return int(self._of("SELECT max(watermark) AS mark FROM {}.catchment_commits WHERE id = %s")[0]["mark"] or 0)

    def version(self) -> int:
        return int(self._of("SELECT version FROM {}.catchment_tables WHERE id = %s")[0]["version"])

    def known_files(self) -> list[str]:
        found = self._of("SELECT path FROM {}.catchment_files WHERE id = %s ORDER BY path")
        return [row["path"].decode() for row in found]

    def check_types(self) -> None:
        """The columns have the types of the types that the catalog says they have."""
        [said] = self._of("SELECT columns, ledger FROM {}.catchment_tables WHERE id = %s")
        columns = {name: DeltaType.parse(kind) for name, kind in json.loads(said["columns"]).items()}
        wanted = Types("utf8mb4_nopad_bin").definitions(columns, json.loads(said["ledger"])["generation"]["key"] or ())
        stored = {row["column_name"]: row["column_type"] for row in self._columns()}
        for name, kind in wanted.items():
            word = kind.split(" CHARACTER")[0].lower()
            assert stored[name] in (word, f"{word}({_WIDTHS.get(word)})"), name

    def copy_to(self, root: Path) -> None:
        copied = database_of(root)
        with start().connect() as con, con.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE `{copied}`")
            cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = %s", [self._database])
            for (name,) in cursor.fetchall():
                cursor.execute(f"CREATE TABLE `{copied}`.`{name}` LIKE `{self._database}`.`{name}`")
                cursor.execute(f"INSERT INTO `{copied}`.`{name}` SELECT * FROM `{self._database}`.`{name}`")

    def _id(self) -> str:
        found = self._rows(
            "SELECT table_comment AS said FROM information_schema.tables WHERE table_schema = %s AND table_name = 't'",
            [self._database],
        )
        return str(found[0]["said"]).removeprefix("catchment ") if found else ""

    def _columns(self) -> Rows:
        return self._rows(
            "SELECT column_name AS column_name, column_type AS column_type FROM information_schema.columns "
            "WHERE table_schema = %s AND table_name = 't'",
            [self._database],
        )

    def _of(self, query: str) -> Rows:
        identity = self._id()
        return self._rows(query.format(f"`{self._database}`"), [identity]) if identity else []

    def _rows(self, query: str, values: list[str] | None = None) -> Rows:
        with start().connect() as con, con.cursor(DictCursor) as cursor:
            cursor.execute(query, values)
            return list(cursor.fetchall())


_WIDTHS = {"smallint": 6, "int": 11, "bigint": 20, "tinyint": 4}


def _plain(value: Any, kind: str) -> Any:
    """A value as the suite knows it: what MySQL has no type for, it has another one for."""
    if kind == "tinyint(1)" and value is not None:
        return bool(value)
    if kind == "datetime(6)" and value is not None:
        return value.replace(tzinfo=UTC)
    return value
