"""Maintenance on real tables: what it does, what it leaves alone. Scope: catchment.maintenance over the applier."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, QueryBuilder
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyroaring import BitMap64

from catchment.apply import Account, Budget, apply_table
from catchment.apply.engine import open_duck_engine
from catchment.errors import ForeignWriter, LeaseTaken, LogBroken
from catchment.landing.types import DeltaType
from catchment.leases import Lease, MemoryLease
from catchment.maintenance import Horizons, Policy, Report, maintain_table
from catchment.maintenance import maintain as maintaining
from catchment.sinks.deletion_vectors import VectorFile
from catchment.sinks.delta_actions import Add
from catchment.sinks.delta_commit import table_actions
from catchment.sinks.delta_log import read_entry
from catchment.sinks.delta_protocol import with_features
from catchment.sinks.delta_snapshot import load
from catchment.sinks.delta_table import DeltaLog
from catchment.sinks.delta_write import write_part
from catchment.sinks.merge_on_read import MaskingPolicy
from catchment.storage import open_store
from tests.core.apply import applying as a

OPEN = partial(open_duck_engine, masking=MaskingPolicy(rows=10, share=0.9))
POLICY = Policy(target_bytes=4000, unit_bytes=100_000, small_files=2)
"""Files of the tests have about 1000 bytes and some more a row: below 1000 bytes none is small."""


def apply(root: Path) -> Account:
    agreed = replace(a.contract(), deletion_vectors=True)
    return a.run(root, agreed, apply=partial(apply_table, open_engine=OPEN))


def maintain(root: Path, *, days: float = 0, vectors: bool = True, lease: Lease | None = None, **more: Any) -> Report:
    """Maintain the table as if ``days`` had passed."""
    given: dict[str, Any] = {"policy": POLICY, **more}
    return maintain_table(
        contract=replace(a.contract(), deletion_vectors=vectors),
        lake=open_store(root / "lake"),
        lease=lease or MemoryLease(),
        budget=Budget(),
        now=lambda: datetime.now(UTC) + timedelta(days=days),
        **given,
    )


def load_rows(root: Path, *keys: int) -> None:
    a.land(root, "LOAD00000001.parquet", *(a.load(key, v=f"value {key:06d}") for key in keys))
    apply(root)


def delete(root: Path, file: int, *keys: int) -> None:
    a.land(root, f"20240809-1000000{file:02d}.parquet", *(a.delete(file * 100 + i, key) for i, key in enumerate(keys)))
    apply(root)


def adds(root: Path) -> list[Add]:
    loaded = load(open_store(root / "lake"), "s/t")
    assert loaded is not None
    return list(loaded.snapshot.adds.values())


def keys(root: Path) -> list[int]:
    found = QueryBuilder().register("t", a.table(root)).execute("SELECT id FROM t ORDER BY id").read_all()
    return list(pa.table(found).column("id").to_pylist())


def kinds(report: Report) -> list[str]:
    return [step.kind for step in report.steps]


def files(root: Path, pattern: str) -> set[str]:
    return {path.name for path in (root / "lake/s/t").rglob(pattern)}


def age(root: Path, days: float) -> None:
    """Let every file of the table have been written so many days ago."""
    moment = (datetime.now(UTC) - timedelta(days=days)).timestamp()
    for path in (root / "lake/s/t").rglob("*"):
        os.utime(path, (moment, moment))


def test_a_table_in_good_order_is_left_alone(tmp_path: Path) -> None:
    load_rows(tmp_path, *range(100))
    report = maintain(tmp_path)
    assert (report.steps, report.done, report.poked, report.version) == ([], True, False, 0)


def test_a_table_that_is_not_there_is_no_mistake(tmp_path: Path) -> None:
    assert maintain(tmp_path).version is None


def test_masked_rows_are_purged_where_they_are_many(tmp_path: Path) -> None:
    load_rows(tmp_path, *range(100))
    delete(tmp_path, 1, 3)
    assert maintain(tmp_path).steps == []
    delete(tmp_path, 2, *range(10, 20))
    report = maintain(tmp_path)
    assert kinds(report) == ["purge"]
    assert [(add.records, add.deletion_vector) for add in adds(tmp_path)] == [(89, None)]
    assert keys(tmp_path) == [key for key in range(100) if key != 3 and not 10 <= key < 20]


def test_every_vector_goes_where_the_table_no_longer_asks_for_any(tmp_path: Path) -> None:
    load_rows(tmp_path, *range(100))
    delete(tmp_path, 1, 3)
    assert kinds(maintain(tmp_path, vectors=False)) == ["purge"]
    assert all(add.deletion_vector is None for add in adds(tmp_path))


def lay(root: Path, layout: Sequence[Sequence[int]], masked: Sequence[Sequence[int]] = ()) -> None:
    """A table whose files hold these keys, less those at the ``masked`` positions of each."""
    store, scratch = open_store(root / "lake"), root / "scratch"
    scratch.mkdir(exist_ok=True)
    columns = {"id": DeltaType("integer"), "v": DeltaType("string"), "_catchment_seq": DeltaType("string")}
    vectors, made = VectorFile(), []
    with duckdb.connect() as con:
        for number, each in enumerate(layout):
            values = ", ".join(f"({key}, 'value {key:06d} of {number}', '')" for key in each)
            rows = f"SELECT col0::INT AS id, col1 AS v, col2 AS _catchment_seq FROM (VALUES {values})"
            add = write_part(con, store, "s/t", scratch, rows, columns, {})
            assert add is not None
            if positions := [place for place in (masked[number] if masked else ()) if place < len(each)]:
                add = replace(add, deletion_vector=vectors.add(BitMap64(positions)))
            made.append(add)
    vectors.save(store, "s/t")
    log = DeltaLog(store, "s/t", "s.t")
    log.refresh()
    record = {"format": 1, "watermark": 0, "account": {}, "files": []}
    head = table_actions(None, columns, ())
    head[0] = with_features(head[0], {"deletionVectors"})  # type: ignore[arg-type]
    log.commit([*head, *made], operation="WRITE", parameters={}, metrics={}, record=record)


def ranges(root: Path) -> list[tuple[int, int]]:
    return sorted((add.statistics["minValues"]["id"], add.statistics["maxValues"]["id"]) for add in adds(root))


def test_small_neighbours_are_merged_in_key_order(tmp_path: Path) -> None:
    lay(tmp_path, [[7, 8], [1, 2], [5, 6], [3, 4]])
    policy = replace(POLICY, target_bytes=40_000)
    report = maintain(tmp_path, policy=policy)
    assert [(step.kind, step.files, step.into, step.rows) for step in report.steps] == [("merge", 4, 1, 8)]
    assert ranges(tmp_path) == [(1, 8)]
    [add] = adds(tmp_path)
    assert pq.read_table(tmp_path / "lake/s/t" / add.path).column("id").to_pylist() == list(range(1, 9))


def test_small_files_are_merged_into_the_large_ones_whose_keys_they_share(tmp_path: Path) -> None:
    large = [list(range(start, start + 200, 2)) for start in (0, 200, 400)]
    lay(tmp_path, [*large, list(range(101, 330, 8))])
    *sizes, small = sorted((add.size for add in adds(tmp_path)), reverse=True)
    policy = Policy(target_bytes=4 * (small + 1), unit_bytes=2 * sizes[0], layer_share=0.05)
    before = keys(tmp_path)
    report = maintain(tmp_path, policy=policy)
    assert set(kinds(report)) == {"merge"}
    found = ranges(tmp_path)
    assert all(high < low for (_, high), (low, _) in pairwise(found))
    assert keys(tmp_path) == before


def test_files_that_overlap_are_put_in_order(tmp_path: Path) -> None:
    lay(tmp_path, [list(range(0, 200, 2)), list(range(101, 300, 2)), list(range(300, 400))])
    assert kinds(maintain(tmp_path)) == ["sort"]
    found = ranges(tmp_path)
    assert all(high < low for (_, high), (low, _) in pairwise(found))


layouts = st.lists(st.lists(st.integers(0, 400), min_size=1, max_size=60, unique=True), min_size=1, max_size=6)
masks = st.lists(st.lists(st.integers(0, 59), max_size=30), min_size=6, max_size=6)
policies = st.builds(
    Policy,
    target_bytes=st.sampled_from([2_000, 6_000, 1_000_000]),
    unit_bytes=st.sampled_from([1, 3_000, 1_000_000]),
    small_files=st.integers(2, 4),
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(layout=layouts, masked=masks, policy=policies, vectors=st.booleans())
def test_maintenance_keeps_every_row_and_comes_to_an_end(
    layout: list[list[int]], masked: list[list[int]], policy: Policy, vectors: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        lay(root, layout, masked)
        before = rows(root)
        report = maintain(root, policy=policy, vectors=vectors)
        assert report.done
        assert rows(root) == before
        assert maintain(root, policy=policy, vectors=vectors).steps == []
        if not vectors:
            assert all(add.deletion_vector is None for add in adds(root))


def rows(root: Path) -> list[tuple[Any, ...]]:
    found = pa.table(QueryBuilder().register("t", a.table(root)).execute("SELECT id, v FROM t").read_all())
    return sorted((row["id"], row["v"]) for row in found.to_pylist())


def test_maintenance_changes_no_data_by_its_own_word_and_files_apply_afterwards(tmp_path: Path) -> None:
    load_rows(tmp_path, *range(100))
    delete(tmp_path, 1, *range(10, 20))
    maintain(tmp_path)
    entry = read_entry(open_store(tmp_path / "lake"), "s/t", 2)
    assert (entry.operation, entry.changes_data, entry.record) == ("OPTIMIZE", False, None)
    delete(tmp_path, 2, 50)
    a.land(tmp_path, "20240809-100000000.parquet", a.update(1, 60, v="late"))
    assert apply(tmp_path).late == 1
    assert len(keys(tmp_path)) == 89


def test_a_checkpoint_is_written_when_readers_have_much_to_read(tmp_path: Path) -> None:
    load_rows(tmp_path, *range(100))
    for number in range(3):
        delete(tmp_path, number, number)
    policy = replace(POLICY, commits=4)
    assert kinds(maintain(tmp_path, policy=policy)) == ["checkpoint"]
    assert maintain(tmp_path, policy=policy).steps == []
    assert files(tmp_path, "*.checkpoint.parquet") == {f"{3:020d}.checkpoint.parquet"}
    assert files(tmp_path, "ledger-*") == {f"ledger-{3:020d}.json.gz"}
    assert keys(tmp_path) == list(range(3, 100))


def checkpointed(root: Path) -> None:
    """Two checkpoints with a commit between them and one behind."""
    load_rows(root, *range(100))
    policy = replace(POLICY, commits=1, masked_share=1)
    for number in range(3):
        delete(root, number, number)
        maintain(root, policy=policy)
    delete(root, 3, 3)


def test_the_log_is_cleaned_up_to_the_newest_old_checkpoint(tmp_path: Path) -> None:
    checkpointed(tmp_path)
    assert maintain(tmp_path, policy=replace(POLICY, masked_share=1)).steps == []
    age(tmp_path, 31)
    (tmp_path / f"lake/s/t/_delta_log/{4:020d}.json").touch()
    report = maintain(tmp_path, policy=replace(POLICY, masked_share=1))
    assert kinds(report)[0] == "log"
    assert files(tmp_path, "0*.json") == {f"{3:020d}.json", f"{4:020d}.json"}
    assert keys(tmp_path) == list(range(4, 100))
    delete(tmp_path, 4, 4)  # a fresh process knows the ledger by its digest
    assert keys(tmp_path) == list(range(5, 100))


def test_the_log_stays_where_no_digest_covers_it(tmp_path: Path) -> None:
    checkpointed(tmp_path)
    age(tmp_path, 31)
    for digest in (tmp_path / "lake/s/t/_catchment").iterdir():
        digest.unlink()
    assert "log" not in kinds(maintain(tmp_path, policy=replace(POLICY, masked_share=1)))


def test_removed_files_and_a_killed_writers_go_behind_the_horizon(tmp_path: Path) -> None:
    load_rows(tmp_path, *range(100))
    [first] = files(tmp_path, "*.parquet")
    delete(tmp_path, 1, *range(10))
    [vector] = files(tmp_path, "*.bin")
    assert kinds(maintain(tmp_path)) == ["purge"]
    for name in ("part-killed.snappy.parquet", "deletion_vector_killed.bin"):
        (tmp_path / "lake/s/t" / name).write_bytes(b"x")
    (tmp_path / "lake/s/t/_catchment").mkdir(exist_ok=True)
    (tmp_path / "lake/s/t/_catchment/kept.parquet").write_bytes(b"x")
    assert maintain(tmp_path, days=6.9).steps == []
    report = maintain(tmp_path, days=7.1)
    assert [(step.kind, step.files) for step in report.steps] == [("files", 4)]
    gone = {first, vector, "part-killed.snappy.parquet", "deletion_vector_killed.bin"}
    assert not gone & (files(tmp_path, "*.parquet") | files(tmp_path, "*.bin"))
    assert (tmp_path / "lake/s/t/_catchment/kept.parquet").exists()
    assert keys(tmp_path) == list(range(10, 100))


def test_vectors_in_force_stay_however_old(tmp_path: Path) -> None:
    load_rows(tmp_path, *range(100))
    delete(tmp_path, 1, 3)
    age(tmp_path, 400)
    assert maintain(tmp_path).steps == []
    assert keys(tmp_path) == [key for key in range(100) if key != 3]


def test_a_longer_horizon_is_told_to_whoever_writes_checkpoints(tmp_path: Path) -> None:
    load_rows(tmp_path, *range(100))
    delete(tmp_path, 1, *range(10))
    maintain(tmp_path, horizons=Horizons(file_days=20))
    assert a.table(tmp_path).metadata().configuration["delta.deletedFileRetentionDuration"] == "interval 20 days"
    assert maintain(tmp_path, days=19.9, horizons=Horizons(file_days=20)).steps == []
    assert maintain(tmp_path, days=19.9).steps == [], "the table's own word counts as well"
    assert kinds(maintain(tmp_path, days=20.1)) == ["files"]


def test_a_dry_run_says_the_same_and_changes_nothing(tmp_path: Path) -> None:
    load_rows(tmp_path, *range(100))
    delete(tmp_path, 1, *range(10))
    before = files(tmp_path, "*")
    foreseen = maintain(tmp_path, dry_run=True)
    assert files(tmp_path, "*") == before
    assert [(step.kind, step.why) for step in foreseen.steps] == [
        (step.kind, step.why) for step in maintain(tmp_path).steps
    ]


def test_nothing_is_done_while_an_applier_holds_the_table(tmp_path: Path) -> None:
    load_rows(tmp_path, *range(100))
    lease = MemoryLease()
    held = lease.acquire("s.t")
    held.look()
    with pytest.raises(LeaseTaken):
        maintain(tmp_path, lease=lease)
    assert not held.release(), "the applier looks once more, which costs it nothing"


class Poked:
    """A lease that an applier asks for in vain during each step."""

    def __init__(self) -> None:
        self._lease = MemoryLease()

    def acquire(self, table: str, *, token: str | None = None) -> Any:
        held = self._lease.acquire(table, token=token)
        look = held.look

        def look_and_be_poked() -> None:
            look()
            with pytest.raises(LeaseTaken):
                self._lease.acquire(table)

        held.look = look_and_be_poked  # type: ignore[method-assign]
        return held


def test_an_applier_that_came_by_goes_first(tmp_path: Path) -> None:
    lay(tmp_path, [[1, 2], [3, 4]], [[0], [0]])
    report = maintain(tmp_path, lease=Poked(), vectors=False, policy=Policy(unit_bytes=1))
    assert (kinds(report), report.done, report.poked) == (["purge"], False, True)


def test_time_that_is_up_begins_no_step(tmp_path: Path) -> None:
    lay(tmp_path, [[1, 2], [3, 4]])
    report = maintain_table(
        contract=a.contract(),
        lake=open_store(tmp_path / "lake"),
        lease=MemoryLease(),
        budget=Budget(seconds=0),
        now=lambda: datetime.now(UTC),
        policy=POLICY,
    )
    assert (report.steps, report.done) == ([], False)


def test_a_table_with_foreign_changes_is_not_touched(tmp_path: Path) -> None:
    load_rows(tmp_path, *range(100))
    a.table(tmp_path).delete("id = 3")
    with pytest.raises(ForeignWriter):
        maintain(tmp_path)


def test_a_commit_of_somebody_else_in_between_is_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_rows(tmp_path, *range(100))
    delete(tmp_path, 1, *range(10))
    real = maintaining.rewrite

    def meanwhile(*given: Any) -> list[Add]:
        written = real(*given)
        a.table(tmp_path).optimize.compact()
        DeltaTable(tmp_path / "lake/s/t").alter.set_table_properties({"delta.checkpointInterval": "7"})
        return written

    monkeypatch.setattr(maintaining, "rewrite", meanwhile)
    report = maintain(tmp_path)
    assert not report.done
    assert "came first" in report.notes[0]
    assert keys(tmp_path) == list(range(10, 100))


def test_files_with_fewer_rows_than_the_log_says_are_never_removed(tmp_path: Path) -> None:
    lay(tmp_path, [[1, 2], [3, 4]])
    log = tmp_path / f"lake/s/t/_delta_log/{0:020d}.json"
    log.write_text(log.read_text().replace('\\"numRecords\\": 2', '\\"numRecords\\": 3'))
    with pytest.raises(LogBroken, match="4 rows, and the log says 6"):
        maintain(tmp_path, policy=replace(POLICY, target_bytes=40_000))


@pytest.mark.parametrize(("files", "log"), [(0, 30), (31, 30)])
def test_horizons_that_could_lose_something_are_refused(files: int, log: int) -> None:
    with pytest.raises(ValueError, match="log_days"):
        Horizons(files, log)
