"""Two appliers at once, somebody else's commits, and a log without its beginning.

Scope: the atomic commit of data and ledger. Death and faults at every call are tests/conformance.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, Field, write_deltalake
from deltalake.schema import PrimitiveType

from catchment.errors import ForeignWriter, LeaseTaken, LedgerLost, StorageUnavailable
from catchment.leases import MemoryLease
from tests.core.apply import applying as a


def test_two_appliers_at_once_apply_everything_once(tmp_path: Path) -> None:
    a.land(tmp_path, "LOAD00000001.parquet", *(a.load(i, v="load") for i in range(50)))
    for k in range(6):
        a.land(tmp_path, f"20240809-10000{k}000.parquet", *(a.update(k + 1, i, v=str(k)) for i in range(k, 50, 3)))
    accounts, errors = [], []

    def work() -> None:
        try:  # without a common lease only the commits' own protection is left
            accounts.append(a.run(tmp_path, budget=a.Budget(commit_files=1), lease=MemoryLease()))
        except StorageUnavailable as taken:
            errors.append(taken)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    left = a.run(tmp_path)
    read = sum(account.counts.read for account in [*accounts, left])
    if not errors:
        assert read == 50 + sum(len(range(k, 50, 3)) for k in range(6))
    assert a.rows(tmp_path) == sorted(((i, _last(i)) for i in range(50)), key=repr)


def _last(key: int) -> str:
    return next((str(k) for k in reversed(range(6)) if key >= k and (key - k) % 3 == 0), "load")


def test_a_poked_holder_looks_once_more(tmp_path: Path) -> None:
    lease = MemoryLease()
    held = lease.acquire("s.t")
    held.look()
    with pytest.raises(LeaseTaken):
        lease.acquire("s.t")
    assert held.release() is False
    held.look()
    assert held.release() is True
    assert a.run(tmp_path, lease=lease).version is None


def test_a_foreign_append_is_refused(tmp_path: Path) -> None:
    a.land(tmp_path, "LOAD00000001.parquet", a.load(1, v="a"))
    a.run(tmp_path)
    foreign = pa.table({"id": pa.array([7], pa.int32()), "v": ["f"], "_catchment_seq": [""]})
    write_deltalake(tmp_path / "lake/s/t", foreign, mode="append")
    with pytest.raises(ForeignWriter, match="version 1"):
        a.run(tmp_path)


def test_a_table_somebody_else_made_is_refused(tmp_path: Path) -> None:
    write_deltalake(tmp_path / "lake/s/t", pa.table({"id": [1], "v": ["x"]}))
    a.land(tmp_path, "LOAD00000001.parquet", a.load(1, v="a"))
    with pytest.raises(ForeignWriter):
        a.run(tmp_path)


def test_compaction_vacuum_and_checkpoints_are_welcome(tmp_path: Path) -> None:
    a.land(tmp_path, "LOAD00000001.parquet", *(a.load(i, v="a") for i in range(10)))
    a.run(tmp_path)
    for k in range(4):
        a.land(tmp_path, f"20240809-10000{k}000.parquet", a.insert(k + 1, 100 + k, v="i"), a.update(k + 20, k, v="u"))
        a.run(tmp_path)
        delta = a.table(tmp_path)
        delta.optimize.compact()
        delta.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
        delta.create_checkpoint()
    expected = [(i, "u" if i < 4 else "a") for i in range(10)] + [(100 + k, "i") for k in range(4)]
    assert a.rows(tmp_path) == sorted(expected, key=repr)
    assert a.run(tmp_path).commits == 0


def test_the_ledger_outlives_the_beginning_of_the_log(tmp_path: Path) -> None:
    a.land(tmp_path, "LOAD00000001.parquet", a.load(1, v="a"))
    a.run(tmp_path)
    for k in range(2):
        a.land(tmp_path, f"20240809-10000{k}000.parquet", a.update(k + 1, 1, v="b"))
        a.run(tmp_path)
    log = a.log(tmp_path)
    log.save_digest()
    log.save_checkpoint()
    for version in range(2):
        os.remove(tmp_path / f"lake/s/t/_delta_log/{version:020d}.json")
    assert a.run(tmp_path).commits == 0
    a.land(tmp_path, "20240809-110000000.parquet", a.update(9, 1, v="c"))
    assert a.run(tmp_path).counts.applied == 1
    assert a.rows(tmp_path) == [(1, "c")]


def test_a_digest_of_the_table_that_was_there_before_is_not_believed(tmp_path: Path) -> None:
    for k in range(3):
        a.land(tmp_path, f"20240809-10000{k}000.parquet", a.insert(k + 1, k, v="a"))
        a.run(tmp_path)
    a.log(tmp_path).save_digest()
    for path in (tmp_path / "lake/s/t").glob("*.parquet"):
        path.unlink()
    shutil.rmtree(tmp_path / "lake/s/t/_delta_log")
    for k in range(3, 6):
        a.run(tmp_path)
        a.land(tmp_path, f"20240809-10000{k}000.parquet", a.insert(k + 1, k, v="a"))
    assert a.run(tmp_path).counts.read == 1, "the others are in the table"
    assert a.rows(tmp_path) == [(k, "a") for k in range(6)]


def test_a_log_without_its_beginning_and_without_digest_is_said_to_be_lost(tmp_path: Path) -> None:
    a.land(tmp_path, "LOAD00000001.parquet", a.load(1, v="a"))
    a.run(tmp_path)
    a.land(tmp_path, "20240809-100000000.parquet", a.update(1, 1, v="b"))
    a.run(tmp_path)
    a.table(tmp_path).create_checkpoint()
    os.remove(tmp_path / "lake/s/t/_delta_log/00000000000000000000.json")
    with pytest.raises(LedgerLost):
        a.run(tmp_path)


def test_the_watermark_is_in_the_commit_of_the_data(tmp_path: Path) -> None:
    a.land(tmp_path, "LOAD00000001.parquet", a.load(1, v="a"))
    assert a.run(tmp_path).watermark == 0
    assert a.table(tmp_path).transaction_version("catchment") == 0
    a.land(tmp_path, "2024/08/09/20240809-192717787.parquet", a.update(9, 1, v="b"))
    a.run(tmp_path)
    a.land(tmp_path, "2024/08/09/20240809-101500000.parquet", a.update(5, 1, v="late"))
    a.run(tmp_path)
    delta = DeltaTable(tmp_path / "lake/s/t")
    assert delta.transaction_version("catchment") == 20240809192717787
    record = json.loads(delta.history(1)[0]["catchment"])
    assert record["account"]["read"] == 1
    assert [file["path"] for file in record["files"]] == ["s/t/2024/08/09/20240809-101500000.parquet"]


def test_a_writer_killed_between_new_column_and_data_leaves_an_exact_table(tmp_path: Path) -> None:
    a.land(tmp_path, "LOAD00000001.parquet", a.load(1, v="a"))
    a.run(tmp_path)
    a.table(tmp_path).alter.add_columns([Field("n", PrimitiveType("integer"))])
    assert a.run(tmp_path).commits == 0
    a.land(tmp_path, "20240809-100000000.parquet", a.update(1, 1, v="b", n=5), columns=("id", "v", "n"))
    assert a.run(tmp_path).counts.applied == 1
    assert a.rows(tmp_path, "id", "v", "n") == [(1, "b", 5)]
