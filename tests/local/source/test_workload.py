"""Scope: the live workload: the same for the same seed, every kind of work, counted as the stream counts."""

import struct
from collections import Counter
from collections.abc import Iterator
from itertools import count
from threading import Event

import psycopg
import pytest
from psycopg import sql

from local.source import sales
from local.source.database import WorkloadFailed
from local.source.on_postgresql import WORK, PostgresDatabase
from local.source.plan import Change, Plan
from local.source.postgres import EmbeddedPostgres
from local.source.workload import WorkDone, Workload

TRANSACTIONS = 260
names = (f"db{number}" for number in count())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    parameters = {"rds.logical_replication": "1"}
    folder = tmp_path_factory.mktemp("workload")
    with EmbeddedPostgres.start(folder, parameters=parameters, user="o", password="p", database="first") as running:
        yield running


@pytest.fixture
def dsn(server: EmbeddedPostgres) -> str:
    name = next(names)
    with psycopg.connect(server.dsn("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    sales.seed(server.dsn(name), 4000)
    return server.dsn(name)


def work(dsn: str, **changes: object) -> WorkDone:
    return Workload(PostgresDatabase(dsn), **{"rate": 1e9, "transactions": TRANSACTIONS, "seed": 7} | changes).run(
        Event()
    )


def content(dsn: str) -> dict[str, str]:
    with psycopg.connect(dsn) as connection:
        tables = sales.TABLES
        query = "SELECT md5(string_agg(t::text, E'\\n' ORDER BY t::text)) FROM {} AS t"
        named = {table: sql.SQL(query).format(sql.Identifier(*table.split(".", 1))) for table in tables}
        return {table: connection.execute(query).fetchone()[0] for table, query in named.items()}


class Stream:
    """Row changes as pgoutput hands them out, per table: I, D, U, and U with another key."""

    def __init__(self, dsn: str) -> None:
        self.connection = psycopg.connect(dsn, autocommit=True)
        self.connection.execute("CREATE PUBLICATION p FOR ALL TABLES")
        self.connection.execute("SELECT pg_create_logical_replication_slot(current_database(), 'pgoutput')")

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.execute("SELECT pg_drop_replication_slot(current_database())")
        self.connection.close()

    def read(self) -> tuple[Counter[tuple[str, str]], int]:
        """Changes by table and letter (K: a new key), and how many values stayed out of line, unchanged."""
        tables: dict[int, str] = {}
        changes: Counter[tuple[str, str]] = Counter()
        unchanged = 0
        query = (
            "SELECT data FROM pg_logical_slot_get_binary_changes(current_database(), NULL, NULL,"
            " 'proto_version', '1', 'publication_names', 'p')"
        )
        for (data,) in self.connection.execute(query, binary=True):
            letter = chr(data[0])
            if letter == "R":
                schema, table, _ = data[5:].split(b"\0", 2)
                tables[struct.unpack("!I", data[1:5])[0]] = f"{schema.decode()}.{table.decode()}"
            elif letter in "IUD":
                moved = letter == "U" and data[5:6] == b"K"
                changes[tables[struct.unpack("!I", data[1:5])[0]], "K" if moved else letter] += 1
                unchanged += letter == "U" and self._keeps_a_value(data)
        return changes, unchanged

    @staticmethod
    def _keeps_a_value(data: bytes) -> bool:
        at = 5
        while True:
            part, (columns,) = data[at : at + 1], struct.unpack("!H", data[at + 1 : at + 3])
            at += 3
            kinds = []
            for _ in range(columns):
                kinds.append(data[at : at + 1])
                at += 5 + struct.unpack("!I", data[at + 1 : at + 5])[0] if kinds[-1] == b"t" else 1
            if part == b"N":
                return b"u" in kinds


def test_same_seed_does_the_same_to_the_same_database(dsn: str, server: EmbeddedPostgres) -> None:
    other = server.dsn(next(names))
    with psycopg.connect(server.dsn("postgres"), autocommit=True) as connection:
        database = psycopg.conninfo.conninfo_to_dict(other)["dbname"]
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(str(database))))
    sales.seed(other, 4000)
    before = content(dsn)
    first, second = work(dsn), work(other)
    assert (first.changes, first.kinds) == (second.changes, second.kinds)
    assert content(dsn) == content(other)
    assert all(content(dsn)[table] != digest for table, digest in before.items())


def test_every_kind_of_work_is_done_and_counted_as_the_stream_counts_it(dsn: str) -> None:
    with Stream(dsn) as stream:
        done = work(dsn)
        changes, unchanged = stream.read()
    assert set(done.kinds) == {kind.__name__ for kind in (*WORK.kinds, *WORK.definitions.values())}
    assert done.rolled_back > 0
    assert unchanged > 0, "an update has to leave a value that is stored out of line as it was"
    for table, counted in done.by_table().items():
        seen = {letter: changes[table, letter] for letter in "IUDK"}
        assert list(counted.values()) == [seen["I"], seen["U"], seen["D"], seen["K"]], table
    assert {table for table, _ in changes} == set(done.by_table())


def test_a_column_is_added_and_columns_are_widened_while_it_runs(dsn: str) -> None:
    work(dsn)
    with psycopg.connect(dsn) as connection:
        types = dict(
            connection.execute(
                "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
                " WHERE attrelid = 'hard.evolving'::regclass AND attnum > 0"
            ).fetchall()
        )
        filled = connection.execute(
            "SELECT count(channel), count(*) FILTER (WHERE counter > 2147483647) FROM hard.evolving"
        ).fetchone()
    assert types["channel"] == "character varying(10)"
    assert (types["counter"], types["name"], types["price"]) == ("bigint", "character varying(100)", "numeric(12,4)")
    assert min(filled) > 0


def test_second_workload_goes_on_where_the_first_ended(dsn: str) -> None:
    work(dsn)
    assert work(dsn, seed=8).transactions > 0


def test_rate_is_kept(dsn: str) -> None:
    done = work(dsn, rate=400, transactions=None, seconds=1.0)
    assert done.seconds >= 0.5
    assert 50 <= done.rows <= 400 * done.seconds + 100


def test_progress_is_told_and_stop_is_obeyed(dsn: str) -> None:
    stop = Event()
    told: list[int] = []

    def listen(done: WorkDone) -> None:
        told.append(done.rows)
        stop.set()

    Workload(PostgresDatabase(dsn), rate=1000, seconds=60, seed=7).run(stop, listen)
    assert told
    assert told[0] > 0


def test_rows_that_somebody_else_took_are_noticed(dsn: str) -> None:
    def take_them(done: WorkDone) -> None:
        with psycopg.connect(dsn) as connection:
            connection.execute("DELETE FROM hard.swaps")

    with pytest.raises(WorkloadFailed, match="touched 0 rows instead of 1"):
        Workload(PostgresDatabase(dsn), rate=2000, transactions=5000, seed=7).run(Event(), take_them)


def test_workload_without_an_end_is_refused() -> None:
    with pytest.raises(ValueError, match="ends after"):
        Workload(PostgresDatabase(""))
    with pytest.raises(ValueError, match="more than 0"):
        Workload(PostgresDatabase(""), seconds=1, rate=0)


def test_low_rate_does_not_outlast_its_time(dsn: str) -> None:
    assert work(dsn, rate=0.1, transactions=None, seconds=0.3).transactions == 1
    assert work(dsn, transactions=None, seconds=0).transactions == 0


def test_plan_counts_what_survives_its_savepoint() -> None:
    plan = Plan()
    plan.update("t.t", {"id": 1}, {"v": 1})
    with plan.undone():
        plan.delete("t.t", {"id": 1})
    plan.update("t.t", {"id": 1}, {"id": 2})
    plan.update("t.t", {"id": 2}, {"id": 2})
    assert plan.changes == {("t.t", Change.UPDATE): 2, ("t.t", Change.KEY_CHANGE): 1}
    assert len(plan.statements) == 6
