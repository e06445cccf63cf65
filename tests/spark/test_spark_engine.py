"""The Spark engine by example, on tables that the other engine writes as well. Few rows: each call is many Spark jobs.

Scope: catchment.spark on real Spark and Delta, from landing files to tables read back by independent readers.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from catchment.apply import apply_table
from catchment.leases import Held
from tests.conformance.engines import ENGINES, Engine
from tests.conformance.leases import ExpiringLease
from tests.conformance.model import File, Record, token
from tests.conformance.readers import canonical
from tests.conformance.shapes import Kind, Shape
from tests.conformance.table import Table

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.timeout(600)

SHAPE = Shape(
    "orders",
    {"tenant": Kind("integer", pa.int32(), ()), "code": Kind("string", pa.string(), ())},
    {
        "v": Kind("long", pa.int64(), (), pa.int32()),
        "w": Kind("decimal(12,2)", pa.decimal128(12, 2), ()),
        "x": Kind("double", pa.float64(), ()),
    },
    (),
    (),
)
KEY = ("tenant", "code")
A, B, C, D, SPARE = (1, "a"), (1, "A"), (2, "a "), (2, ""), (3, "z")


def file(time: str, *records: Record, columns: tuple[str, ...] = ("v", "x"), narrow: tuple[str, ...] = ()) -> File:
    name = "LOAD00000001" if time == "LOAD" else f"20240809-{time}00000"
    return File(f"s/t/{name}.parquet", (*KEY, *columns), records, narrow)


def change(op: str, number: int, key: Any, old: Any = None, **values: Any) -> Record:
    return Record(op, token(number), key, values, old)


LOAD = file("LOAD", *(Record("I", "", key, {"v": 0, "x": -0.0}) for key in (A, B, C)), narrow=("v",))
HISTORY = (
    ("spark", LOAD),
    (
        "duckdb",
        file("1000", change("U", 10, A, v=1, x=0.0), change("D", 11, B), change("I", 12, D, v=2), narrow=("v",)),
    ),
    # a swap of two keys through a third, a new column, and a wider type
    (
        "spark",
        file(
            "1100",
            change("U", 20, SPARE, A, v=3),
            change("U", 21, A, C, v=1 << 40),
            change("U", 22, C, SPARE, v=5),
            columns=("v", "w"),
        ),
    ),
    # late: behind what the table has, on a row deleted since, and on one that is newer
    ("spark", file("1030", change("U", 9, B, v=6, x=1.5), change("U", 13, D, v=7, x=float("nan")))),
    ("duckdb", file("1200", change("D", 30, D), change("I", 31, B, v=8))),
)


@pytest.fixture(scope="module")
def engines(on_spark: Engine) -> dict[str, Any]:
    return {"spark": on_spark.apply, "duckdb": apply_table}


@pytest.mark.parametrize(("partitioned", "in_place"), [(True, True), (False, False)])
def test_engines_take_turns_on_one_table(
    tmp_path: Path,
    spark: SparkSession,
    engines: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    partitioned: bool,
    in_place: bool,
) -> None:
    if not in_place:  # as if the changes were more than can be sent to every task
        monkeypatch.setattr("catchment.spark.session.COPY_SHARE", 1 << 40)
    table = Table(tmp_path, Engine("", apply_table, partitioned=partitioned), SHAPE)
    for whose, landed in HISTORY:
        table.engine = Engine(whose, engines[whose], partitioned=partitioned)
        rows = table.land(landed)
        account = table.apply()
        table.check_account(account, rows)
        table.check_rows()
        table.check_repetition(account.version)
    table.check_log()
    assert not list((table.path / "_catchment/work").rglob("*.parquet"))
    seen = spark.read.format("delta").load(str(table.path)).collect()
    columns = [*KEY, "v", "w", "x"]
    assert canonical((row.asDict() for row in seen), columns) == table.expected_of(columns)


def test_a_table_with_deletion_vectors_is_written(tmp_path: Path, on_spark: Engine) -> None:
    masking = ENGINES["deletion vectors"]
    engine = Engine("in turns", masking.apply, table=masking.table)
    table = Table(tmp_path, engine, SHAPE)
    table.land(LOAD)
    table.apply()
    table.land(file("1000", change("D", 10, A), narrow=("v",)))
    table.apply()
    assert "deletionVector" in (table.path / "_delta_log/00000000000000000001.json").read_text()
    table.engine = Engine("spark", on_spark.apply, table=masking.table)
    rows = table.land(file("1100", change("U", 20, B, v=4), narrow=("v",)))
    table.check_account(table.apply(), rows)
    table.check_rows()


def test_a_commit_that_came_between_is_seen(tmp_path: Path, on_spark: Engine) -> None:
    lease = ExpiringLease()
    table = Table(tmp_path, on_spark, SHAPE)
    other = Table(tmp_path, Engine("duckdb", apply_table), SHAPE, delivered=table.delivered)
    table.land(LOAD)
    other.apply()
    table.land(file("1000", change("U", 10, A, v=1)))

    overtaken: list[int] = []

    class SleepsThroughItsEnd:
        """A lease whose holder is overtaken by another applier right before its first commit."""

        def acquire(self, name: str, *, token: str | None = None) -> Held:
            held = lease.acquire(name, token=token)

            def check() -> None:
                if not overtaken:
                    overtaken.append(other.apply().commits)

            held.check = check  # type: ignore[method-assign]
            return held

    account = table.apply(lease=SleepsThroughItsEnd())
    assert (overtaken, account.commits) == ([1], 0), "the other has applied the file"
    table.check_rows()
    table.check_log()


def test_the_script_applies_csv_without_a_key(
    tmp_path: Path, spark: SparkSession, capsys: pytest.CaptureFixture[str]
) -> None:
    from catchment.spark.job import main

    landed = tmp_path / "landing/s/t/20240809-100000000.csv"
    landed.parent.mkdir(parents=True)
    tables = tmp_path / "tables.yaml"
    tables.write_text(
        "landing: {format: csv, sequence_column: dms_seq}\n"
        'tables: {s.t: {columns: {id: long, at: timestamp, price: "decimal(8,2)"}}}\n'
    )
    at = "2024-08-09 19:27:17.123456"
    lines = [f"I,1,{at},1.50,{token(1)}", f"U,1,{at},2.50,{token(2)}", f"I,x,{at},1,{token(3)}", f"I,2,,,{token(4)}"]
    landed.write_text("\n".join([*lines, lines[0]]) + "\n")
    urls = {"landing": tmp_path / "landing", "silver": tmp_path / "lake", "quarantine": tmp_path / "quarantine"}
    named = [text for name, folder in urls.items() for text in (f"--{name}_url", str(folder))]
    arguments = ["--JOB_NAME", "j", "--schema", "s", "--table", "t", "--contracts_url", str(tables), *named]
    assert main(arguments) == 0
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    counted = ("read", "applied", "stale", "quarantined")
    assert {name: said[name] for name in counted} == {"read": 5, "applied": 2, "stale": 1, "quarantined": 2}
    found = DeltaTable(tmp_path / "lake/s/t").to_pyarrow_table().select(["id", "price"]).to_pylist()
    assert canonical(found, ["id", "price"]) == [("number 1", "number 1.5"), ("number 2", None)]
    raws = [json.loads(line) for file in (tmp_path / "quarantine").rglob("*.jsonl") for line in file.open()]
    assert sorted((raw["row"], json.loads(raw["raw"])["price"] if raw["row"] == 2 else "") for raw in raws) == [
        (2, 2.5),
        (3, ""),
    ]
    assert main([*arguments[:4], "--table", "none", *arguments[6:]]) == 2
