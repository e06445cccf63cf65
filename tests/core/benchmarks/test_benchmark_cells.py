"""The benchmark's harness on a tiny table: data, engines, oracle and medians. Nothing is timed."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path

import pytest

from benchmarks.apply import bars, measure, oracle, page, rates, runner, shapes, spark_runs
from benchmarks.apply.plan import Cell, Plan, SparkPlan
from benchmarks.apply.results import limit, medians
from benchmarks.apply.shapes import TABLE, Shape

SHAPE = Shape(2_000, 500, "scattered")


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shapes, "CACHE", tmp_path)


def test_a_cell_is_measured_and_its_table_checked() -> None:
    runner.prepare(SHAPE)
    runs = [runner.run(engine, SHAPE) for engine in ("cow", "limit-duckdb", "delta-rs")]
    assert [run.get("error") for run in runs] == [None] * 3
    assert [run["correct"] for run in runs] == [True, None, True]
    found = medians(runs)
    assert all(each["rounds"] == 1 and each["peak_mb"] > 10 for each in found.values())
    assert limit(found, SHAPE, "seconds") == runs[1]["seconds"]


def test_a_wrong_table_is_an_error_of_its_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    runner.prepare(SHAPE)
    monkeypatch.setattr(oracle, "expected", lambda shape: [1, "1"])
    run = runner.run("cow", SHAPE)
    assert "the table is wrong" in run["error"]
    assert medians([run]).popitem()[1]["rounds"] == 0


def test_changes_are_of_the_kinds_and_numbers_they_are_said_to_be() -> None:
    runner.prepare(SHAPE)
    with runner.data.session() as con:
        rows = con.execute(
            f"SELECT count(*), count(DISTINCT id), count(*) FILTER (Op = 'D'), count(*) FILTER (Op = 'I'), "
            f"count(DISTINCT dms_seq), min(length(dms_seq)) FROM read_parquet('{SHAPE.folder}/*.parquet')"
        ).fetchone()
        loaded = con.execute(
            f"SELECT count(DISTINCT id) FROM read_parquet('{SHAPE.table}/landing/{TABLE}/*.parquet')"
        ).fetchone()
    assert rows is not None
    assert 450 <= rows[0] <= 550
    assert rows[1:] == (400, 50, 100, rows[0], 35)
    assert loaded == (2_000,)


def test_a_page_is_written_of_what_there_is(tmp_path: Path) -> None:
    runner.prepare(SHAPE)
    failed = {"engine": "dv", **asdict(SHAPE), "error": "RuntimeError: gone"}
    result = {
        "began": "2026-01-01T00:00:00",
        "seconds": 60,
        "plan": "standard",
        "machine": {"processor": "one"},
        "runs": [runner.run("cow", SHAPE), runner.run("limit-duckdb", SHAPE), failed],
        "tables": {"error": "not come to"},
        "requests": {"error": "not come to"},
        "spark": [{**failed, "engine": "spark-merge", "cold": True}],
    }
    page.write(result, tmp_path, tmp_path / "performance.md")
    text = (tmp_path / "performance.md").read_text()
    assert "- 2k-500-scattered by dv: RuntimeError: gone" in text
    assert "| copy-on-write, at most 1.3 x the limit up to 100k changes | reached" in text
    for name in re.findall(r"\]\(\./([^)]+)\)", text):
        assert (tmp_path / name).exists() == (name != "requests.svg")


def test_what_cannot_be_measured_is_in_the_result_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spark_runs, "PYTHON", tmp_path / "missing")
    monkeypatch.setattr(measure, "_section", lambda part, number: {"error": f"no {part}"})
    cells = [Cell("cow", SHAPE), Cell("nobody", SHAPE)]
    *_, result = measure.everything(Plan("tiny", cells, [SparkPlan("spark-merge", [SHAPE])], 1, 2, 2))
    good = [run for run in result["runs"] if "error" not in run]
    assert [run["engine"] for run in good] == ["cow"] * 3
    assert [run["engine"] for run in result["runs"] if "error" in run] == ["nobody"]
    assert "make setup-spark" in result["spark"][0]["error"]
    assert result["tables"] == {"error": "no tables"}
    page.write(result, tmp_path, tmp_path / "performance.md")
    assert "2k-500-scattered by spark-merge: FileNotFoundError" in (tmp_path / "performance.md").read_text()
    assert "every cell once         2 runs" in measure.foreseen(Plan("tiny", cells, [], 1, 2, 2), result)


def test_rounds_end_where_the_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "_section", lambda part, number: {"error": f"no {part}"})
    runner.prepare(SHAPE)
    *_, result = measure.everything(Plan("tiny", [Cell("limit-duckdb", SHAPE)], [], 0, 0, 0))
    assert len(result["runs"]) == 1


@pytest.mark.parametrize(
    ("asked", "files", "idle", "verdicts"),
    [
        ([15] * 10, {1: 15, 400: 15}, 2, ["reached", "reached"]),
        ([15] * 5 + [25] * 5, {1: 15, 400: 15}, 3, ["reached in 1 of 2 cells", "reached in 0 of 1 cells"]),
        ([15] * 10, {1: 15, 400: 815}, 2, ["reached in 1 of 2 cells", "reached"]),
    ],
)
def test_requests_must_not_grow(asked: list[int], files: dict[int, int], idle: int, verdicts: list[str]) -> None:
    by_version = [{"versions": i, "commit": {"GetObject": n, "UpdateItem": 0}} for i, n in enumerate(asked, 1)]
    by_files = [
        {"files": i, "commit": {"GetObject": n}, "idle": {"ListObjectsV2": idle, "UpdateItem": 3}}
        for i, n in files.items()
    ]
    found = bars.Measured({"runs": [], "spark": [], "tables": {}, "requests": [*by_version, *by_files]})
    assert [bar.verdict for bar in bars.bars(found)[-2:]] == verdicts


def test_rates_are_those_that_the_times_were_made_of(tmp_path: Path) -> None:
    target = tmp_path / "cost.json"
    target.write_text(json.dumps({"decoded": {"parquet": 4.0}, "function": {"start_seconds": 1.0}, "job": {}}))
    runs = []
    for rows, (touched, landed) in enumerate([(10, 1), (100, 1), (100, 20), (400, 5), (0, 30)], 1):
        shape = {"rows": rows, "changes": 1, "keys": "scattered", "rows_a_file": 0}
        sizes = {"touched_bytes": touched << 20, "landed_bytes": landed << 20, "correct": True}
        runs.append(
            {"engine": "cow", **shape, **sizes, "seconds": 1, "cpu_seconds": 0.2 + 0.03 * touched + 0.08 * landed}
        )
    machine = {"processor": "one", "duckdb": "2"}
    result = {"runs": runs, "spark": [], "tables": {}, "requests": {}, "began": "2026-01-01T00", "machine": machine}
    rates.refit(result, target)
    fitted = json.loads(target.read_text())
    assert fitted["function"] == {
        "start_seconds": 1.0,
        "parquet_seconds_per_mb": 0.02,
        "csv_seconds_per_mb": 0.03,
        "touched_seconds_per_mb": 0.03,
    }
    assert fitted["job"] == {}
