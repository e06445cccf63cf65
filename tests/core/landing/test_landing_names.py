"""Names of landing files: what is one, whose it is, and in which order files are read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catchment.landing.names import Kind, LandingFile, TableName, parse
from catchment.storage import StoredObject


def read(path: str) -> LandingFile | None:
    return parse(StoredObject(path, 1, 1))


def known(path: str) -> LandingFile:
    found = read(path)
    assert found is not None
    return found


@pytest.mark.parametrize(
    "path",
    [
        "shop/orders/LOAD00000001.parquet",
        "shop/orders/LOAD0000000F.csv",
        "shop/orders/LOAD0000000F.csv.gz",
        "shop/orders/part 7/LOAD00000001.parquet",
        "shop/orders/SEGMENT1_LOAD00000001.csv",
        "shop/orders/20240809-192717787.parquet",
        "shop/orders/2024/08/09/20240809-192717787.csv",
        "shop/orders/2024/08/20240809-192717787.csv.gz",
        "shop/orders/2024/08/09/19/20240809-1927177870.parquet",
        "shop/orders/20240809/20240809-192717787.parquet",
        "shop/orders/2024-08-09/20240809-192717787.parquet",
        "shop/orders/2024_08_09_19/20240809-192717787.parquet",
        "shop/Größe der, Dinge.v2/LOAD00000001.parquet",
    ],
)
def test_what_dms_writes_is_a_landing_file(path: str) -> None:
    found = known(path)
    assert (found.table.schema, found.table.table) == tuple(path.split("/")[:2])
    assert found.kind is (Kind.LOAD if "LOAD" in path else Kind.CHANGES)
    assert found.path.endswith("." + found.suffix)


@pytest.mark.parametrize(
    "path",
    [
        "orders/LOAD00000001.parquet",
        "LOAD00000001.parquet",
        "shop/orders/LOAD00001.parquet",
        "shop/orders/LOAD0000000G.parquet",
        "shop/orders/load00000001.parquet",
        "shop/orders/LOAD00000001.json",
        "shop/orders/LOAD00000001.parquet.tmp",
        "shop/orders/20240809-19271778.parquet",
        "shop/orders/20240809-19271778700.parquet",
        "shop/orders/20240809_192717787.parquet",
        "shop/orders/tmp/20240809-192717787.parquet",
        "shop/orders/_delta_log/00000000000000000000.json",
        "shop//LOAD00000001.parquet",
        "shop/orders/٢٠٢٤٠٨٠٩-192717787.parquet",
        "",
    ],
)
def test_anything_else_is_not(path: str) -> None:
    assert read(path) is None


def test_load_comes_first_and_changes_by_the_stamp_in_their_name() -> None:
    in_order = [
        "shop/orders/LOAD00000009.csv",
        "shop/orders/LOAD0000000A.csv",
        "shop/orders/LOAD00000010.csv",
        "shop/orders/2024/08/10/20240809-235959999.csv",
        "shop/orders/2024/08/09/20240810-000000001.csv",
        "shop/orders/2024/08/10/20240810-0000000015.csv",
        "shop/orders/20240810-000000002.csv",
    ]
    assert sorted(in_order[::-1], key=lambda path: known(path).position) == in_order
    assert known(in_order[0]).stamp == ""
    assert known(in_order[-1]).stamp == "202408100000000020"


@given(st.lists(st.tuples(st.integers(0, 10**17 - 1), st.sampled_from(["", "2024/01/01/", "20250101/"])), max_size=20))
def test_stamps_order_as_their_moments_do(moments: list[tuple[int, str]]) -> None:
    paths = [f"s/t/{folder}{stamp // 10**9:08d}-{stamp % 10**9:09d}.csv" for stamp, folder in moments]
    by_position = [known(path).stamp for path in sorted(paths, key=lambda path: known(path).position)]
    assert [int(stamp) // 10 for stamp in by_position] == sorted(stamp for stamp, _ in moments)


def test_a_tables_schema_ends_at_the_first_dot() -> None:
    assert TableName.parse("a.b.c") == ("a", "b.c")
    assert str(TableName.parse("a.b.c")) == "a.b.c"
    for wrong in ("", "orders", ".orders", "shop.", "shop.a/b", "shop.a\\b", "..a/.."):
        with pytest.raises(ValueError, match="both parts filled"):
            TableName.parse(wrong)
