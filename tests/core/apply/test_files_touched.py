"""Which data files a commit reads and writes, how they lie by key, and what a large batch needs of memory.

Scope: catchment.apply on real files and Delta tables.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from catchment.apply import Budget
from catchment.sinks import copy_on_write
from catchment.sinks.delta_actions import Add
from tests.conformance.model import token
from tests.core.apply import applying as a


def land_many(root: Path, name: str, keys: range | list[int], op: str, text: str = "", first: int = 1) -> None:
    """Write ROOT/landing/s/t/NAME with a row of each key, as fast as can be."""
    count = len(keys)
    columns: dict[str, Any] = {
        "Op": [op] * count,
        "dms_ts": ["2024-08-09 10:00:00.000000"] * count,
        "id": pa.array(keys, pa.int32()),
        "v": [f"{text}{key:032x}" for key in keys],
    }
    if not name.startswith("LOAD"):
        columns["dms_seq"] = [token(first + i) for i in range(count)]
        columns["BI_id"] = pa.nulls(count, pa.int32())
    path = root / "landing/s/t" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)


def adds(root: Path) -> list[Add]:
    """The table's files in the order of their least keys."""
    return sorted(a.log(root).snapshot.adds.values(), key=lambda add: add.statistics["minValues"]["id"])  # type: ignore[union-attr]


def check_order(root: Path) -> None:
    """Files are sorted by key, and no two of them overlap."""
    files = adds(root)
    for before, after in pairwise(files):
        assert before.statistics["maxValues"]["id"] < after.statistics["minValues"]["id"]
    for add in files:
        keys = pq.read_table(root / "lake/s/t" / add.path, columns=["id"]).column("id").to_pylist()
        assert keys == sorted(keys)


@pytest.fixture
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of a few thousand rows."""
    monkeypatch.setattr(copy_on_write, "TARGET_BYTES", 100_000)
    monkeypatch.setattr(copy_on_write, "_ROW_BYTES", 50)


@pytest.mark.usefixtures("small_files")
@pytest.mark.parametrize("ordered", [True, False])
def test_a_first_load_of_many_files_is_one_commit_of_files_that_do_not_overlap(tmp_path: Path, ordered: bool) -> None:
    for number in range(10):
        everywhere = list(range(number, 30_000, 10))[::-1]
        keys = range(number * 3_000, number * 3_000 + 3_000) if ordered else everywhere
        land_many(tmp_path, f"LOAD{number + 1:08}.parquet", keys, "I")
    account = a.run(tmp_path)
    assert (account.commits, account.rows) == (1, 30_000)
    assert len(adds(tmp_path)) > 3
    check_order(tmp_path)


@pytest.mark.usefixtures("small_files")
def test_rows_with_keys_behind_all_others_are_appended_and_no_data_file_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    land_many(tmp_path, "LOAD00000001.parquet", range(20_000), "I")
    a.run(tmp_path)
    before = {add.path for add in adds(tmp_path)}
    land_many(tmp_path, "20240809-100000000.parquet", range(20_000, 32_000), "I")
    read = a.fetched(monkeypatch)
    account = a.run(tmp_path)
    assert account.counts.inserted == 12_000
    assert [path for path in read if path.startswith("s/t/part-")] == []
    assert before <= {add.path for add in adds(tmp_path)}
    check_order(tmp_path)


@pytest.mark.usefixtures("small_files")
@pytest.mark.parametrize("op", ["U", "D", "mixed"])
def test_only_touched_files_are_written_and_stay_sorted(tmp_path: Path, op: str) -> None:
    land_many(tmp_path, "LOAD00000001.parquet", range(0, 60_000, 2), "I")
    a.run(tmp_path)
    before = adds(tmp_path)
    first, last = before[1].statistics["minValues"]["id"], before[1].statistics["maxValues"]["id"]
    touched = list(range(first, last, 20))[::-1]
    land_many(tmp_path, "20240809-100000000.parquet", touched, op[0] if op != "mixed" else "U", "new ")
    if op == "mixed":  # inserts between, and deletes
        land_many(tmp_path, "20240809-110000000.parquet", list(range(first + 1, last, 40)), "I", "new ", 10_000)
        land_many(tmp_path, "20240809-120000000.parquet", list(range(first + 2, last, 40)), "D", "", 20_000)
    account = a.run(tmp_path)
    assert account.counts.read == account.counts.applied
    kept = {add.path for add in before} & {add.path for add in adds(tmp_path)}
    assert kept == {add.path for add in before} - {before[1].path}
    check_order(tmp_path)
    with duckdb.connect() as con:
        paths = [str(tmp_path / "lake/s/t" / add.path) for add in adds(tmp_path)]
        [(changed, rows)] = con.execute(
            "SELECT count(*) FILTER (v LIKE 'new %'), count(*) FROM read_parquet(?)", [paths]
        ).fetchall()
    counts = account.counts
    assert rows == 30_000 + counts.inserted - counts.deleted
    assert changed == counts.inserted + counts.updated


@pytest.mark.slow
def test_a_batch_far_over_the_memory_limit_is_spilled_and_applied(tmp_path: Path) -> None:
    rows = 3_000_000
    land_many(tmp_path, "LOAD00000001.parquet", range(rows), "I")
    land_many(tmp_path, "20240809-100000000.parquet", range(0, rows, 2), "U", "a longer text than before ")
    budget = replace(Budget(), memory_mb=256)
    account = a.run(tmp_path, budget=budget)
    assert (account.counts.read, account.rows, account.done) == (rows + rows // 2, rows, True)
    check_order(tmp_path)
