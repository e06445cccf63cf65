"""Tables partitioned by a column: where rows lie, what names a partition, and what cannot.

Scope: catchment.apply on real files and Delta tables; any history of such tables is the conformance suite's.
"""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import duckdb
import pytest
from deltalake import DeltaTable

from catchment.errors import SchemaConflict
from catchment.landing.contract import TableContract
from catchment.reconcile.lake import lake_table, read_lake
from catchment.sinks.partitions import folder
from tests.conformance.readers import READERS, canonical
from tests.core.apply import applying as a


def by(*columns: str, agreed: TableContract | None = None) -> TableContract:
    return replace(agreed or a.contract(), partition_by=columns)


def files(root: Path) -> dict[str, set[str | None]]:
    """The table's files by folder, with the values that the log gives them."""
    found: dict[str, set[str | None]] = {}
    for add in a.log(root).snapshot.adds.values():  # type: ignore[union-attr]
        found.setdefault(str(Path(add.path).parent), set()).update(add.partition_values.values())
    return found


AWKWARD = [
    "plain",
    "a/b",
    "50%",
    "%2F",
    "k=v",
    "a b",
    "'q'",
    '"q"',
    "[x]*?",
    "ü中",
    "..",
    "x" * 300,
    "new\nline",
    "null",
    None,
]


def test_any_text_names_a_partition_and_all_readers_see_it(tmp_path: Path) -> None:
    a.land(tmp_path, "LOAD00000001.parquet", *(a.load(i, v=value) for i, value in enumerate(AWKWARD)))
    account = a.run(tmp_path, by("v"))
    assert (account.counts.inserted, account.counts.quarantined) == (len(AWKWARD), 0)
    expected = sorted(((i, value) for i, value in enumerate(AWKWARD)), key=repr)
    assert a.rows(tmp_path) == expected
    con = duckdb.connect()
    read_lake(con, lake_table(tmp_path / "lake/s/t"), [("id", "INTEGER"), ("v", "VARCHAR")], "found")
    assert sorted(con.sql("FROM found").fetchall(), key=repr) == expected
    short = [value for value in AWKWARD if len(value or "") < 200]
    for add in a.log(tmp_path).snapshot.adds.values():  # type: ignore[union-attr]
        where = Path(add.path).parent.name
        assert (tmp_path / "lake/s/t" / add.path).is_file()
        if where != "v=__HIVE_DEFAULT_PARTITION__" and add.partition_values["v"] in short:
            assert unquote(where) == f"v={add.partition_values['v']}"


def test_an_update_takes_the_row_to_its_new_partition_and_leaves_the_others_alone(tmp_path: Path) -> None:
    loads = (a.load(i, v="ab"[i % 2], n=i) for i in range(10))
    a.land(tmp_path, "LOAD00000001.parquet", *loads, a.load(99, v="c", n=0), columns=("id", "v", "n"))
    a.run(tmp_path, by("v"))
    before = set(DeltaTable(tmp_path / "lake/s/t").file_uris())
    moves = (a.update(1, 2, v="b", n=2), a.update(2, 1, 50, v="new", n=1), a.update(3, 4, v=None, n=4))
    a.land(tmp_path, "20240809-100000000.parquet", *moves, columns=("id", "v", "n"))
    account = a.run(tmp_path, by("v"))
    assert account.counts.updated + account.counts.inserted == 3
    assert sorted(files(tmp_path)) == ["v=__HIVE_DEFAULT_PARTITION__", "v=a", "v=b", "v=c", "v=new"]
    assert all(len(values) == 1 for values in files(tmp_path).values())
    assert [path for path in before & set(DeltaTable(tmp_path / "lake/s/t").file_uris()) if "v=c" in path]
    for reader in READERS.values():
        found = dict(canonical(reader(tmp_path / "lake/s/t"), ("id", "v")))
        assert (found["number 2"], found["number 1"], found["number 4"]) == ("str 'b'", "str 'new'", None)


def test_a_key_that_begins_with_the_partition_looks_into_its_own_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agreed = by("v", agreed=a.contract("[v, id]", "{timestamp_column: dms_ts, sequence_column: dms_seq}"))
    a.land(
        tmp_path,
        "LOAD00000001.parquet",
        *(a.load(i, v=v, n=0) for v in "abc" for i in range(5)),
        columns=("id", "v", "n"),
    )
    a.run(tmp_path, agreed)
    a.land(tmp_path, "20240809-100000000.parquet", a.update(1, 3, v="b", n=7), columns=("id", "v", "n"))
    read = a.fetched(monkeypatch)
    account = a.run(tmp_path, agreed)
    assert account.counts.updated == 1
    assert {Path(path).parent.name for path in read if path.endswith(".snappy.parquet")} == {"v=b"}
    assert (3, "b", 7) in a.rows(tmp_path, "id", "v", "n")


def test_a_partition_stays_in_key_order_in_files_of_its_own(tmp_path: Path) -> None:
    keys = list(range(300))
    random.Random(0).shuffle(keys)
    for number in range(6):
        some = keys[number * 50 : number * 50 + 50]
        a.land(tmp_path, f"20240809-10000000{number}.parquet", *(a.insert(k, k, v="ab"[k % 2]) for k in some))
        a.run(tmp_path, by("v"))
    assert sorted(files(tmp_path)) == ["v=a", "v=b"]
    assert len(a.rows(tmp_path)) == 300
    assert len(DeltaTable(tmp_path / "lake/s/t").file_uris()) == 2, "small files do not pile up"


def test_an_empty_text_is_quarantined_since_readers_take_it_for_null(tmp_path: Path) -> None:
    a.land(tmp_path, "LOAD00000001.parquet", a.load(1, v=""), a.load(2, v="a"))
    account = a.run(tmp_path, by("v"))
    assert (account.counts.quarantined, account.counts.inserted) == (1, 1)
    [said] = (tmp_path / "quarantine").rglob("*.jsonl")
    assert "an empty text" in said.read_text()
    assert a.rows(tmp_path) == [(2, "a")]


@pytest.mark.parametrize(("column", "kind"), [("x", "double"), ("none", "no column")])
def test_a_column_that_cannot_name_partitions_is_refused_by_name(tmp_path: Path, column: str, kind: str) -> None:
    a.TYPES.setdefault("x", a.pa.float64())
    a.land(tmp_path, "LOAD00000001.parquet", a.load(1, x=1.5), columns=("id", "x"))
    with pytest.raises(SchemaConflict, match=f"(?s){column}.*{kind}"):
        a.run(tmp_path, by(column))
    assert not (tmp_path / "lake/s/t").exists()


def test_a_wider_type_keeps_partitions_together(tmp_path: Path) -> None:
    a.land(tmp_path, "LOAD00000001.parquet", a.load(1, n=5), a.load(2, n=None), columns=("id", "n"))
    a.run(tmp_path, by("n"))
    a.TYPES["n"] = a.pa.int64()
    try:
        a.land(
            tmp_path, "20240809-100000000.parquet", a.insert(1, 3, n=5), a.insert(2, 4, n=1 << 40), columns=("id", "n")
        )
    finally:
        a.TYPES["n"] = a.pa.int32()
    a.run(tmp_path, by("n"))
    assert a.rows(tmp_path, "id", "n") == [(1, 5), (2, None), (3, 5), (4, 1 << 40)]
    assert {str(field.type.type) for field in a.table(tmp_path).schema().fields if field.name == "n"} == {"long"}
    assert len(a.log(tmp_path).snapshot.adds) == 3  # type: ignore[union-attr]


def test_a_renamed_column_is_still_what_the_table_is_partitioned_by(tmp_path: Path) -> None:
    a.land(tmp_path, "LOAD00000001.parquet", a.load(1, v="a"), a.load(2, v=None))
    a.run(tmp_path, by("v"))
    a.land(tmp_path, "20240809-100000000.parquet", a.update(1, 1, w="c"), columns=("id", "w"))
    a.run(tmp_path, replace(by("w"), renamed={"v": "w"}))
    assert a.rows(tmp_path, "id", "w") == [(1, "c"), (2, None)]
    assert a.table(tmp_path).metadata().partition_columns == ["w"]


def test_other_partitions_than_the_table_has_are_refused_until_it_is_reloaded(tmp_path: Path) -> None:
    a.land(tmp_path, "LOAD00000001.parquet", a.load(1, v="a"))
    a.run(tmp_path)
    a.land(tmp_path, "20240809-100000000.parquet", a.insert(1, 2, v="b"))
    with pytest.raises(SchemaConflict, match=r"the table was built with the partitioning none; `catchment reload`"):
        a.run(tmp_path, by("v"))
    assert a.run(tmp_path).counts.inserted == 1


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, ""),
        ({"a": "1", "b": None}, "a=1/b=__HIVE_DEFAULT_PARTITION__/"),
        ({"a b": "x:y/z"}, "a b=x%3Ay%2Fz/"),
    ],
)
def test_folders_are_named_as_hive_names_them(values: dict[str, str | None], expected: str) -> None:
    assert folder(values) == expected
