"""A PostgreSQL and a MariaDB for the session, a database for each test, and tasks as processes writing to folders."""

from __future__ import annotations

import itertools
import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from local.dms.access import AwsAccess
from local.dms.changes import FIRST_COUNTER, ChangeWriter
from local.dms.chaos import Chaos
from local.dms.load import TableLoad
from local.dms.plan import TaskPlan
from local.dms.sender import FileSender
from local.dms.sources import KINDS
from local.dms.sources.mysql.changes import MySqlChanges
from local.dms.sources.mysql.database import parse_position
from local.dms.sources.postgresql.changes import feed
from local.dms.sources.postgresql.database import connect, parse_lsn
from local.dms.sources.postgresql.publication import create_publications, install_ddl_capture, publication_names
from local.dms.state import Position, TableStatistics, TaskStatus
from local.dms.target import FolderTarget, Target
from local.processes import GuardedProcess, start_guarded
from local.source.mariadb import EmbeddedMariaDb
from local.source.postgres import EmbeddedPostgres

MAPPINGS: list[dict[str, Any]] = [
    {
        "rule-type": "selection",
        "rule-id": "1",
        "rule-name": "all",
        "object-locator": {"schema-name": "shop", "table-name": "%"},
        "rule-action": "include",
        "filters": [],
    },
    {
        "rule-type": "transformation",
        "rule-id": "100",
        "rule-name": "seq",
        "rule-target": "column",
        "object-locator": {"schema-name": "%", "table-name": "%"},
        "rule-action": "add-column",
        "value": "dms_seq",
        "expression": "$AR_H_CHANGE_SEQ",
        "data-type": {"type": "string", "length": 50},
    },
    {
        "rule-type": "transformation",
        "rule-id": "101",
        "rule-name": "bi",
        "rule-target": "column",
        "object-locator": {"schema-name": "%", "table-name": "%"},
        "rule-action": "add-before-image-columns",
        "before-image-def": {"column-prefix": "BI_", "column-suffix": "", "column-filter": "pk-only"},
    },
]

S3 = {
    "BucketName": "landing",
    "BucketFolder": "sales",
    "DataFormat": "parquet",
    "IncludeOpForFullLoad": True,
    "TimestampColumnName": "dms_ts",
    "UseTaskStartTimeForFullLoadTimestamp": True,
    "DatePartitionEnabled": True,
    "CdcMaxBatchInterval": 1,
}

ROOT = Path(__file__).resolve().parents[3]
_databases = itertools.count(1)


def _wait_for(condition: Callable[[], Any], what: str, seconds: float = 30.0) -> Any:
    """Poll until the condition holds; its value."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.02)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """One server with logical replication."""
    with EmbeddedPostgres.start(
        tmp_path_factory.mktemp("postgres"),
        parameters={"rds.logical_replication": "1"},
        user="dms",
        password="dms",
        database="sales",
    ) as server:
        yield server


class Shop:
    """A database of its own in the server."""

    def __init__(self, server: EmbeddedPostgres, name: str) -> None:
        self.server, self.name = server, name
        self.connection = psycopg.connect(server.dsn(name), autocommit=True)

    def run(self, *statements: str) -> None:
        """Execute statements, each a transaction of its own."""
        for statement in statements:
            self.connection.execute(statement)  # type: ignore[call-overload]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """A query's rows."""
        return self.connection.execute(query).fetchall()  # type: ignore[call-overload, no-any-return]

    def fence(self) -> int:
        """The position behind everything committed so far.

        Written as a commit of its own: behind the last commit may lie records that nobody flushes for a while.
        """
        return parse_lsn(self.rows("SELECT pg_logical_emit_message(true, 'test', 'fence')")[0][0])

    schema = "shop"
    settings: ClassVar[dict[str, Any]] = {"PostgreSQLSettings": {"PluginName": "test-decoding"}}

    def endpoint(self) -> dict[str, Any]:
        """What a task's plan says of its source."""
        return {
            "EngineName": "postgres",
            "ServerName": self.server.host,
            "Port": self.server.port,
            "Username": "dms",
            "Password": "dms",
            "DatabaseName": self.name,
        }

    def confirmed(self, slot: str, _position: str = "") -> int:
        """The slot's confirmed position, 0 without a slot."""
        found = self.rows(f"SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = '{slot}'")
        return parse_lsn(found[0][0]) if found and found[0][0] else 0


@pytest.fixture
def shop(postgres: EmbeddedPostgres) -> Iterator[Shop]:
    """An empty database with a schema ``shop``."""
    name = f"shop{next(_databases)}"
    with psycopg.connect(postgres.dsn("sales"), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload]
        made = Shop(postgres, name)
        made.run("CREATE SCHEMA shop")
        yield made
        made.connection.close()
        admin.execute(  # type: ignore[call-overload]
            f"SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = '{name}'"
        )
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[call-overload]


class MySqlShop:
    """A database of its own in a MariaDB: to DMS, a schema."""

    settings: ClassVar[dict[str, Any]] = {"MySQLSettings": {"ServerTimezone": "UTC", "EventsPollInterval": 5}}

    def __init__(self, server: EmbeddedMariaDb, name: str) -> None:
        self.server = server
        self.name = self.schema = name
        self.connection = server.connect(name)

    def run(self, *statements: str) -> None:
        """Execute statements, each a transaction of its own."""
        with self.connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """A query's rows."""
        with self.connection.cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall())

    def endpoint(self) -> dict[str, Any]:
        """What a task's plan says of its source."""
        return {
            "EngineName": "mysql",
            "ServerName": self.server.host,
            "Port": self.server.port,
            "Username": self.server.user,
            "Password": self.server.password,
        }

    def fence(self) -> int:
        """The position behind everything committed so far."""
        [(file, place, *_)] = self.rows("SHOW MASTER STATUS")
        return parse_position(f"{file}:{place}")

    def confirmed(self, _slot: str, position: str) -> int:
        """A task's position, 0 before it has one."""
        return parse_position(position) if position else 0


@pytest.fixture
def mysql_shop(mariadb: EmbeddedMariaDb) -> Iterator[MySqlShop]:
    """An empty database."""
    name = f"shop{next(_databases)}"
    with mariadb.connect() as admin, admin.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
        made = MySqlShop(mariadb, name)
        yield made
        made.connection.close()
        cursor.execute(f"DROP DATABASE {name}")


class RunningTask:
    """A task process over a shop, writing to a folder."""

    def __init__(self, shop: Shop | MySqlShop, folder: Path) -> None:
        self.shop, self.folder = shop, folder
        self.landing = folder / "landing"
        self.slot = f"slot_{shop.name}"
        self.plan: dict[str, Any] = {
            "kind": "full-load-and-cdc",
            "resume": False,
            "slot": self.slot,
            "folder": os.fspath(folder / "state"),
            "target_url": self.landing.as_uri(),
            "source": shop.endpoint(),
            "mappings": json.dumps({"rules": MAPPINGS}).replace('"shop"', json.dumps(shop.schema)),
            "s3": dict(S3),
        }
        self.process: GuardedProcess | None = None

    def start(self, *, resume: bool = False) -> None:
        """Start the process."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "plan.json"
        path.write_text(json.dumps({**self.plan, "resume": resume}))
        self.process = start_guarded(
            [sys.executable, "-m", "local.dms.task", os.fspath(path)],
            log=self.folder / "task.log",
            cwd=ROOT,
            env={**os.environ, **AwsAccess("", "").environment()},
        )

    def kill(self) -> None:
        """SIGKILL, as a crash."""
        assert self.process is not None
        self.process.signal(signal.SIGKILL)
        self.process.wait(10)
        self.process.stop()

    def stop(self) -> TaskStatus:
        """Stop in an orderly way; the last status."""
        if self.process is not None:
            self.process.signal(signal.SIGTERM)
            self.process.wait(20)
            self.process.stop()
        return self.status()

    def status(self) -> TaskStatus:
        """What the task says of itself."""
        return TaskStatus.read(self.folder / "state" / "status.json") or TaskStatus()

    def log(self) -> str:
        """What the process printed."""
        return (self.folder / "task.log").read_text()

    def wait_loaded(self) -> None:
        """Wait for the end of the full load."""
        _wait_for(lambda: self.status().load_finished or self._ended(), "the full load")
        assert self.status().load_finished, self.log()

    def wait_caught_up(self) -> None:
        """Wait until everything committed so far is in files."""
        fence = self.shop.fence()
        _wait_for(lambda: self._position() >= fence or self._ended(), "the task to pass the fence")
        assert self._position() >= fence, self.log()

    def _position(self) -> int:
        return self.shop.confirmed(self.slot, self.status().position)

    def _ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def files(self, table: str) -> list[Path]:
        """A table's files, LOAD files first, then by name."""
        found = (self.landing / "sales" / table.replace(".", "/")).rglob("*.*")
        whole = (f for f in found if f.is_file() and not f.name.startswith("."))
        return sorted(whole, key=lambda f: (not f.name.startswith("LOAD"), f.name))

    def changes(self, table: str) -> list[dict[str, Any]]:
        """The rows of all change files in name order."""
        files = [f for f in self.files(table) if not f.name.startswith("LOAD")]
        return [row for f in files for row in read(f).to_pylist()]

    def loaded(self, table: str) -> list[dict[str, Any]]:
        """The rows of all LOAD files in name order."""
        return [row for f in self.files(table) if f.name.startswith("LOAD") for row in read(f).to_pylist()]


def read(path: Path) -> pa.Table:
    """A Parquet file."""
    return pq.ParquetFile(path).read()


@pytest.fixture
def mysql_task(mysql_shop: MySqlShop, tmp_path: Path) -> Iterator[RunningTask]:
    """A task over a MySQL source, not started; stopped at the end."""
    made = RunningTask(mysql_shop, tmp_path / "task")
    yield made
    if made.process is not None:
        made.process.stop()


@pytest.fixture
def task(shop: Shop, tmp_path: Path) -> Iterator[RunningTask]:
    """A task, not started; stopped at the end."""
    made = RunningTask(shop, tmp_path / "task")
    yield made
    if made.process is not None:
        made.process.stop()


class Replay:
    """A change stream in process: the source's messages through a ChangeWriter, under a clock of the test's own.

    ``plan`` is a task's plan as plain data; ``begin`` has to be called after the tables are there.
    """

    def __init__(self, shop: Shop, folder: Path) -> None:
        self.shop, self.folder = shop, folder
        self.plan: dict[str, Any] = {**RunningTask(shop, folder).plan, "slot": f"replay_{shop.name}"}
        self.now = 1_772_355_600.0
        self.landing = folder / "landing"
        self.source: Any = None

    def begin(self, *, chaos: Chaos | None = None, target: Target | None = None) -> None:
        """Capture changes from here on, with an adversary and a target of the test's own where they are given."""
        self.typed = TaskPlan.of(self.plan)
        address = AwsAccess("", "").source_address(self.plan["source"])
        self.source = KINDS[self.plan["source"]["EngineName"]].open(self.typed, address)
        found = [self.source.read(*name) for name in self.source.tables() if self.typed.rules.selects(*name)]
        self.tables = {table.shape.name: table for table in found}
        self.lines = {t.shape.name: TableStatistics(t.shape.schema, t.shape.table) for t in self.tables.values()}
        place = target or FolderTarget(self.landing / "landing")
        self.sender = FileSender(self.typed, place, chaos or Chaos(None), lambda: self.now)
        position = Position(self._capture(), FIRST_COUNTER)
        self.writer = ChangeWriter(
            self.typed, self.sender, self.lines, position, self.source.decode, lambda: self.now, self.source.lookup
        )

    def _capture(self) -> int:
        # read by SQL, the slot gives no other session a reason to wait
        with closing(connect(AwsAccess("", "").source_address(self.plan["source"]))) as session:
            install_ddl_capture(session, "public")
            create_publications(session, self.typed.slot, self.tables.values(), "public")
        self.shop.run(f"SELECT pg_create_logical_replication_slot('{self.typed.slot}', 'pgoutput')")
        return 0

    def close(self) -> None:
        """Let the source go."""
        if self.source is not None:
            self.source.close()

    def messages(self) -> list[bytes]:
        """What the source has to say since the last time."""
        names = ",".join(f'"{name}"' for name in publication_names(self.typed.slot))
        rows = self.shop.rows(
            f"SELECT data FROM pg_logical_slot_get_binary_changes('{self.typed.slot}', NULL, NULL, "
            f"'proto_version', '1', 'publication_names', '{names}')"
        )
        return [bytes(row[0]) for row in rows]

    def feed(self) -> None:
        """Take what the source has to say."""
        feed(self.writer, self.messages(), self.source.catalog)

    def finish(self) -> None:
        """Take it and write everything that waits."""
        self.feed()
        self.writer.flush_all()

    def load(self, table: str) -> None:
        """Full load of a table."""
        load = TableLoad(
            self.typed,
            self.sender,
            self.tables[table],
            self.lines[table],
            task_start=self.now,
            clock=lambda: self.now,
            tick=lambda: None,
        )
        with self.source.loading(first=False) as reader:
            load.run(reader)

    def files(self, table: str) -> list[Path]:
        """A table's files by name, LOAD files last."""
        found = (self.landing / "landing" / "sales" / table.replace(".", "/")).rglob("*.*")
        return sorted((path for path in found if path.is_file()), key=lambda path: path.name)

    def rows(self, table: str) -> list[dict[str, Any]]:
        """The rows of all change files of a table in name order."""
        return [row for path in self.files(table) if path.name[0] == "2" for row in read(path).to_pylist()]


class MySqlReplay(Replay):
    """The binary log in process."""

    def __init__(self, shop: MySqlShop, folder: Path) -> None:
        super().__init__(shop, folder)  # type: ignore[arg-type]
        self.changes: MySqlChanges | None = None
        self.start = 0
        """The log position to begin at; left alone, where the log is."""

    def _capture(self) -> int:
        self.start = self.start or self.source.begin(list(self.tables.values()))
        self.changes = self.source.changes(Position(self.start, FIRST_COUNTER))
        return self.start

    def feed(self) -> None:
        """Take what the source has to say."""
        assert self.changes is not None
        fence = self.shop.fence()
        while self.writer.position.lsn < fence:
            if self.changes.read(self.writer) and self.writer.position.lsn < fence:
                select.select([self.changes.waits_on()], [], [], 10)

    def close(self) -> None:
        """Hang up, and let the source go."""
        if self.changes is not None:
            self.changes.close()
        super().close()


@pytest.fixture
def replay(shop: Shop, tmp_path: Path) -> Iterator[Replay]:
    """A change stream in process."""
    made = Replay(shop, tmp_path / "replay")
    yield made
    made.close()


@pytest.fixture
def mysql_replay(mysql_shop: MySqlShop, tmp_path: Path) -> Iterator[MySqlReplay]:
    """The binary log in process."""
    made = MySqlReplay(mysql_shop, tmp_path / "replay")
    yield made
    made.close()


@pytest.fixture
def wait_for() -> Callable[..., Any]:
    """Poll until a condition holds; its value."""
    return _wait_for


@pytest.fixture
def mappings() -> list[dict[str, Any]]:
    """Table mappings: all of schema ``shop``, change sequence, before-images of the key."""
    return [dict(rule) for rule in MAPPINGS]


@pytest.fixture
def s3() -> dict[str, Any]:
    """S3Settings as the landing contract has them, with a short interval."""
    return dict(S3)
