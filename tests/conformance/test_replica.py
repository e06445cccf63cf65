"""What a replica in a database meets and a lake does not: connections that are lost, values and names it cannot hold.

Scope: the sink on a real PostgreSQL and a real MariaDB; connections are cut by the server.
"""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import duckdb
import pymysql
import pytest
from pymysql.protocol import MysqlPacket

from catchment.cli.app import run
from catchment.errors import ReplicaRefused, SchemaConflict, StorageUnavailable
from catchment.landing.names import TableName
from catchment.landing.types import DeltaType
from catchment.leases import MemoryLease
from catchment.reconcile.replica import replica_table
from catchment.sinks.base import Batch, LostRace
from catchment.sinks.mysql import session
from catchment.sinks.replica import open_replica
from tests.conformance import on_mariadb, on_postgresql, script
from tests.conformance.calls import Calls
from tests.conformance.engines import ENGINES, Engine
from tests.conformance.model import File, Record, token
from tests.conformance.readers import canonical
from tests.conformance.shapes import DOUBLE, STRING, Shape, shapes
from tests.conformance.table import Table

SERVERS = {module.NAME: module for module in (on_postgresql, on_mariadb) if module.NAME in ENGINES}

needs_mariadb = pytest.mark.skipif(on_mariadb.NAME not in SERVERS, reason="there is no MariaDB on this machine")


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> ModuleType:
    return SERVERS[request.param]


@pytest.fixture
def replica(server: ModuleType) -> Engine:
    return ENGINES[server.NAME]


def _of_text(column: str) -> Shape:
    return Shape("text", {"code": STRING}, {column: STRING}, (), ("",))


def _load(column: str, value: str) -> File:
    return File("s/t/LOAD00000001.parquet", ("code", column), (Record("I", "", ("a",), {column: value}),))


BAD_VALUES = {
    on_postgresql.NAME: [{"word": "nul \0 in it"}],
    on_mariadb.NAME: [{"x": math.inf}, {"x": math.nan}],
}
BAD_KEYS = {on_postgresql.NAME: "nul \0", on_mariadb.NAME: "k" * 769}


def test_a_value_that_the_database_cannot_hold_is_quarantined(
    tmp_path: Path, server: ModuleType, replica: Engine
) -> None:
    """A row by its value, one by its key, and one by the key that it had; the others are there."""
    kinds = {"word": STRING, "x": DOUBLE}
    table = Table(tmp_path, replica, Shape("text", {"code": STRING}, kinds, (), ("",)))
    good, bad, key = {"word": "x", "x": 1.5}, BAD_VALUES[server.NAME], BAD_KEYS[server.NAME]
    load = (Record("I", "", ("a",), good), Record("I", "", (key,), good))
    load += tuple(Record("I", "", (f"b{i}",), good | values) for i, values in enumerate(bad))
    table.land(File("s/t/LOAD00000001.parquet", ("code", *kinds), load))
    changes = (Record("U", token(1), ("c",), good, (key,)), Record("D", token(2), ("a",), bad[0]))
    assert table.apply().counts.quarantined == len(bad) + 1
    table.land(File("s/t/20240809-100000000.parquet", ("code", *kinds), changes))
    counts = table.apply().counts
    assert (counts.read, counts.deleted, counts.quarantined) == (2, 1, 1)
    table.check_quarantine()
    assert [rows for _, rows in table.view.read()] == [[]]


def test_a_table_that_somebody_else_has_made_is_left_alone(tmp_path: Path, server: ModuleType, replica: Engine) -> None:
    table = Table(tmp_path, replica, _of_text("word"))
    table.land(_load("word", "x"))
    server.make_foreign(tmp_path)
    with pytest.raises(ReplicaRefused, match="not made"):
        table.apply()
    assert [rows for _, rows in table.view.read()] == [[{"theirs": 1}]]


def test_foreign_keys_of_others_change_nothing_that_is_not_told(
    tmp_path: Path, server: ModuleType, replica: Engine
) -> None:
    """A row goes that another table refers to: MySQL neither minds nor cascades, PostgreSQL says so and keeps it."""
    table = Table(tmp_path, replica, _of_text("word"))
    table.land(_load("word", "x"))
    table.apply()
    server.refer_to(tmp_path, "a")
    table.land(File("s/t/20240809-100000000.parquet", ("code", "word"), (Record("D", token(1), ("a",), {}),)))
    if server is on_postgresql:
        with pytest.raises(ReplicaRefused, match="foreign key"):
            table.apply()
        assert table.view.version() == 0
    else:
        assert table.apply().counts.deleted == 1
        table.check_rows()
    assert server.referring(tmp_path) == ["a"]


def test_a_name_that_the_database_would_cut_is_refused(tmp_path: Path, replica: Engine) -> None:
    name = "n" * 65
    table = Table(tmp_path, replica, _of_text(name))
    table.land(_load(name, "x"))
    with pytest.raises(SchemaConflict, match="65 "):
        table.apply()


def test_keys_are_told_apart_byte_by_byte(tmp_path: Path, replica: Engine) -> None:
    table = Table(tmp_path, replica, _of_text("word"))
    load = _load("word", "x")
    spellings = ("a", "A", "a ", "ä", "a\u0308", "")
    table.land(replace(load, records=tuple(Record("I", "", (each,), {"word": each}) for each in spellings)))
    assert table.apply().counts.inserted == len(spellings)
    table.check_rows()


def test_the_command_line_keeps_a_replica(
    tmp_path: Path, server: ModuleType, replica: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    table = Table(tmp_path, replica, _of_text("word"))
    table.land(_load("word", "it's"))
    (tmp_path / "tables.json").write_text(
        json.dumps({"landing": table.form.landing, "tables": {"s.t": {"key": ["code"]}}})
    )
    url = server.url(tmp_path)
    arguments = ["apply", f"{tmp_path}/landing", url, "--tables", f"{tmp_path}/tables.json", "--json", "-"]
    assert run(arguments) == 2
    assert "--quarantine" in capsys.readouterr().err
    assert run([*arguments, "--quarantine", f"{tmp_path}/bad"]) == 0
    printed = capsys.readouterr().out
    assert json.loads(printed)["total"]["inserted"] == 1
    assert "secret" not in printed
    table.check_rows()


def test_an_applier_that_was_overtaken_starts_anew_whatever_its_lease_says(tmp_path: Path, replica: Engine) -> None:
    """Another one, who does not know of its lease, does all the work behind one of its first transactions."""
    played = script.CHANGES
    start, counted = played.begin(tmp_path / "start", replica), Calls()
    played.work(script.copy(start, tmp_path / "counted"), counted)
    first = [at for at, name in enumerate(counted.names, start=1) if name == "replica.commit"][:4]
    for at in first:
        table = script.copy(start, tmp_path / str(at))
        overtake = Calls(lambda table=table: table.apply(budget=script.BUDGET, lease=MemoryLease()), at=at, after=True)  # type: ignore[misc]
        played.work(table, overtake)
        played.check_interrupted(table)
        played.check_recovered(table)


def test_a_commit_on_a_version_that_is_no_longer_there_is_a_lost_race(
    tmp_path: Path, server: ModuleType, replica: Engine
) -> None:
    table = Table(tmp_path, replica, _of_text("word"))
    table.land(_load("word", "x"))
    table.apply()
    with server.sink(tmp_path) as late:
        state = late.open()
        table.land(File("s/t/20240809-100000000.parquet", ("code", "word"), (Record("D", "1" * 35, ("a",), {}),)))
        assert table.apply().counts.deleted == 1
        with pytest.raises(LostRace, match="version 1 came first"):
            late.commit(Batch(state.columns, [], state.ledger.watermark, {}), lambda: None)
    table.check_rows()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_connection_lost_at_any_statement_is_made_good(tmp_path: Path, server: ModuleType, replica: Engine) -> None:
    played = script.CHANGES
    start, counted = played.begin(tmp_path / "start", replica), Calls()
    played.work(script.copy(start, tmp_path / "counted"), counted)
    named = enumerate(counted.names, start=1)
    statements = replica.some([at for at, name in named if name.startswith("replica.")])
    lost = 0
    for at in statements:
        table = script.copy(start, tmp_path / str(at))
        try:
            played.work(table, Calls(lambda table=table: server.cut_off(table.root), at=at))  # type: ignore[misc]
        except StorageUnavailable:
            lost += 1
        played.check_interrupted(table)
        played.check_recovered(table)
    assert lost == len(statements)


def test_a_replica_is_read_for_comparison_value_by_value(tmp_path: Path, server: ModuleType, replica: Engine) -> None:
    """A column that it lacks is NULL; an instant is its reading in UTC, as on the other side."""
    shape = next(shape for shape in shapes(infinities=replica.infinities) if shape.name == "wide")
    table = Table(tmp_path, replica, shape)
    columns = [name for name in shape.columns if name != "c00"]
    rows = tuple(Record("I", "", key, shape.row(seed, columns)) for seed, key in enumerate(shape.keys))
    table.land(File("s/t/LOAD00000001.parquet", ("id", *columns), rows))
    table.apply()
    database = open_replica(server.url(tmp_path))
    found = replica_table(database, TableName("s", "t"), tmp_path / "scratch")
    assert list(found.columns) == ["id", *columns]
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        kinds = {name: DeltaType.parse(kind.delta) for name, kind in shape.kinds.items()}
        wanted = [(n, "TIMESTAMP" if kind.name == "timestamp" else kind.duckdb) for n, kind in kinds.items()]
        found.read(con, wanted, "replica_side")
        read = con.sql("FROM replica_side").to_arrow_table().to_pylist()
    database.close()
    for row in read:
        row |= {name: row[name].replace(tzinfo=UTC) for name in kinds if isinstance(row[name], datetime)}
    assert canonical(read, list(kinds)) == table.expected_of(list(kinds))


@needs_mariadb
def test_rows_are_looked_up_by_index_however_new_a_table_is(tmp_path: Path) -> None:
    """A table of which the server has no statistics yet is not read once for each changed row."""
    table = Table(tmp_path, ENGINES[on_mariadb.NAME], _of_text("word"))
    load = tuple(Record("I", "", (f"k{number:05d}",), {"word": "x"}) for number in range(3000))
    table.land(File("s/t/LOAD00000001.parquet", ("code", "word"), load))
    table.apply()
    changes = tuple(Record("UD"[i % 2], token(i + 1), each.key, {"word": "y"}) for i, each in enumerate(load[:400]))
    table.land(File("s/t/20240809-100000000.parquet", ("code", "word"), changes))
    before = on_mariadb.rows_scanned()
    table.apply()
    assert on_mariadb.rows_scanned() - before < 10 * len(load)


@needs_mariadb
def test_rows_travel_in_statements_where_the_server_takes_no_files(tmp_path: Path) -> None:
    engine = ENGINES[on_mariadb.NAME]
    shape = next(shape for shape in shapes(infinities=False) if shape.name == "wide")
    table = Table(tmp_path, engine, shape)
    rows = tuple(
        Record("I", "", (number,), shape.row(number, shape.columns) | {"c01": "it's \\'; --", "c02": -0.0})
        for number in range(1, 40)
    )
    table.land(File("s/t/LOAD00000001.parquet", ("id", *shape.columns), rows))
    server = on_mariadb.start()
    server.apply({"local_infile": "0"})
    try:
        assert table.apply().counts.inserted == len(rows)
        table.land(File("s/t/20240809-100000000.parquet", ("id",), (Record("D", token(1), (3,), {}),)))
        assert table.apply().counts.deleted == 1
    finally:
        server.apply({"local_infile": "1"})
    table.check_rows()


def test_a_server_gets_the_file_that_it_was_told_of_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = MysqlPacket(b"\xfb/proc/self/environ", "utf8mb4")
    monkeypatch.setattr(pymysql.connections.Connection, "_read_packet", lambda *_: asked)
    connection = session.ToOneFile(defer_connect=True)
    connection.sending = "rows.csv"
    with pytest.raises(pymysql.OperationalError, match="not the one to be sent"):
        connection._read_packet()
    connection.sending = "/proc/self/environ"
    assert connection._read_packet() is asked
