"""The replica in PostgreSQL: a real server a test process, and in it a database for each folder of the suite."""

from __future__ import annotations

import atexit
import contextlib
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any, cast

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from catchment.apply import Account, apply_table
from catchment.apply.replica import open_replica_engine
from catchment.landing.types import DeltaType
from catchment.sinks.postgresql import Connection
from catchment.sinks.postgresql.types import column_type
from catchment.sinks.replica import ReplicaSink
from local.source.postgres import EmbeddedPostgres
from tests.conformance.calls import Calls
from tests.conformance.idle import idle_sink
from tests.conformance.readers import Rows, database_of

NAME = "replica in PostgreSQL"
_LOCK_SECONDS = 0.5
"""Short: whom the suite has wait for a transaction waits for one that does not go on."""


@cache
def start() -> EmbeddedPostgres:
    """The server, started when it is first asked for; what it holds is thrown away with the process."""
    folder = tempfile.TemporaryDirectory(prefix="catchment-replica-")
    started = EmbeddedPostgres.start(
        Path(folder.name),
        parameters={"autovacuum": "off"},
        user="replica",
        password="secret",
        database="first",
    )
    atexit.register(folder.cleanup)
    atexit.register(started.stop)
    return started


def _ask(database: str, statement: sql.Composed) -> None:
    with psycopg.connect(start().dsn(database), autocommit=True) as connection:
        connection.execute(statement)


@cache
def _dsn(root: Path) -> str:
    """The connection string of a folder's database, which is made where nobody has asked for it yet."""
    name = sql.Identifier(database_of(root))
    with contextlib.suppress(psycopg.errors.DuplicateDatabase):
        _ask("first", sql.SQL("CREATE DATABASE {}").format(name))
    return start().dsn(database_of(root))


def url(root: Path) -> str:
    """The same as a URL."""
    _dsn(root)
    return f"postgresql://replica:secret@{start().host}:{start().port}/{database_of(root)}?sslmode=disable"


def cut_off(root: Path) -> None:
    """End every connection to a folder's database, as a failover or a full network table does."""
    ended = sql.SQL("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = {}")
    _ask("first", ended.format(sql.Literal(database_of(root))))


class _WatchedReplica(Connection):
    """A connection whose statements and commits are counted with the other calls."""

    def __init__(self, dsn: str, calls: Calls) -> None:
        super().__init__(dsn, lock_seconds=_LOCK_SECONDS)
        self._calls = calls

    @contextmanager
    def transaction(self) -> Iterator[psycopg.Cursor]:
        with contextlib.ExitStack() as stack:
            cursor = stack.enter_context(super().transaction())
            yield cast(psycopg.Cursor, _WatchedCursor(cursor, self._calls))
            self._calls.run("replica.commit", stack.close)


class _WatchedCursor:
    def __init__(self, cursor: psycopg.Cursor, calls: Calls) -> None:
        self._cursor, self._calls = cursor, calls

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._cursor, name)
        if name not in ("execute", "executemany", "copy"):
            return found
        return lambda *arguments: self._calls.run(f"replica.{name}", lambda: found(*arguments))


def apply(**arguments: Any) -> Account:
    """``apply_table`` with the replica of the folder that the landing zone lies in."""
    root, calls = Path(arguments["landing"].url).parent, getattr(arguments["landing"], "calls", None)
    dsn = _dsn(root)
    replica = Connection(dsn, lock_seconds=_LOCK_SECONDS) if calls is None else _WatchedReplica(dsn, calls)
    try:
        return apply_table(**arguments, open_engine=partial(open_replica_engine, replica=replica))
    finally:
        replica.close()


@contextmanager
def sink(root: Path) -> Iterator[ReplicaSink]:
    """The folder's table as a sink, whose session has a batch that changes nothing."""
    with idle_sink(Connection(_dsn(root)), root) as made:
        yield made


def make_foreign(root: Path) -> None:
    """Make the table as somebody else."""
    with psycopg.connect(_dsn(root)) as con:
        con.execute("CREATE SCHEMA s; CREATE TABLE s.t AS SELECT 1 AS theirs")


def refer_to(root: Path, code: str) -> None:
    """Have a table of somebody else's refer to a row."""
    with psycopg.connect(_dsn(root)) as con:
        con.execute('CREATE TABLE theirs (code text COLLATE "C" REFERENCES s.t (code))')
        con.execute("INSERT INTO theirs VALUES (%s)", [code])


def referring(root: Path) -> list[str]:
    """What refers to rows."""
    with psycopg.connect(_dsn(root)) as con:
        return [code for (code,) in con.execute("SELECT code FROM theirs").fetchall()]


class ReplicaView:
    """The table ``s.t`` of the folder's database."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def is_there(self) -> bool:
        return self._one("SELECT to_regclass('s.t') IS NOT NULL AS there")["there"] is True

    def read(self) -> Iterator[tuple[str, Rows]]:
        yield "psycopg", self._rows("SELECT * FROM s.t")

    def records(self) -> Iterable[dict[str, Any]]:
        if self._one("SELECT to_regclass('catchment.commits') IS NULL AS missing")["missing"]:
            return []
        found = self._rows("SELECT record FROM catchment.commits WHERE name = 's.t' ORDER BY version")
        return [row["record"] for row in found]

    def watermark(self) -> int:
        return int(self._one("SELECT max(watermark) AS mark FROM catchment.commits WHERE name = 's.t'")["mark"] or 0)

    def version(self) -> int:
        return int(self._one("SELECT version FROM catchment.tables WHERE name = 's.t'")["version"])

    def known_files(self) -> list[str]:
        return [row["path"] for row in self._rows('SELECT path FROM catchment.files ORDER BY path COLLATE "C"')]

    def check_types(self) -> None:
        """The columns have the types of the types that the catalog says they have."""
        said = self._one("SELECT columns FROM catchment.tables WHERE name = 's.t'")["columns"]
        found = self._rows(
            "SELECT attname AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute "
            "WHERE attrelid = 's.t'::regclass AND attnum > 0 AND NOT attisdropped"
        )
        stored = {row["name"]: row["type"] for row in found}
        for name, kind in said.items():
            assert stored[name] == column_type(DeltaType.parse(kind)).removesuffix(' COLLATE "C"'), name

    def copy_to(self, root: Path) -> None:
        _dsn(self._root)
        names = [sql.Identifier(database_of(each)) for each in (root, self._root)]
        _ask("first", sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))

    def _one(self, query: str) -> dict[str, Any]:
        [row] = self._rows(query)
        return row

    def _rows(self, query: str) -> Rows:
        with psycopg.connect(_dsn(self._root), autocommit=True, row_factory=dict_row, options="-c timezone=UTC") as con:
            return con.execute(query).fetchall()  # type: ignore[arg-type]
