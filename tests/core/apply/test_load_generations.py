"""Reloads: a new load takes the old one's place as a difference, in one commit, while changes go on.

Scope: generations through the whole applier, real files and tables; the source and what is said of loads are simulated.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from catchment.apply import Account, Budget, apply_table
from catchment.apply.loads import LoadState, UnwatchedLoads
from catchment.errors import LoadIncomplete, ReloadSeen, SchemaConflict, UnreadableFile
from catchment.landing.contract import load_contracts
from catchment.landing.names import TableName
from catchment.leases import MemoryLease
from catchment.reload.request import ReloadRequest, floor_after, floor_before, floor_token, write_request
from catchment.storage import open_store
from tests.conformance import reloads as g
from tests.conformance.calls import Calls
from tests.conformance.files import write_parquet
from tests.conformance.model import File, Record

TYPES = {"k": pa.string(), "v": pa.int64(), "w": pa.string()}
COLUMNS = ("k", "v", "w")
TABLE = TableName("s", "t")


def contract(key: str = "[k]", extra: str = "") -> Any:
    text = f"""
landing: {{timestamp_column: dms_ts, sequence_column: dms_seq, before_image_prefix: BI_}}
tables: {{s.t: {{key: {key}{extra}}}}}
"""
    return next(iter(load_contracts(text).values()))


def run(root: Path, loads: Any = None, agreed: Any = None, budget: Budget | None = None) -> Account:
    return apply_table(
        contract=agreed or contract(),
        landing=open_store(str(root / "landing")),
        lake=open_store(str(root / "lake")),
        quarantine=open_store(str(root / "quarantine")),
        lease=MemoryLease(),
        budget=budget or Budget(),
        now=lambda: datetime.now(UTC),
        loads=loads or UnwatchedLoads(),
    )


def land(root: Path, at: datetime, *files: File) -> None:
    for file in files:
        write_parquet(root / "landing", file, ("k",), TYPES)
        os.utime(root / "landing" / file.path, (at.timestamp(), at.timestamp()))


def interrupted(root: Path, calls: Calls) -> Account:
    """One call of the applier, watched."""
    stores = {name: calls.store(name, open_store(str(root / name))) for name in ("landing", "lake", "quarantine")}
    return apply_table(
        contract=contract(),
        lease=calls.lease(MemoryLease()),
        budget=Budget(threads=1),
        now=lambda: datetime.now(UTC),
        **stores,
    )


def ask(root: Path, floor: str, at: datetime, *, complete: bool = False) -> None:
    request = ReloadRequest(at.isoformat(), floor, "a test", complete)
    write_request(open_store(str(root / "lake")), TABLE, request)


def rows(root: Path) -> dict[Any, Any]:
    found = DeltaTable(root / "lake/s/t").to_pyarrow_table().to_pylist()
    keyed = {(row["k"],): {name: row[name] for name in COLUMNS} for row in found}
    assert len(keyed) == len(found), "one key, two rows"
    return keyed


def load(number: int, **keyed: int) -> File:
    records = tuple(Record("I", "", (key,), {"v": v}) for key, v in keyed.items())
    return File(f"s/t/LOAD{number:08X}.parquet", COLUMNS, records)


def changes(number: int, *records: Record) -> File:
    return File(f"s/t/20240809-{200000000 + number}.parquet", COLUMNS, records)


def token(number: int) -> str:
    return floor_token(g.moment(number))[:16] + f"{number:019d}"


def update(number: int, key: str, v: int) -> Record:
    return Record("U", token(number), (key,), {"v": v})


def test_a_truncated_table_is_healed_as_a_difference_in_one_commit(tmp_path: Path) -> None:
    land(tmp_path, g.moment(0), load(1, a=1, b=2, c=3), load(2, d=4))
    run(tmp_path)
    land(tmp_path, g.moment(1), changes(1, update(1, "a", 10)))
    version = run(tmp_path).version
    ask(tmp_path, g.floor(3), g.moment(2))
    land(tmp_path, g.moment(4), changes(2, update(4, "b", 20)))
    waiting = run(tmp_path)
    assert (waiting.generation, waiting.counts.applied) == (0, 1)
    assert "requested" in waiting.waiting
    assert rows(tmp_path)["b",]["v"] == 20
    land(tmp_path, g.moment(5), load(1, a=10, b=2, e=5))
    account = run(tmp_path)
    assert account.generation == 1
    assert account.version == version + 2
    assert account.waiting == ""
    found = account.counts
    assert (found.inserted, found.updated, found.deleted, found.unchanged) == (1, 0, 2, 1 + 1)
    assert (found.read, found.applied, found.superseded) == (3, 2, 1)
    assert {key: row["v"] for (key,), row in rows(tmp_path).items()} == {"a": 10, "b": 20, "e": 5}


def test_rows_that_stay_as_they_are_keep_their_file(tmp_path: Path) -> None:
    land(tmp_path, g.moment(0), load(1, a=1, b=2))
    run(tmp_path)
    before = DeltaTable(tmp_path / "lake/s/t").file_uris()
    ask(tmp_path, g.floor(2), g.moment(1))
    land(tmp_path, g.moment(3), File(load(2).path, COLUMNS, load(1, b=2).records), load(1, a=1))
    account = run(tmp_path)
    assert (account.generation, account.counts.unchanged, account.counts.updated) == (1, 2, 0)
    assert DeltaTable(tmp_path / "lake/s/t").file_uris() == before


def test_changes_below_the_floor_are_stale_even_for_keys_that_are_gone(tmp_path: Path) -> None:
    land(tmp_path, g.moment(0), load(1, a=1, b=2))
    run(tmp_path)
    ask(tmp_path, g.floor(3), g.moment(2))
    land(tmp_path, g.moment(3), load(1, a=1))
    run(tmp_path)
    land(tmp_path, g.moment(4), changes(1, update(2, "b", 9), update(4, "a", 7)))
    account = run(tmp_path)
    assert (account.counts.read, account.counts.applied, account.counts.stale) == (2, 1, 1)
    assert {key: row["v"] for (key,), row in rows(tmp_path).items()} == {"a": 7}


def test_a_load_in_several_files_is_one_commit_whatever_the_budget(tmp_path: Path) -> None:
    land(tmp_path, g.moment(0), load(1, a=1), load(2, b=2), load(3, c=3))
    land(tmp_path, g.moment(0), changes(1, update(1, "a", 5)), changes(2, update(2, "a", 6)))
    assert run(tmp_path, budget=Budget(commit_bytes=1, commit_files=1)).commits == 3
    record = DeltaTable(tmp_path / "lake/s/t").history()[-1]
    assert '"read":3' in record["catchment"]


def test_a_first_load_under_way_is_not_seen_at_all(tmp_path: Path) -> None:
    loads = g.Loads()
    loads.now = LoadState(False, g.moment(0), 1)
    land(tmp_path, g.moment(1), load(1, a=1))
    account = run(tmp_path, loads, contract(extra=", columns: {k: string, v: long, w: string}"))
    assert (account.version, account.waiting) == (None, "loading, 1 rows")
    loads.now = LoadState(True, g.moment(0), 2)
    with pytest.raises(LoadIncomplete, match="wrote 2 rows, its files have 1"):
        run(tmp_path, loads)
    land(tmp_path, g.moment(1), load(2, b=2))
    assert run(tmp_path, loads).rows == 2


def test_load_files_left_over_from_an_older_load_are_left_out(tmp_path: Path) -> None:
    loads = g.Loads()
    land(tmp_path, g.moment(0), load(1, a=1), load(2, b=2), load(3, c=3))
    loads.now = LoadState(True, g.moment(0), 3)
    run(tmp_path, loads)
    ask(tmp_path, g.floor(5), g.moment(4))
    land(tmp_path, g.moment(6), load(1, a=2))
    loads.now = LoadState(True, g.moment(5), 1)
    assert run(tmp_path, loads).counts.deleted == 2
    assert list(rows(tmp_path)) == [("a",)]
    assert run(tmp_path, loads).commits == 0


def test_a_load_that_begins_again_before_the_commit_is_waited_for(tmp_path: Path) -> None:
    class Restarting(g.Loads):
        asked = 0

        def state(self, table: TableName) -> LoadState | None:
            self.asked += 1
            return LoadState(self.asked == 1, g.moment(1 if self.asked == 1 else 2), 1)

    land(tmp_path, g.moment(1), load(1, a=1))
    account = run(tmp_path, Restarting())
    assert (account.commits, account.version, account.waiting) == (0, None, "loading, 1 rows")


def test_an_emptied_table_has_no_load_file_and_becomes_empty(tmp_path: Path) -> None:
    loads = g.Loads()
    land(tmp_path, g.moment(0), load(1, a=1))
    loads.now = LoadState(True, g.moment(0), 1)
    run(tmp_path, loads)
    ask(tmp_path, g.floor(5), g.moment(4))
    loads.now = LoadState(True, g.moment(5), 0)
    account = run(tmp_path, loads)
    assert (account.generation, account.rows, account.counts.deleted) == (1, 0, 1)


def test_an_unasked_reload_is_swapped_in_where_its_beginning_is_known(tmp_path: Path) -> None:
    land(tmp_path, g.moment(0), load(1, a=1, b=1))
    run(tmp_path)
    land(tmp_path, g.moment(6), load(1, a=2))
    with pytest.raises(ReloadSeen, match="catchment reload"):
        run(tmp_path)
    loads = g.Loads()
    loads.now = LoadState(True, g.moment(5), 1)
    account = run(tmp_path, loads)
    assert (account.generation, account.counts.deleted, account.counts.updated) == (1, 1, 1)


def test_a_load_that_happened_before_is_swapped_in_on_request(tmp_path: Path) -> None:
    land(tmp_path, g.moment(0), load(1, a=1, b=1))
    run(tmp_path)
    land(tmp_path, g.moment(6), load(1, a=2))
    ask(tmp_path, floor_before(g.moment(5), timedelta(0)), g.moment(9), complete=True)
    assert run(tmp_path).counts.deleted == 1
    assert run(tmp_path).commits == 0


def test_an_unreadable_load_file_is_no_reason_to_delete_rows(tmp_path: Path) -> None:
    land(tmp_path, g.moment(0), load(1, a=1, b=1))
    run(tmp_path)
    ask(tmp_path, g.floor(2), g.moment(1))
    (tmp_path / "landing/s/t/LOAD00000001.parquet").write_bytes(b"PAR1 cut")
    with pytest.raises(UnreadableFile, match="stays as it is"):
        run(tmp_path)
    assert len(rows(tmp_path)) == 2


def test_another_key_asks_for_a_reload_and_is_built_by_it(tmp_path: Path) -> None:
    land(tmp_path, g.moment(0), load(1, a=1, b=1))
    run(tmp_path)
    land(tmp_path, g.moment(1), changes(1, update(1, "a", 5)))
    other = contract("[k, v]")
    with pytest.raises(SchemaConflict, match="was built with the key k; `catchment reload`"):
        run(tmp_path, agreed=other)
    ask(tmp_path, g.floor(3), g.moment(2))
    assert run(tmp_path, agreed=other).commits == 0
    again = File(load(1).path, COLUMNS, tuple(Record("I", "", key, {}) for key in (("a", 5), ("b", 1))))
    write_parquet(tmp_path / "landing", again, ("k", "v"), TYPES)
    account = run(tmp_path, agreed=other)
    assert (account.generation, account.rows, account.counts.deleted, account.counts.inserted) == (1, 2, 2, 2)


def test_a_reload_builds_a_table_anew_in_other_partitions_and_swaps_within_them(tmp_path: Path) -> None:
    land(tmp_path, g.moment(0), load(1, a=1, b=1, c=2))
    run(tmp_path)
    parted = contract(extra=", partition_by: [v]")
    ask(tmp_path, g.floor(2), g.moment(1))
    land(tmp_path, g.moment(3), load(1, a=1, b=2, d=3))
    account = run(tmp_path, agreed=parted)
    assert (account.generation, account.rows, account.counts.deleted) == (1, 3, 3)
    assert DeltaTable(tmp_path / "lake/s/t").metadata().partition_columns == ["v"]
    ask(tmp_path, g.floor(5), g.moment(4))
    land(tmp_path, g.moment(6), load(1, a=1, b=3, e=3))
    account = run(tmp_path, agreed=parted)
    counts = account.counts
    assert (account.generation, account.rows) == (2, 3)
    assert (counts.inserted, counts.updated, counts.deleted, counts.unchanged) == (1, 1, 1, 1)
    found = DeltaTable(tmp_path / "lake/s/t").to_pyarrow_table().to_pylist()
    assert sorted((row["k"], row["v"]) for row in found) == [("a", 1), ("b", 3), ("e", 3)]


def test_a_swap_that_breaks_off_at_any_call_leaves_the_old_load_or_the_new_one(tmp_path: Path) -> None:
    start = tmp_path / "start"
    land(start, g.moment(0), load(1, a=1, b=2, c=3))
    run(start)
    ask(start, g.floor(2), g.moment(1))
    land(start, g.moment(3), changes(1, update(3, "b", 20)))
    run(start)
    before = rows(start)
    land(start, g.moment(4), load(1, a=1, b=2, d=4))

    def copied(name: str) -> Path:
        shutil.copytree(start, tmp_path / name)
        return tmp_path / name

    counted = Calls()
    interrupted(copied("counted"), counted)
    after = rows(tmp_path / "counted")
    assert {key: row["v"] for (key,), row in after.items()} == {"a": 1, "b": 20, "d": 4}
    for at, late in counted.points(each=False):

        def fail() -> None:
            raise OSError(errno.EIO, "Input/output error")

        root = copied(f"{at}-{late}")
        with contextlib.suppress(OSError):
            interrupted(root, Calls(fail, at=at, after=late))
        assert rows(root) in (before, after)
        run(root)
        assert rows(root) == after
        assert len(DeltaTable(root / "lake/s/t").history()) == 3


def test_a_table_without_a_key_is_replaced_whole(tmp_path: Path) -> None:
    agreed = contract("[]")
    land(tmp_path, g.moment(0), load(1, a=1, b=1))
    land(tmp_path, g.moment(1), changes(1, Record("I", token(1), ("c",), {"v": 3})))
    run(tmp_path, agreed=agreed)
    ask(tmp_path, g.floor(3), g.moment(2))
    land(tmp_path, g.moment(4), changes(2, Record("I", token(4), ("d",), {"v": 4})))
    run(tmp_path, agreed=agreed)
    land(tmp_path, g.moment(5), load(1, a=1, c=3))
    account = run(tmp_path, agreed=agreed)
    assert (account.counts.read, account.counts.applied, account.counts.deleted, account.rows) == (2, 2, 4, 3)
    assert sorted(key for (key,) in rows(tmp_path)) == ["a", "c", "d"]


def test_a_floor_lies_behind_the_request_on_a_whole_second() -> None:
    now = datetime(2024, 8, 9, 10, 0, 0, 400_000, tzinfo=UTC)
    assert floor_after(now, timedelta(seconds=1)) == "20240809100002" + "0" * 21
    assert floor_before(now, timedelta(seconds=1)) == "20240809095959" + "0" * 21
