"""A load into a table without files. Scope: the applier and what it counts, where keys differ and where they repeat."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from catchment.sinks import copy_on_write
from tests.core.apply import applying as a


def test_different_keys_are_all_written(tmp_path: Path) -> None:
    a.land(tmp_path, "LOAD00000001.parquet", *(a.load(key, v=f"v{key}") for key in (3, 1)))
    a.land(tmp_path, "LOAD00000002.parquet", *(a.load(key, v=f"v{key}") for key in (2, 4)))
    counts = a.run(tmp_path).counts
    assert (counts.read, counts.applied, counts.inserted, counts.superseded) == (4, 4, 4, 0)
    assert a.rows(tmp_path) == [(1, "v1"), (2, "v2"), (3, "v3"), (4, "v4")]


def test_of_a_key_that_comes_twice_the_later_row_wins(tmp_path: Path) -> None:
    a.land(tmp_path, "LOAD00000001.parquet", a.load(1, v="first"), a.load(2, v="only"))
    a.land(tmp_path, "LOAD00000002.parquet", a.load(1, v="second"))
    counts = a.run(tmp_path).counts
    assert (counts.read, counts.applied, counts.inserted, counts.superseded) == (3, 2, 2, 1)
    assert a.rows(tmp_path) == [(1, "second"), (2, "only")]


def test_a_load_with_changes_behind_it_is_worked_out(tmp_path: Path) -> None:
    a.land(tmp_path, "LOAD00000001.parquet", a.load(1, v="first"), a.load(2, v="gone"))
    a.land(tmp_path, "20240809-100000000.parquet", a.update(1, 1, v="second"), a.delete(2, 2))
    a.run(tmp_path)
    assert a.rows(tmp_path) == [(1, "second")]


def test_files_are_sorted_and_do_not_overlap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copy_on_write, "TARGET_BYTES", 3_000)
    keys = [key * 37 % 500 for key in range(500)]
    for number in range(2):
        rows = (a.load(key, v=f"v{key}") for key in keys[number::2])
        a.land(tmp_path, f"LOAD0000000{number + 1}.parquet", *rows)
    a.run(tmp_path)
    files = [pq.read_table(path)["id"].to_pylist() for path in a.table(tmp_path).file_uris()]
    assert len(files) > 3
    assert all(file == sorted(file) for file in files)
    assert [key for file in sorted(files) for key in file] == list(range(500))
