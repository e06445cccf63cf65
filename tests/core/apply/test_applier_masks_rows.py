"""Batches that mark rows instead of writing files again. Scope: the applier with ``deletion_vectors: true``."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from deltalake import QueryBuilder
from hypothesis import given
from hypothesis import strategies as st

from catchment.apply import Account, apply_table
from catchment.apply.engine import open_duck_engine
from catchment.cli.app import run as command
from catchment.errors import DamagedVector
from catchment.reconcile.lake import lake_table, read_lake
from catchment.sinks.delta_actions import Add, Protocol
from catchment.sinks.delta_snapshot import Snapshot, load
from catchment.sinks.merge_on_read import MaskingPolicy, with_wide_bounds
from catchment.storage import open_store
from tests.core.apply import applying as a

NEEDED = Protocol(3, 7, frozenset({"deletionVectors"}), frozenset({"appendOnly", "deletionVectors", "invariants"}))
OPEN = partial(open_duck_engine, masking=MaskingPolicy(rows=10, share=0.5))


def run(root: Path, *, marking: bool = True) -> Account:
    return a.run(root, replace(a.contract(), deletion_vectors=marking), apply=partial(apply_table, open_engine=OPEN))


def start(root: Path, rows: int = 20) -> str:
    """A table of one file, whose path is returned."""
    a.land(root, "LOAD00000001.parquet", *(a.load(key, v=f"v{key}") for key in range(rows)))
    run(root)
    [path] = adds(root)
    return path


def delete(root: Path, file: int, *keys: int) -> None:
    records = (a.delete(file * 100 + i, key) for i, key in enumerate(keys))
    a.land(root, f"20240809-1000000{file:02d}.parquet", *records)


def snapshot(root: Path) -> Snapshot:
    loaded = load(open_store(root / "lake"), "s/t")
    assert loaded is not None
    return loaded.snapshot


def adds(root: Path) -> dict[str, Add]:
    return {add.path: add for add in snapshot(root).adds.values()}


def masked(root: Path, path: str) -> int:
    vector = adds(root)[path].deletion_vector
    return vector.cardinality if vector else 0


def keys(root: Path) -> list[int]:
    """As delta-rs reads them."""
    found = QueryBuilder().register("t", a.table(root)).execute("SELECT id FROM t ORDER BY id").read_all()
    return list(pa.table(found).column("id").to_pylist())


def without(*gone: int) -> list[int]:
    return [key for key in range(20) if key not in gone]


def test_changed_rows_are_masked_and_their_file_stays(tmp_path: Path) -> None:
    first = start(tmp_path)
    a.land(tmp_path, "20240809-100000000.parquet", a.update(1, 3, v="new"), a.delete(2, 5))
    account = run(tmp_path)
    [new] = set(adds(tmp_path)) - {first}
    assert (masked(tmp_path, first), adds(tmp_path)[first].records, adds(tmp_path)[new].records) == (2, 20, 1)
    assert adds(tmp_path)[first].statistics["tightBounds"] is False
    assert keys(tmp_path) == without(5)
    assert account.rows == 19


def test_the_protocol_is_raised_with_the_first_vector_by_no_more_than_it_needs(tmp_path: Path) -> None:
    start(tmp_path)
    a.land(tmp_path, "20240809-100000000.parquet", a.insert(1, 20, v="new"))
    run(tmp_path)
    before = snapshot(tmp_path)
    assert (before.protocol.reader, before.protocol.writer) == (1, 2)
    assert "delta.enableDeletionVectors" not in before.metadata.configuration
    delete(tmp_path, 1, 5)
    run(tmp_path)
    after = snapshot(tmp_path)
    assert after.version == before.version + 1
    assert after.protocol == NEEDED
    assert after.metadata.configuration["delta.enableDeletionVectors"] == "true"


def test_vectors_of_later_batches_mask_what_earlier_ones_did_too(tmp_path: Path) -> None:
    first = start(tmp_path)
    for file, key in enumerate((5, 7, 9)):
        delete(tmp_path, file, key)
        run(tmp_path)
    assert masked(tmp_path, first) == 3
    assert keys(tmp_path) == without(5, 7, 9)


def test_a_file_is_written_again_when_too_much_of_it_is_masked(tmp_path: Path) -> None:
    first = start(tmp_path)
    delete(tmp_path, 1, *range(10))
    run(tmp_path)
    assert masked(tmp_path, first) == 10
    delete(tmp_path, 2, 10)
    run(tmp_path)
    [(path, add)] = adds(tmp_path).items()
    assert (path != first, add.records, add.deletion_vector) == (True, 9, None)
    assert keys(tmp_path) == list(range(11, 20))


def test_a_file_without_a_row_left_is_removed(tmp_path: Path) -> None:
    start(tmp_path)
    delete(tmp_path, 1, *range(10))
    run(tmp_path)
    delete(tmp_path, 2, *range(10, 20))
    assert run(tmp_path).rows == 0
    assert not adds(tmp_path)


def test_short_files_are_written_again(tmp_path: Path) -> None:
    first = start(tmp_path, rows=9)
    delete(tmp_path, 1, 5)
    run(tmp_path)
    assert first not in adds(tmp_path)


def test_without_the_option_vectors_are_read_but_not_made(tmp_path: Path) -> None:
    first = start(tmp_path)
    delete(tmp_path, 1, 5)
    run(tmp_path)
    delete(tmp_path, 2, 6)
    assert run(tmp_path, marking=False).rows == 18
    assert first not in adds(tmp_path)
    assert all(add.deletion_vector is None for add in adds(tmp_path).values())
    assert keys(tmp_path) == without(5, 6)


def test_a_row_that_is_masked_is_not_found_again(tmp_path: Path) -> None:
    start(tmp_path)
    delete(tmp_path, 1, 5)
    run(tmp_path)
    delete(tmp_path, 2, 5)
    a.land(tmp_path, "20240809-100000003.parquet", a.insert(900, 5, v="again"))
    counts = run(tmp_path).counts
    assert (counts.inserted, counts.updated, counts.deleted) == (1, 0, 0)
    assert keys(tmp_path) == list(range(20))


def test_a_widened_column_writes_live_rows_only(tmp_path: Path) -> None:
    start(tmp_path)
    delete(tmp_path, 1, 5)
    run(tmp_path)
    declared = replace(a.contract(columns="{id: long, v: string}"), deletion_vectors=True)
    a.land(tmp_path, "20240809-100000002.parquet", a.insert(900, 20, v="new"))
    a.run(tmp_path, declared, apply=partial(apply_table, open_engine=OPEN))
    assert keys(tmp_path) == [*without(5), 20]


def test_query_and_comparison_leave_masked_rows_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    start(tmp_path)
    delete(tmp_path, 1, 5, 6)
    run(tmp_path)
    with duckdb.connect() as con:
        read_lake(con, lake_table(tmp_path / "lake/s/t"), [("id", "INTEGER")], "lake_rows")
        assert sorted(con.execute("SELECT id FROM lake_rows").fetchall()) == [(key,) for key in without(5, 6)]
    sql = "SELECT count(*) AS n, sum(id) AS total FROM s.t"
    assert command(["query", sql, "--lake", str(tmp_path / "lake"), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"n": 18, "total": sum(without(5, 6))}]


def test_a_lost_vector_stops_the_table(tmp_path: Path) -> None:
    start(tmp_path)
    delete(tmp_path, 1, 5)
    run(tmp_path)
    [vector] = (tmp_path / "lake/s/t").glob("*.bin")
    vector.write_bytes(vector.read_bytes()[:-1])
    delete(tmp_path, 2, 6)
    with pytest.raises(DamagedVector):
        run(tmp_path)


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()),
    lambda inner: st.dictionaries(st.one_of(st.text(), st.just("tightBounds")), inner, max_size=3),
    max_leaves=6,
)


@given(
    said=st.dictionaries(st.one_of(st.text(), st.just("tightBounds")), json_values, max_size=4),
    indent=st.sampled_from([None, 2]),
)
def test_statistics_keep_all_but_their_tightness(said: dict[str, object], indent: int | None) -> None:
    wide = json.loads(with_wide_bounds(json.dumps(said, indent=indent)))
    assert wide == {**said, "tightBounds": False}


def test_statistics_keep_numbers_as_they_were_written() -> None:
    assert '"m":12345678901234567890.10' in with_wide_bounds('{"minValues":{"m":12345678901234567890.10}}')
