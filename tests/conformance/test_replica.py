"""What a replica in a database meets and a lake does not: connections that are lost, values and names it cannot hold.

Scope: the sink on a real PostgreSQL; connections are cut by the server.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from catchment.cli.app import run
from catchment.errors import ReplicaRefused, SchemaConflict, StorageUnavailable
from catchment.leases import MemoryLease
from catchment.sinks.base import Batch, LostRace
from tests.conformance import on_postgresql, script
from tests.conformance.calls import Calls
from tests.conformance.engines import ENGINES, Engine
from tests.conformance.model import File, Record
from tests.conformance.shapes import STRING, Shape
from tests.conformance.table import Table


@pytest.fixture(scope="module")
def replica() -> Engine:
    return ENGINES[on_postgresql.NAME]


def _of_text(column: str) -> Shape:
    return Shape("text", {"code": STRING}, {column: STRING}, (), ("",))


def _load(column: str, value: str) -> File:
    return File("s/t/LOAD00000001.parquet", ("code", column), (Record("I", "", ("a",), {column: value}),))


def test_a_value_that_the_database_cannot_hold_stops_its_table_by_name(tmp_path: Path, replica: Engine) -> None:
    table = Table(tmp_path, replica, _of_text("word"))
    table.land(_load("word", "nul \0 in it"))
    with pytest.raises(ReplicaRefused, match=r"s\.t: the replica refuses a row: .*0x00.*"):
        table.apply()
    assert not table.view.is_there()


def test_a_name_that_the_database_would_cut_is_refused(tmp_path: Path, replica: Engine) -> None:
    name = "n" * 64
    table = Table(tmp_path, replica, _of_text(name))
    table.land(_load(name, "x"))
    with pytest.raises(SchemaConflict, match="64 bytes"):
        table.apply()


def test_keys_are_told_apart_byte_by_byte(tmp_path: Path, replica: Engine) -> None:
    table = Table(tmp_path, replica, _of_text("word"))
    load = _load("word", "x")
    spellings = ("a", "A", "a ", "ä", "a\u0308", "")
    table.land(replace(load, records=tuple(Record("I", "", (each,), {"word": each}) for each in spellings)))
    assert table.apply().counts.inserted == len(spellings)
    table.check_rows()


def test_the_command_line_keeps_a_replica(tmp_path: Path, replica: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    table = Table(tmp_path, replica, _of_text("word"))
    table.land(_load("word", "it's"))
    (tmp_path / "tables.json").write_text(
        json.dumps({"landing": table.form.landing, "tables": {"s.t": {"key": ["code"]}}})
    )
    url = on_postgresql.url(tmp_path)
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


def test_a_commit_on_a_version_that_is_no_longer_there_is_a_lost_race(tmp_path: Path, replica: Engine) -> None:
    table = Table(tmp_path, replica, _of_text("word"))
    table.land(_load("word", "x"))
    table.apply()
    with on_postgresql.sink(tmp_path) as late:
        state = late.open()
        table.land(File("s/t/20240809-100000000.parquet", ("code", "word"), (Record("D", "1" * 35, ("a",), {}),)))
        assert table.apply().counts.deleted == 1
        with pytest.raises(LostRace, match="version 1 came first"):
            late.commit(Batch(state.columns, [], state.ledger.watermark, {}), lambda: None)
    table.check_rows()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_connection_lost_at_any_statement_is_made_good(tmp_path: Path, replica: Engine) -> None:
    played = script.CHANGES
    start, counted = played.begin(tmp_path / "start", replica), Calls()
    played.work(script.copy(start, tmp_path / "counted"), counted)
    named = enumerate(counted.names, start=1)
    statements = replica.some([at for at, name in named if name.startswith("replica.")])
    lost = 0
    for at in statements:
        table = script.copy(start, tmp_path / str(at))
        try:
            played.work(table, Calls(lambda table=table: on_postgresql.cut_off(table.root), at=at))  # type: ignore[misc]
        except StorageUnavailable:
            lost += 1
        played.check_interrupted(table)
        played.check_recovered(table)
    assert lost == len(statements)
