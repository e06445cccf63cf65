"""The benchmark's harness on a tiny table: data, engines, oracle and medians. Nothing is timed."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path

import pytest

from benchmarks.apply import oracle, page, runner, shapes
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
