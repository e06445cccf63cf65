"""Schema changes, tables without a key, bad rows, reloads and ugly names.

Scope: catchment.apply on real files; what the random histories do not reach.
"""

from __future__ import annotations

import json
import os
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from catchment.errors import ReloadSeen, SchemaConflict, SettingsError
from catchment.landing.contract import load_contracts
from tests.conformance.files import COMMIT, write_csv
from tests.conformance.model import File, Record, token
from tests.core.apply import applying as a


def raw(root: Path, path: str, **columns: pa.Array) -> None:
    """Write a Parquet file of any columns."""
    target = root / "landing/s/t" / path
    target.parent.mkdir(parents=True, exist_ok=True)
    length = len(next(iter(columns.values())))
    pq.write_table(pa.table({"dms_ts": pa.array([COMMIT] * length), **columns}), target)


def types(root: Path) -> dict[str, str]:
    return {field.name: str(field.type.type) for field in a.table(root).schema().fields}


def test_a_new_column_is_added_and_older_rows_have_none(tmp_path: Path) -> None:
    a.land(tmp_path, "LOAD00000001.parquet", a.load(1, v="a"), a.load(2, v="b"))
    a.run(tmp_path)
    a.land(tmp_path, "20240809-100000000.parquet", a.update(1, 1, v="c", n=5), columns=("id", "v", "n"))
    a.run(tmp_path)
    assert a.rows(tmp_path, "id", "v", "n") == [(1, "c", 5), (2, "b", None)]
    a.land(tmp_path, "20240809-110000000.parquet", a.update(2, 1, v="d"))
    a.run(tmp_path)
    assert a.rows(tmp_path, "id", "v", "n") == [(1, "d", 5), (2, "b", None)]


def test_new_columns_that_differ_in_case_only_are_one(tmp_path: Path) -> None:
    ones, ops = pa.array([1], pa.int32()), pa.array(["U"])
    raw(tmp_path, "LOAD00000001.parquet", Op=pa.array(["I"]), id=ones, dms_seq=pa.array([""]))
    a.run(tmp_path)
    raw(tmp_path, "20240809-100000000.parquet", Op=ops, ID=ones, New=pa.array(["x"]), dms_seq=pa.array([token(1)]))
    raw(tmp_path, "20240809-110000000.parquet", Op=ops, id=ones, NEW=pa.array(["y"]), dms_seq=pa.array([token(2)]))
    a.run(tmp_path)
    assert a.rows(tmp_path, "id", "New") == [(1, "y")]


def test_instants_and_wall_clocks_keep_their_types(tmp_path: Path) -> None:
    declared = a.contract(columns="{id: int, at: timestamp, wall: timestamp_ntz}")
    moments = pa.array([1704067200123456], pa.timestamp("us", "UTC"))
    raw(tmp_path, "LOAD00000001.parquet", Op=pa.array(["I"]), id=pa.array([1], pa.int32()), dms_seq=pa.array([""]))
    a.run(tmp_path)
    change = {"Op": pa.array(["U"]), "id": pa.array([1], pa.int32()), "dms_seq": pa.array([token(1)])}
    raw(tmp_path, "20240809-100000000.parquet", **change, at=moments, wall=moments)
    a.run(tmp_path, declared)
    raw(
        tmp_path, "20240809-110000000.parquet", **(change | {"dms_seq": pa.array([token(2)])}), at=moments, wall=moments
    )
    a.run(tmp_path, declared)
    assert types(tmp_path) == {"id": "integer", "_catchment_seq": "string", "at": "timestamp", "wall": "timestamp_ntz"}
    [(at, wall)] = a.rows(tmp_path, "at", "wall")
    assert (at.isoformat(), wall.isoformat()) == ("2024-01-01T00:00:00.123456+00:00", "2024-01-01T00:00:00.123456")


def test_a_dropped_column_keeps_its_values_even_through_a_key_change(tmp_path: Path) -> None:
    a.land(tmp_path, "LOAD00000001.parquet", a.load(1, v="a", n=7), columns=("id", "v", "n"))
    a.run(tmp_path)
    a.land(tmp_path, "20240809-100000000.parquet", a.update(1, 2, 1, v="b"))
    a.run(tmp_path)
    assert a.rows(tmp_path, "id", "v", "n") == [(2, "b", 7)]


def test_a_late_value_follows_its_row_over_a_key_change(tmp_path: Path) -> None:
    a.land(tmp_path, "LOAD00000001.parquet", a.load(1, v="a", n=7), columns=("id", "v", "n"))
    a.land(tmp_path, "20240809-100000000.parquet", a.update(9, 2, 1, v="b"))
    a.run(tmp_path)
    a.land(tmp_path, "20240809-110000000.parquet", a.update(5, 1, v="late", n=8), columns=("id", "v", "n"))
    a.run(tmp_path)
    assert a.rows(tmp_path, "id", "v", "n") == [(2, "b", 8)]


def test_a_late_key_change_carries_a_value_that_only_the_load_said(tmp_path: Path) -> None:
    a.land(tmp_path, "LOAD00000001.parquet", a.load(1, v="a", n=7), columns=("id", "v", "n"))
    a.land(tmp_path, "20240809-100000000.parquet", a.delete(9, 1), columns=("id", "v", "n"))
    a.run(tmp_path)
    a.land(tmp_path, "20240809-110000000.parquet", a.update(5, 2, 1, v="moved"))
    a.run(tmp_path)
    assert a.rows(tmp_path, "id", "v", "n") == [(2, "moved", 7)]


def test_a_key_change_sent_again_keeps_the_value_it_carried(tmp_path: Path) -> None:
    a.land(tmp_path, "LOAD00000001.parquet", a.load(1, v="a", n=7), columns=("id", "v", "n"))
    for name in ("20240809-100000000", "20240809-110000000"):
        a.land(tmp_path, f"{name}.parquet", a.update(9, 2, 1, v="b"))
        a.run(tmp_path)
        assert a.rows(tmp_path, "id", "v", "n") == [(2, "b", 7)]


def test_a_wider_type_widens_all_files_in_one_commit(tmp_path: Path) -> None:
    ints, texts = pa.array([1, 2], pa.int32()), pa.array(["", ""])
    raw(tmp_path, "LOAD00000001.parquet", Op=pa.array(["I", "I"]), id=ints, m=ints, dms_seq=texts)
    a.run(tmp_path)
    raw(
        tmp_path,
        "20240809-100000000.parquet",
        Op=pa.array(["I"]),
        id=pa.array([2**40], pa.int64()),
        m=pa.array([Decimal("1.25")], pa.decimal128(12, 2)),
        dms_seq=pa.array([token(1)]),
    )
    account = a.run(tmp_path)
    assert types(tmp_path) == {"id": "long", "m": "decimal(12,2)", "_catchment_seq": "string"}
    expected = [(1, Decimal("1.00")), (1 << 40, Decimal("1.25")), (2, Decimal("2.00"))]
    assert a.rows(tmp_path, "id", "m") == sorted(expected, key=repr)
    assert (account.commits, account.counts.inserted, account.counts.updated) == (1, 1, 0)
    assert json.loads(a.table(tmp_path).history(1)[0]["catchment"])["watermark"] == 20240809100000000


def test_a_wider_type_widens_files_that_the_batch_does_not_touch(tmp_path: Path) -> None:
    many = pa.array(range(10_001), pa.int32())  # too many to be written again for the sake of one more
    raw(tmp_path, "LOAD00000001.parquet", Op=["I"] * len(many), id=many, n=many, dms_seq=[""] * len(many))
    a.run(tmp_path)
    one = pa.array([len(many)], pa.int32())
    raw(tmp_path, "20240809-100000000.parquet", Op=["I"], id=one, n=pa.array([2**40]), dms_seq=[token(1)])
    a.run(tmp_path)
    assert {str(pq.read_schema(uri).field("n").type) for uri in a.table(tmp_path).file_uris()} == {"int64"}


def test_a_value_that_does_not_fit_is_quarantined_and_the_others_go_on(tmp_path: Path) -> None:
    a.land(tmp_path, "LOAD00000001.parquet", a.load(1, n=1), columns=("id", "n"))
    a.run(tmp_path)
    raw(
        tmp_path,
        "20240809-100000000.parquet",
        Op=pa.array(["I", "I", "?"]),
        id=pa.array([2, 3, 4], pa.int32()),
        n=pa.array(["12", "many", "1"]),
        dms_seq=pa.array([token(1), token(2), token(3)]),
    )
    account = a.run(tmp_path)
    assert (account.counts.read, account.counts.applied, account.counts.quarantined) == (3, 1, 2)
    assert a.rows(tmp_path, "id", "n") == [(1, 1), (2, 12)]
    lines = [json.loads(line) for line in (tmp_path / "quarantine" / account.quarantine[0]).read_text().splitlines()]
    assert [(line["row"], line["field"], line["table"]) for line in lines] == [(2, "n", "s.t"), (3, "Op", "s.t")]
    assert a.run(tmp_path).commits == 0


def test_a_declared_type_the_table_cannot_become_is_a_conflict(tmp_path: Path) -> None:
    a.land(tmp_path, "LOAD00000001.parquet", a.load(1, v="a"))
    a.run(tmp_path)
    a.land(tmp_path, "20240809-100000000.parquet", a.update(1, 1, v="b"))
    with pytest.raises(SchemaConflict, match="'v' is string"):
        a.run(tmp_path, a.contract(columns="{id: int, v: date}"))
    assert a.rows(tmp_path) == [(1, "a")]


def test_a_load_without_rows_makes_the_table(tmp_path: Path) -> None:
    a.land(tmp_path, "LOAD00000001.parquet")
    account = a.run(tmp_path)
    assert (account.rows, account.version) == (0, 0)
    assert a.rows(tmp_path) == []
    assert a.run(tmp_path).commits == 0


def test_a_declared_table_with_an_empty_folder_is_made(tmp_path: Path) -> None:
    declared = a.contract(columns="{id: int, v: string}")
    assert a.run(tmp_path, declared).version is None
    (tmp_path / "landing/s/t").mkdir(parents=True)
    assert a.run(tmp_path, declared).rows == 0
    assert types(tmp_path) == {"id": "integer", "v": "string", "_catchment_seq": "string"}


def test_unreadable_files_are_quarantined_whole_and_stop_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "landing/s/t"
    folder.mkdir(parents=True)
    (folder / "LOAD00000001.parquet").write_bytes(b"PAR1 cut off")
    account = a.run(tmp_path)
    assert (account.version, account.counts.quarantined) == (None, 1)
    a.land(tmp_path, "LOAD00000002.parquet", a.load(1, v="a"))
    account = a.run(tmp_path)
    assert (account.counts.read, account.counts.applied, account.counts.quarantined) == (2, 1, 1)
    assert a.run(tmp_path).commits == 0
    a.land(tmp_path, "LOAD00000001.parquet", a.load(2, v="b"))  # mended: no reload, its rows were never seen
    assert a.run(tmp_path).counts.applied == 1
    assert a.rows(tmp_path) == [(1, "a"), (2, "b")]


def test_a_load_file_written_again_is_a_reload_and_touches_nothing(tmp_path: Path) -> None:
    a.land(tmp_path, "LOAD00000001.parquet", a.load(1, v="a"))
    a.run(tmp_path)
    a.land(tmp_path, "LOAD00000001.parquet", a.load(1, v="b"), a.load(2, v="b"))
    with pytest.raises(ReloadSeen):
        a.run(tmp_path)
    assert a.rows(tmp_path) == [(1, "a")]


def test_a_copied_and_touched_landing_folder_is_not_new(tmp_path: Path) -> None:
    a.land(tmp_path, "LOAD00000001.parquet", a.load(1, v="a"))
    a.land(tmp_path, "20240809-100000000.parquet", a.update(1, 1, v="b"))
    a.run(tmp_path)
    shutil.move(tmp_path / "landing", tmp_path / "was")
    shutil.copytree(tmp_path / "was", tmp_path / "landing", copy_function=shutil.copyfile)
    os.utime(tmp_path / "landing/s/t/LOAD00000001.parquet")
    assert a.run(tmp_path).commits == 0


def test_a_redelivered_file_changes_no_file_of_the_table(tmp_path: Path) -> None:
    a.land(tmp_path, "LOAD00000001.parquet", a.load(1, v="a"), a.load(2, v="a"))
    file = a.land(tmp_path, "20240809-100000000.parquet", a.update(1, 1, v="b"), a.update(2, 3, 2, v="c"))
    a.run(tmp_path)
    before = sorted(a.table(tmp_path).file_uris())
    shutil.copy(tmp_path / "landing" / file.path, tmp_path / "landing/s/t/20240809-120000000.parquet")
    account = a.run(tmp_path)
    assert (account.counts.read, account.counts.stale, account.counts.applied, account.late) == (2, 2, 0, 1)
    assert sorted(a.table(tmp_path).file_uris()) == before


def test_a_late_load_does_not_bring_back_where_its_row_had_moved(tmp_path: Path) -> None:
    a.land(tmp_path, "20240809-100000000.parquet", a.update(1, 2, old=1, v="moved"), a.delete(2, 2))
    a.run(tmp_path)
    a.land(tmp_path, "LOAD00000001.parquet", a.load(1, v="old"))
    assert a.run(tmp_path).replayed == 1
    assert a.rows(tmp_path) == []


def test_late_files_whose_successors_have_expired_are_said_aloud(tmp_path: Path) -> None:
    a.land(tmp_path, "LOAD00000001.parquet", a.load(1, v="a"))
    gone = a.land(tmp_path, "20240809-110000000.parquet", a.delete(9, 1), a.insert(10, 2, v="x"))
    a.run(tmp_path)
    (tmp_path / "landing" / gone.path).unlink()
    a.land(tmp_path, "20240809-120000000.parquet", a.update(20, 2, v="y"))
    a.run(tmp_path)
    a.land(tmp_path, "20240809-100000000.parquet", a.update(5, 2, v="late"))
    account = a.run(tmp_path)
    assert "no longer in the landing zone" in account.notes[0]
    assert a.rows(tmp_path) == [(2, "y")]


def test_a_guarded_change_is_stale(tmp_path: Path) -> None:
    a.land(tmp_path, "LOAD00000001.parquet", a.load(1, v="a"))
    gone = a.land(tmp_path, "20240809-110000000.parquet", a.update(9, 1, v="newer"))
    a.run(tmp_path)
    (tmp_path / "landing" / gone.path).unlink()
    a.land(tmp_path, "20240809-100000000.parquet", a.update(5, 1, v="older"), a.delete(6, 1))
    account = a.run(tmp_path)
    assert (account.counts.superseded, account.counts.stale, account.counts.applied) == (1, 1, 0)
    assert a.rows(tmp_path) == [(1, "newer")]


def test_without_a_key_inserts_stay_exact_and_the_rest_is_said(tmp_path: Path) -> None:
    keyless = a.contract(key="[]")
    a.land(tmp_path, "LOAD00000001.parquet", a.load(1, v="a"), a.load(1, v="a"))
    file = a.land(tmp_path, "20240809-100000000.parquet", a.insert(1, 1, v="a"), a.insert(2, 5, v="b"))
    a.run(tmp_path, keyless)
    shutil.copy(tmp_path / "landing" / file.path, tmp_path / "landing/s/t/20240809-120000000.parquet")
    a.land(tmp_path, "20240809-130000000.parquet", a.insert(7, 6, v="c"), a.update(8, 1, v="z"), a.delete(9, 5))
    account = a.run(tmp_path, keyless)
    assert (account.counts.applied, account.counts.stale, account.counts.quarantined) == (1, 2, 2)
    assert a.rows(tmp_path) == [(1, "a"), (1, "a"), (1, "a"), (5, "b"), (6, "c")]
    found = (tmp_path / "quarantine" / account.quarantine[0]).read_text()
    assert "table without a key cannot be applied exactly" in found


def test_csv_is_read_where_columns_are_given(tmp_path: Path) -> None:
    declared = a.contract(columns="{id: int, v: string}", landing=a.LANDING.replace("{", "{format: csv, ", 1))
    records = [a.load(1, v='say "hi", twice'), a.load(2, v=""), a.load(3, v=None)]
    write_csv(tmp_path / "landing", File("s/t/LOAD00000001.csv", ("id", "v"), tuple(records)), a.KEY)
    change = File(
        "s/t/2024/08/09/20240809-100000000.csv.gz", ("id", "v"), (a.update(3, 4, 1, v="x\ny"), a.delete(4, 2))
    )
    write_csv(tmp_path / "landing", change, a.KEY, gzipped=True)
    account = a.run(tmp_path, declared)
    assert a.rows(tmp_path) == [(3, None), (4, "x\ny")]
    assert (account.counts.read, account.counts.quarantined, account.counts.key_changes) == (5, 0, 1)


@pytest.mark.parametrize("name", ["Mixed Case", "order", 'qu"ote', "st*r[a]", "naïve 100% x", "t'ick"])
def test_names_are_kept_as_spelt(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "landing" / name / name
    folder.mkdir(parents=True)
    columns: dict[str, Any] = {"Op": ["I", "I"], "dms_ts": [COMMIT] * 2, name: pa.array([1, 2], pa.int32())}
    pq.write_table(pa.table(columns | {"select": ["x", "y"]}), folder / "LOAD00000001.parquet")
    changed = {"Op": ["D", "U"], "dms_ts": [COMMIT] * 2, name: pa.array([1, 2], pa.int32()), "select": [None, "z"]}
    agreed = load_contracts(json.dumps({"tables": {f"{name}.{name}": {"key": [name]}}}))
    contract = next(iter(agreed.values()))
    a.run(tmp_path, contract)
    pq.write_table(pa.table(changed), folder / "20240809-100000000.parquet")
    account = a.run(tmp_path, contract)
    assert (account.counts.updated, account.counts.deleted) == (1, 1)
    found = a.DeltaTable(tmp_path / "lake" / name / name).to_pyarrow_table().to_pylist()
    assert [(row[name], row["select"]) for row in found] == [(2, "z")]


INNER = ("ord", "part", "kind", "file", "line", "filename", "copy", "token", "place", "row", "k0", "seq", "local", "v")


@pytest.mark.parametrize("key", [INNER[:4], INNER[4:7], ()])
def test_columns_may_be_called_what_the_engine_calls_its_own(tmp_path: Path, key: tuple[str, ...]) -> None:
    contract = a.contract(key=json.dumps(list(key)))

    def file(path: str, op: str, value: str, number: int, old: int | None) -> None:
        columns = {name: pa.array([7], pa.int32()) for name in INNER if name != "v"} | {"v": pa.array([value])}
        olds = {f"BI_{name}": pa.array([old], pa.int32()) for name in key}
        raw(tmp_path, path, Op=pa.array([op]), dms_seq=pa.array([(number and token(number)) or ""]), **columns, **olds)

    file("LOAD00000001.parquet", "I", "load", 0, None)
    a.run(tmp_path, contract)
    file("20240809-110000000.parquet", "U" if key else "I", "new", 9, 8 if key else None)
    a.run(tmp_path, contract)
    file("20240809-100000000.parquet", "I", "late", 5, None)
    account = a.run(tmp_path, contract)
    assert (account.late, account.counts.quarantined) == (1, 0)
    expected = [("new", 7)] if key else [("late", 7), ("load", 7), ("new", 7)]
    assert a.rows(tmp_path, "v", "filename") == expected


def test_a_key_the_table_does_not_have_is_a_conflict_and_costs_no_file(tmp_path: Path) -> None:
    a.land(tmp_path, "LOAD00000001.parquet", a.load(1, v="a"))
    a.run(tmp_path)
    a.land(tmp_path, "20240809-100000000.parquet", a.update(1, 1, v="b"))
    with pytest.raises(SchemaConflict, match="was built with the key id"):
        a.run(tmp_path, a.contract(key="[ident]"))
    assert a.run(tmp_path).counts.applied == 1


def test_a_path_deltalake_would_misread_is_refused(tmp_path: Path) -> None:
    a.land(tmp_path / "a%20b", "LOAD00000001.parquet", a.load(1, v="a"))
    with pytest.raises(SettingsError, match="percent"):
        a.run(tmp_path / "a%20b")


def test_exact_keys_of_every_kind(tmp_path: Path) -> None:
    def file(path: str, op: str, value: str, at: str) -> None:
        raw(
            tmp_path,
            path,
            Op=pa.array([op] * 4),
            a=pa.array([float("nan"), 1.5, float("inf"), 2.5]),
            b=pa.array([b"\x00", b"\x00\x01", b"", b"\xff"]),
            c=pa.array([Decimal("1.00"), Decimal("-1.00"), Decimal("0.10"), Decimal("99.99")], pa.decimal128(4, 2)),
            d=pa.array([1, 1704067200123456, -62135596800000000, 253402300799999999], pa.timestamp("us", "UTC")),
            v=pa.array([value] * 4),
            dms_seq=pa.array([at and token(i + int(at)) for i in range(4)]),
        )

    contract = a.contract(key="[a, b, c, d]")
    file("LOAD00000001.parquet", "I", "load", "")
    file("20240809-100000000.parquet", "U", "new", "1")
    a.run(tmp_path, contract, budget=a.Budget(commit_files=1))
    assert [v for (v,) in a.rows(tmp_path, "v")] == ["new"] * 4
    file("20240809-110000000.parquet", "D", "", "10")
    assert a.run(tmp_path, contract).counts.deleted == 4


def test_a_swap_of_two_keys_through_a_third(tmp_path: Path) -> None:
    a.land(tmp_path, "LOAD00000001.parquet", a.load(1, v="one"), a.load(2, v="two"))
    swap: list[Record] = [a.update(1, -1, 1, v="one"), a.update(2, 1, 2, v="two"), a.update(3, 2, -1, v="one")]
    a.land(tmp_path, "20240809-100000000.parquet", *swap)
    account = a.run(tmp_path)
    assert a.rows(tmp_path) == [(1, "two"), (2, "one")]
    assert account.counts.key_changes == 3
