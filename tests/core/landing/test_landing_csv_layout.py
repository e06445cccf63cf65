"""Layouts of CSV files without header: files of one table differ, and a value never goes into a column on a guess."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from catchment.errors import UnreadableFile
from catchment.landing.reader import LandingReader

if TYPE_CHECKING:
    from conftest import Shelf

SEQ = "20260301090510250000000000000000061"
TS = "2026-03-01 09:05:10.250431"
PLAIN = "format: csv"
IMAGES = f"{PLAIN}, before_image_prefix: BI_"
FULL = f"{IMAGES}, timestamp_column: dms_ts, sequence_column: dms_seq"
STOCK = "{key: [id], columns: {id: int, name: string, qty: int}}"


def rows(shelf: Shelf, data: str, *, load: bool = False) -> list[tuple[object, ...]]:
    read = shelf.csv(data, load=load)
    assert read.rejects == []
    said = ", ".join(f'"{name}"' for name in shelf.kinds if name in read.said)
    return shelf.rows(read, f'{said}, "~old_0"')


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (f"U,{TS},1,a,5,{SEQ},2\n", [(1, "a", 5, 2)]),
        (f"U,{TS},1,a,5,{SEQ}\n", [(1, "a", 5, None)]),
        (f"U,{TS},1,a,{SEQ},2\n", [(1, "a", 2)]),
        (f"U,{TS},1,a,{SEQ}\n", [(1, "a", None)]),
        (f"U,{TS},1,{SEQ},2\n", [(1, 2)]),
        (f"U,{TS},1,{SEQ},5,{SEQ},2\n", [(1, SEQ, 5, 2)]),
        (f"U,{TS},1,{SEQ},,{SEQ},\nI,{TS},2,b,7,{SEQ},\n", [(1, SEQ, None, None), (2, "b", 7, None)]),
        (f"U,{TS},1,a,5,{SEQ},2,old,4\n", [(1, "a", 5, 2)]),
    ],
)
def test_the_sequence_says_where_the_columns_end(shelf: Shelf, data: str, expected: list[tuple[object, ...]]) -> None:
    shelf.agree(STOCK, FULL)
    assert rows(shelf, data) == expected


@pytest.mark.parametrize(
    "data",
    [
        f"I,{TS},1,a,5,,\n",
        f"I,{TS},1,a,5,\n",
        f"I,{TS},1,a,5\n",
        f"{TS},1,a,5,,\n",
        "I,1,a,5\n",
        "1,a,5\n",
        '"1","a","5"\n',
        f'I,{TS},1,a,5,"",\n',
    ],
)
def test_a_load_may_be_older_than_any_setting(shelf: Shelf, data: str) -> None:
    shelf.agree(STOCK, FULL)
    assert rows(shelf, data, load=True) == [(1, "a", 5, None)]


def test_a_load_older_than_a_column_is_known_by_its_empty_sequence(shelf: Shelf) -> None:
    shelf.agree("{key: [id], columns: {id: int, name: string, later: string}}", FULL)
    assert rows(shelf, f'I,{TS},1,a,"",\n', load=True) == [(1, "a", None)]


def test_a_change_without_its_sequence_is_no_older_form_but_a_broken_record(shelf: Shelf) -> None:
    shelf.agree(STOCK, FULL)
    read = shelf.csv(f"U,{TS},1,a,5\nU,{TS},1,a\n")
    assert [r.row for r in read.rejects] == [1, 2]


def test_records_that_fit_nowhere_are_rejected_one_by_one(shelf: Shelf) -> None:
    shelf.agree(STOCK, PLAIN)
    read = shelf.csv("hello\nX,1,a,5\n\nI,1,a,5,6,7\n")
    assert [(r.row, r.raw) for r in read.rejects] == [(1, "hello"), (2, "X,1,a,5"), (3, "I,1,a,5,6,7")]
    assert read.rows == 3


def test_without_a_sequence_the_settings_decide(shelf: Shelf) -> None:
    shelf.agree(STOCK, IMAGES)
    assert rows(shelf, "U,1,a,5,2\nI,3,b,7,\n") == [(1, "a", 5, 2), (3, "b", 7, None)]
    assert rows(shelf, "U,1,a,5\nD,1,,\n") == [(1, "a", 5, None), (1, None, None, None)]
    assert rows(shelf, "U,1,a,5\nI,3,b,7\n") == [(1, "a", 5, None), (3, "b", 7, None)]


def test_a_before_image_is_known_by_what_it_cannot_be(shelf: Shelf) -> None:
    shelf.agree("{key: [id], columns: {id: int, name: string, later: string}}", IMAGES)
    assert rows(shelf, "U,1,a,1\nI,2,b,\n") == [(1, "a", "1", None), (2, "b", None, None)]


def test_what_two_layouts_fit_is_refused_until_another_file_tells(shelf: Shelf) -> None:
    shelf.agree(STOCK, IMAGES)
    unclear = "U,1,a,5\nI,2,b,\n"
    with pytest.raises(UnreadableFile, match="3 columns and 0 before-images or 2 columns and 1"):
        shelf.csv(unclear)
    reader = LandingReader(shelf.con, shelf.contract)
    shelf.csv("I,7,x,7\n", load=True, reader=reader)
    read = shelf.csv(unclear, reader=reader)
    assert shelf.rows(read, 'id, qty, "~old_0"') == [(1, 5, None), (2, None, None)]


def test_a_place_that_no_insert_fills_and_updates_fill_with_a_key_is_a_before_image(shelf: Shelf) -> None:
    shelf.agree("{key: [id], columns: {id: int, a: string, b: string}}", "format: csv, before_image_prefix: BI_")
    inserts = "".join(f"I,{number},x,\n" for number in range(3))
    read = shelf.csv(f"{inserts}U,30,x,2\nD,30,,\n")
    assert read.said == {"id", "a"}
    assert shelf.con.execute(f'SELECT "~old_0" FROM {read.relation} WHERE "~op" = \'U\'').fetchall() == [(2,)]
    assert shelf.csv(f"{inserts}I,9,x,7\nU,30,x,2\nD,30,,\n").said == {"id", "a", "b"}


def test_a_key_of_several_columns_has_before_images_in_the_order_of_the_table(shelf: Shelf) -> None:
    shelf.agree("{key: [line, sale], columns: {sale: int, line: string, qty: int}}", IMAGES)
    read = shelf.csv("U,1,a,5,2,a\nU,1,b,5,,\nD,1,c,,,\n")
    assert read.rejects == []
    assert shelf.rows(read, 'sale, line, "~old_0", "~old_1"') == [
        (1, "a", "a", 2),
        (1, "b", None, None),
        (1, "c", None, None),
    ]


def test_a_wide_table_is_read(shelf: Shelf) -> None:
    columns = ", ".join(f"c{i}: int" for i in range(150))
    shelf.agree(f"{{key: [c0], columns: {{{columns}}}}}", FULL)
    values = ",".join(map(str, range(150)))
    read = shelf.csv(f"I,{TS},{values},{SEQ},\n" * 3)
    assert (read.rows, read.rejects) == (3, [])
    assert shelf.rows(read, "c0, c149") == [(0, 149)] * 3


def test_a_record_wider_than_the_declared_columns_is_rejected(shelf: Shelf) -> None:
    shelf.agree(STOCK, FULL)
    read = shelf.csv(f"I,{TS},1,a,5,new,{SEQ},\n")
    assert [r.row for r in read.rejects] == [1]


def test_a_table_without_key_needs_its_columns_only(shelf: Shelf) -> None:
    shelf.agree("{columns: {a: string, b: int}}", FULL)
    read = shelf.csv(f"I,{TS},x,1,{SEQ}\nI,{TS},,,{SEQ}\n")
    assert shelf.rows(read, "a, b") == [("x", 1), (None, None)]


def test_a_table_of_one_column_may_have_empty_records(shelf: Shelf) -> None:
    shelf.agree("{columns: {a: string}}", PLAIN)
    read = shelf.csv('x\n\n""\ny\n\n', load=True)
    assert shelf.rows(read, "a") == [("x",), (None,), ("",), ("y",)]


def test_without_declared_columns_and_header_a_file_is_refused(shelf: Shelf) -> None:
    shelf.agree("{key: [id]}", f"{FULL}, header: true")
    with pytest.raises(UnreadableFile, match="not declared"):
        shelf.csv(f"I,{TS},1,a,{SEQ},\n")
