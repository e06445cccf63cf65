"""Written histories of engines that do not run here: their files, applied by every engine, give what the source holds.

Scope: local.dms.scripted with the product's own applying and comparing. tests/conformance holds the engines to more.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from catchment.apply import Budget, apply_table
from catchment.apply.loads import LoadState
from catchment.cli.app import run
from catchment.errors import SettingsError
from catchment.landing.contract import load_contracts
from catchment.landing.duck import open_duckdb
from catchment.landing.names import TableName
from catchment.leases import MemoryLease
from catchment.reconcile.compare import Comparison, compare
from catchment.reconcile.lake import lake_table, read_lake
from catchment.storage import open_store
from local.dms.scripted import ScriptedTask, Step, load_script
from local.dms.scripted.database import ScriptError
from local.dms.scripted.script import HISTORIES, Script

NAMES = sorted(HISTORIES)


class Lake:
    """A lake that a task's landing folder is applied to."""

    def __init__(self, folder: Path, task: ScriptedTask, **lines: Any) -> None:
        self.folder, self.task = folder, task
        document = json.loads(task.contract)
        for table in document["tables"].values():
            table.update(lines)
        self.contracts = load_contracts(json.dumps(document))
        self.loads: dict[str, LoadState] = {}

    def state(self, table: TableName) -> LoadState | None:
        """Of a table's newest load."""
        return self.loads.get(str(table))

    def play(self) -> Iterator[Step]:
        """The task's steps, its loads noted."""
        for step in self.task.run():
            for table in step.loaded:
                self.loads[table] = LoadState(True, step.at, len(self.task.tables[table].rows))
            yield step

    def apply(self) -> None:
        for contract in self.contracts.values():
            account = apply_table(
                contract=contract,
                landing=open_store(self.folder / "landing"),
                lake=open_store(self.folder / "lake"),
                quarantine=open_store(self.folder / "quarantine"),
                lease=MemoryLease(),
                budget=Budget(),
                now=lambda: datetime.now(UTC),
                named=None,
                loads=self,
            )
            assert account.counts.quarantined == 0

    def compare(self, table: str) -> Comparison:
        schema, _, name = table.partition(".")
        con = open_duckdb(self.folder, memory_mb=256, threads=1)
        try:
            con.execute("SET TimeZone = 'UTC'")
            con.register("delivered", self.task.source(table))
            con.execute("CREATE TEMP TABLE source AS SELECT * FROM delivered")
            wanted = [(str(row[0]), str(row[1])) for row in con.execute("DESCRIBE source").fetchall()]
            read_lake(con, lake_table(self.folder / "lake" / schema / name), wanted, "lake")
            return compare(con, "source", "lake", key=self.task.tables[table].shape.key)
        finally:
            con.close()

    def check(self) -> None:
        for table in self.task.tables:
            found = self.compare(table)
            assert (found.missing, found.extra, found.different) == (0, 0, 0), (table, found.differences)
            assert found.rows_source == found.rows_lake == len(self.task.tables[table].rows)


@pytest.fixture
def played(request: pytest.FixtureRequest, tmp_path: Path) -> ScriptedTask:
    return ScriptedTask(load_script(HISTORIES[request.param]), tmp_path / "landing")


@pytest.mark.parametrize("lines", [{}, {"deletion_vectors": True}], ids=["copy-on-write", "deletion vectors"])
@pytest.mark.parametrize("often", [True, False], ids=["step by step", "at the end"])
@pytest.mark.parametrize("played", NAMES, indirect=True)
def test_what_is_applied_is_what_the_source_holds(
    played: ScriptedTask, tmp_path: Path, often: bool, lines: dict[str, Any]
) -> None:
    lake = Lake(tmp_path, played, **lines)
    for _ in lake.play():
        if often:
            lake.apply()
    lake.apply()
    lake.check()


@pytest.mark.parametrize("played", ["sqlserver"], indirect=True)
def test_a_lake_that_is_behind_is_seen(played: ScriptedTask, tmp_path: Path) -> None:
    """The check above would not pass whatever the lake holds."""
    lake = Lake(tmp_path, played)
    steps = lake.play()
    next(steps)
    lake.apply()
    list(steps)
    found = lake.compare("dbo.orders")
    assert (found.missing, found.extra) == (1, 2)


@pytest.mark.parametrize("played", ["worked_example"], indirect=True)
def test_the_worked_example_comes_out_to_the_digit(played: ScriptedTask, tmp_path: Path) -> None:
    written = [file for step in played.run() for file in step.files]
    assert written == [
        "shop/orders/LOAD00000001.parquet",
        "shop/orders/2026/03/01/20260301-090610254.parquet",
        "shop/orders/2026/03/01/20260301-090802504.parquet",
    ]
    load, changes, later = (pq.read_table(tmp_path / "landing" / file) for file in written)
    assert load.to_pylist()[0] == {
        "Op": "I",
        "dms_ts": "2026-03-01 09:00:03.418210",
        "id": 1,
        "status": "new",
        "total": Decimal("10.00"),
        "note": "gift",
        "dms_seq": "",
        "BI_id": None,
    }
    told = [(row["Op"], row["id"], row["status"], row["dms_seq"], row["BI_id"]) for row in changes.to_pylist()]
    assert told == [
        ("I", 3, "new", "20260301090510250000000000000000061", None),
        ("U", 1, "paid", "20260301090512000000000000000000073", None),
        ("U", 30, "new", "20260301090520770000000000000000085", 3),
        ("U", 2, "picked", "20260301090531640000000000000000097", None),
        ("U", 2, "packed", "20260301090531640000000000000000101", None),
        ("U", 2, "sent", "20260301090531640000000000000000105", None),
        ("D", 1, None, "20260301090544910000000000000000117", None),
    ]
    assert later.column_names == ["Op", "dms_ts", "id", "status", "total", "note", "channel", "dms_seq", "BI_id"]
    assert later.to_pylist()[0]["dms_seq"] == "20260301090702500000000000000000141"


def _changes(folder: Path, files: list[str]) -> Iterator[dict[str, Any]]:
    for file in files:
        if "LOAD" not in file:
            yield from pq.read_table(folder / file).to_pylist()


@pytest.mark.parametrize("played", ["sqlserver"], indirect=True)
def test_sql_server_tells_keys_that_move_together_as_deletes_and_inserts(played: ScriptedTask, tmp_path: Path) -> None:
    files = [file for step in played.run() for file in step.files if "dbo/orders" in file]
    told = [(row["Op"], row["id"], row["status"]) for row in _changes(tmp_path / "landing", files[:2])]
    assert told == [
        ("U", 1, "paid"),
        ("D", 1, "paid"),
        ("D", 2, "new"),
        ("I", 2, "paid"),
        ("I", 1, "new"),
        ("U", 20, "paid"),
    ]


@pytest.mark.parametrize("played", ["oracle"], indirect=True)
def test_oracle_tells_the_changed_part_of_a_key_alone(played: ScriptedTask, tmp_path: Path) -> None:
    files = [file for step in played.run() for file in step.files]
    moves = [row for row in _changes(tmp_path / "landing", files[:2]) if row["BI_REGION"] or row["BI_ID"]]
    assert [(row["BI_REGION"], row["BI_ID"], row["REGION"], row["ID"]) for row in moves] == [
        ("north", None, "west", 1),
        (None, 2, "north", 1),
        ("south", 1, "north", 2),
        ("east", None, "south", 1),
    ]


def _script(**changed: Any) -> dict[str, Any]:
    return {**yaml.safe_load(HISTORIES["worked_example"].read_text()), **changed}


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"engine": "db2"}, "engine"),
        ({"tables": {"a.b": {"columns": {"id": "int"}, "key": ["no"]}}}, "no is no column"),
        ({"history": [{"at": "2026-03-01", "load": ["shop.missing"]}]}, "shop.missing is no table"),
        ({"history": [{"at": "2026-03-01"}]}, "one of load, do, add and again"),
    ],
)
def test_a_script_that_makes_no_sense_is_refused(tmp_path: Path, changed: dict[str, Any], named: str) -> None:
    path = tmp_path / "script.yaml"
    path.write_text(json.dumps(_script(**changed), default=str))
    with pytest.raises(SettingsError, match=named):
        load_script(path)


def test_a_statement_that_the_source_would_refuse_is_refused(tmp_path: Path) -> None:
    insert = {"insert": "shop.orders", "row": [1, "again", "1.00", None]}
    script = Script.model_validate(_script(history=[{"at": "2026-03-01T00:00:00", "do": [insert]}]))
    with pytest.raises(ScriptError, match="already"):
        list(ScriptedTask(script, tmp_path).run())


def test_a_history_is_played_and_applied_by_the_commands_it_names(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    arguments = [sys.executable, "-m", "local.dms.scripted", "oracle", str(tmp_path)]
    played = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert "SALES.ORDERS: the source holds 3 rows" in played.stdout
    command = played.stdout.splitlines()[-1].split()
    assert run(command[1:]) == 0
    assert "SALES.ORDERS" in capfd.readouterr().out
