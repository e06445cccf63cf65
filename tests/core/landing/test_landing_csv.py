"""CSV landing files: every form seen in the wild is read exactly; what is wrong is rejected by record."""

from __future__ import annotations

import datetime as dt
import gzip
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from catchment.errors import UnreadableFile

if TYPE_CHECKING:
    from conftest import Shelf

SEQ = "20260301090510250000000000000000061"
NEXT = "20260301090512000000000000000000073"
TS = "2026-03-01 09:05:10.250431"
AT = dt.datetime(2026, 3, 1, 9, 5, 10, 250431)
ORDERS = "{key: [id], columns: {id: int, name: string, total: 'decimal(12,2)'}}"
CSV = "format: csv"
ALL = f"{CSV}, timestamp_column: dms_ts, sequence_column: dms_seq, before_image_prefix: BI_"


@pytest.fixture
def orders(shelf: Shelf) -> Shelf:
    shelf.agree(ORDERS, ALL)
    return shelf


def test_changes_without_header_are_known_by_their_place(orders: Shelf) -> None:
    read = orders.csv(f"I,{TS},1,ann,5.00,{SEQ},\nU,{TS},30,bob,,{NEXT},3\nD,{TS},1,,,{NEXT},\n")
    assert orders.rows(read) == [
        ("I", SEQ, 1, AT, 1, "ann", Decimal("5.00"), None),
        ("U", NEXT, 2, AT, 30, "bob", None, 3),
        ("D", NEXT, 3, AT, 1, None, None, None),
    ]
    assert (read.rows, read.rejects, read.said) == (3, [], {"id", "name", "total"})
    assert read.first_commit == AT.replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "line", [f"I,{TS},1,ann,5.00,,\n", f"{TS},1,ann,5.00,,\n", f'"I","{TS}","1","ann","5.00","",\n']
)
def test_a_load_is_read_with_operation_or_without(orders: Shelf, line: str) -> None:
    read = orders.csv(line, load=True)
    assert orders.rows(read) == [("I", "", 1, AT, 1, "ann", Decimal("5.00"), None)]


def test_a_file_older_than_a_column_does_not_speak_of_it(orders: Shelf) -> None:
    read = orders.csv(f"U,{TS},1,ann,{SEQ},\nI,{TS},2,bob,{SEQ},\n")
    assert read.said == {"id", "name"}
    assert orders.rows(read, 'id, name, "~old_0"') == [(1, "ann", None), (2, "bob", None)]


def test_a_file_older_than_the_before_images_has_none(orders: Shelf) -> None:
    read = orders.csv(f"U,{TS},1,ann,7.5,{SEQ}\n")
    assert orders.rows(read, 'id, total, "~old_0"') == [(1, Decimal("7.50"), None)]


def test_texts_stay_as_they_are(orders: Shelf) -> None:
    values = [" a ", 'say "hi"', "a,b", "line\nend", "crlf\r\nend", "Ünïcödé 東京 🚲", "", "\t", "'", "a\\b"]
    lines = [f'I,{TS},{i},"{v.replace(chr(34), chr(34) * 2)}",,{SEQ},\n' for i, v in enumerate(values)]
    read = orders.csv("".join(lines))
    assert [v for (v,) in orders.rows(read, "name")] == values
    unquoted = orders.csv(f'I,{TS},1, a b ,,{SEQ},\nI,{TS},2,in"side,,{SEQ},\nI,{TS},3,,,{SEQ},\n')
    assert [v for (v,) in orders.rows(unquoted, "name")] == [" a b ", 'in"side', None]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("tail", ["", "end", "end end"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_line_ends_blank_lines_at_the_end_and_a_byte_order_mark_do_not_matter(
    orders: Shelf, end: str, tail: str, bom: str
) -> None:
    lines = [f"I,{TS},1,ann,5.00,{SEQ},", f'I,{TS},2,"b\nb",5.00,{SEQ},']
    read = orders.csv(bom + end.join(lines) + tail.replace("end", end).replace(" ", ""))
    assert orders.rows(read, '"~row", id, name, "~old_0"') == [(1, 1, "ann", None), (2, 2, "b\nb", None)]
    assert read.rejects == []


def test_records_of_another_width_are_rejected_by_number_and_the_others_go_on(orders: Shelf) -> None:
    good = f"I,{TS},%d,ann,5.00,{SEQ},\n"
    read = orders.csv(good % 1 + f"I,{TS},2,ann\n" + good % 3 + f"I,{TS},4,ann,5.00,{SEQ},,\n" + good % 5)
    assert [(r.row, r.raw) for r in read.rejects] == [(2, f"I,{TS},2,ann"), (4, f"I,{TS},4,ann,5.00,{SEQ},,")]
    assert orders.rows(read, '"~row", id') == [(1, 1), (3, 3), (5, 5)]
    assert read.rows == 5


def test_a_record_with_broken_quotes_costs_no_other(orders: Shelf) -> None:
    read = orders.csv(
        f'I,{TS},1,"an\nI,{TS},2,"b\nob",5.00,{SEQ},\nI,{TS},3,"c" ,5.00,{SEQ},\nI,{TS},4,"d",5.00,{SEQ},\n'
    )
    assert [r.row for r in read.rejects] == [1, 3]
    assert orders.rows(read, '"~row", id, name') == [(2, 2, "b\nob"), (4, 4, "d")]


def test_an_open_quote_in_the_last_record_is_not_swallowed(orders: Shelf) -> None:
    read = orders.csv(f'I,{TS},1,ann,5.00,{SEQ},\nI,{TS},2,"bo')
    assert [(r.row, r.raw) for r in read.rejects] == [(2, f'I,{TS},2,"bo')]
    assert read.rows == 2


def test_bytes_that_are_no_text_cost_their_record_only(orders: Shelf) -> None:
    read = orders.csv(
        f"I,{TS},1,ann,5.00,{SEQ},\n".encode() + f"I,{TS},2,".encode() + b"\xff\xfe" + f",5.00,{SEQ},\n".encode()
    )
    assert [(r.row, r.reason) for r in read.rejects] == [(2, "the record is not UTF-8")]
    assert orders.rows(read, "id") == [(1,)]


@pytest.mark.parametrize(
    ("record", "field"),
    [
        (f"X,{TS},1,ann,5.00,{SEQ},", "Op"),
        (f",{TS},1,ann,5.00,{SEQ},", "Op"),
        (f"i,{TS},1,ann,5.00,{SEQ},", "Op"),
        (f"I,yesterday,1,ann,5.00,{SEQ},", "dms_ts"),
        (f"I,{TS},,ann,5.00,{SEQ},", "id"),
        (f"I,{TS},1.5,ann,5.00,{SEQ},", "id"),
        (f"I,{TS},3000000000,ann,5.00,{SEQ},", "id"),
        (f"I,{TS},1,ann,5.001,{SEQ},", "total"),
        (f'I,{TS},1,ann,"",{SEQ},', "total"),
        (f"I,{TS},1,ann,12345678901.00,{SEQ},", "total"),
        (f"I,{TS},1,ann,5.00,{SEQ[1:]},", "dms_seq"),
        (f"U,{TS},1,ann,5.00,{SEQ},x", "BI_id"),
    ],
)
def test_a_value_that_does_not_fit_rejects_its_record(orders: Shelf, record: str, field: str) -> None:
    good = f"I,{TS},%d,ann,5.00,{SEQ},\n"
    read = orders.csv(good % 7 + record + "\n" + good % 9)
    assert [(r.row, r.field, r.raw) for r in read.rejects] == [(2, field, record)]
    assert orders.rows(read, '"~row", id') == [(1, 7), (3, 9)]


def test_a_delete_is_not_judged_by_what_it_need_not_carry(orders: Shelf) -> None:
    read = orders.csv(f"I,{TS},1,ann,5.00,{SEQ},\nD,{TS},1,ann,no number,{SEQ},\n")
    assert orders.rows(read, '"~op", id, total') == [("I", 1, Decimal("5.00")), ("D", 1, None)]


def test_a_double_is_a_key_where_it_is_whole(orders: Shelf) -> None:
    read = orders.csv(f"U,{TS},+1.23400000e+04,ann,+1.10000000e+01,{SEQ},+1.20000000e+01\n")
    assert orders.rows(read, 'id, total, "~old_0"') == [(12340, Decimal("11.00"), 12)]


@pytest.mark.parametrize("header", ["true", "false"])
def test_a_header_is_seen_whatever_the_settings_say(shelf: Shelf, header: str) -> None:
    shelf.agree(ORDERS, f"{ALL}, header: {header}")
    read = shelf.csv(f"Op,dms_ts,name,ID,extra,dms_seq,BI_id\nU,{TS},ann,1,new,{SEQ},2\n")
    assert shelf.rows(read) == [("U", SEQ, 1, AT, "ann", 1, "new", 2)]
    assert read.said == {"name", "id", "extra"}
    bare = shelf.csv(f"{TS},1,ann,5.00,,\n", load=True)
    assert shelf.rows(bare, '"~op", id, name, total') == [("I", 1, "ann", Decimal("5.00"))]


def test_with_a_header_columns_need_no_declaration(shelf: Shelf) -> None:
    shelf.agree("{key: [id]}", f"{CSV}, header: true")
    read = shelf.csv('Op,id,"na,me"\nI,1,\nU,2,""\n')
    assert shelf.rows(read) == [
        ("I", "202603010906102540" + "1".zfill(17), 1, None, "1", None, None),
        ("U", "202603010906102540" + "2".zfill(17), 2, None, "2", "", None),
    ]
    for data in ("I,1,x\n", "1,x\n", f"{TS},id\n", "id,7\n"):
        with pytest.raises(UnreadableFile, match="no header"):
            shelf.csv(data, load=True)


def test_a_header_names_the_key_and_no_data(shelf: Shelf) -> None:
    shelf.agree("{key: [id]}", f"{CSV}, header: false")
    assert shelf.rows(shelf.csv("id,a,b,c,d,e,f\n1,2,3,4,5,6,7\n", load=True), "id, f") == [("1", "7")]
    shelf.agree("{key: [I], columns: {I: string, D: string}}", CSV)
    assert shelf.rows(shelf.csv("I,D\n1,2\n", load=True), "*")[0][4:] == ("1", "2", None)
    shelf.agree("{columns: {a: string, b: string}}", f"{CSV}, header: true")
    assert shelf.rows(shelf.csv("x,y\n", load=True), "a, b") == [("x", "y")]


def test_files_with_nothing_in_them_have_no_rows(orders: Shelf) -> None:
    for data in ["", "\n", "\ufeff", "\r\n\r\n"]:
        read = orders.csv(data, load=True)
        assert (read.rows, read.rejects, orders.rows(read)) == (0, [], [])
    header = orders.csv("Op,id,name\n")
    assert (header.rows, header.said) == (0, {"id", "name"})


def test_gzip_is_what_the_bytes_say(orders: Shelf) -> None:
    data = f"I,{TS},1,ann,5.00,{SEQ},\n".encode()
    assert orders.rows(orders.csv(gzip.compress(data), suffix="csv.gz"), "id") == [(1,)]
    assert orders.rows(orders.csv(gzip.compress(data)), "id") == [(1,)]
    assert orders.rows(orders.csv(gzip.compress(data) + gzip.compress(data), suffix="csv.gz"), "id") == [(1,), (1,)]
    for broken in [b"", data, gzip.compress(data)[:-6], gzip.compress(data)[:-8] + b"12345678"]:
        with pytest.raises(UnreadableFile, match="gzip"):
            orders.csv(broken, suffix="csv.gz")


def test_gzip_broken_far_behind_the_beginning_is_one_rejected_record(orders: Shelf) -> None:
    lines = "".join(f"I,{TS},{i},{i * 7919 % 1000003},5.00,{SEQ},\n" for i in range(40_000))
    read = orders.csv(gzip.compress(lines.encode())[:-1000], suffix="csv.gz")
    assert [(r.row, r.field) for r in read.rejects] == [(None, None)]
    assert (read.rows, orders.rows(read)) == (1, [])


def test_null_has_its_own_text_where_the_endpoint_was_told_so(shelf: Shelf) -> None:
    shelf.agree(ORDERS, f"{CSV}, null_value: NULL, before_image_prefix: BI_, delimiter: '|'")
    read = shelf.csv('U|1|NULL|NULL|\nU|2|"NULL"|5|1\nU|3||5|NULL\n')
    assert shelf.rows(read, 'id, name, total, "~old_0"') == [
        (1, None, None, None),
        (2, "NULL", Decimal("5.00"), 1),
        (3, "", Decimal("5.00"), None),
    ]


def test_a_line_longer_than_duckdb_expects_is_read(orders: Shelf) -> None:
    long = "x" * 5_000_000
    read = orders.csv(f'I,{TS},1,"{long}",5.00,{SEQ},\nI,{TS},2,ann,5.00,{SEQ},\n')
    assert orders.rows(read, "id, length(name)") == [(1, 5_000_000), (2, 3)]


def test_a_broken_line_before_the_header_is_counted_and_the_file_goes_on(orders: Shelf) -> None:
    read = orders.csv(f'"broken" line\nI,{TS},1,ann,5.00,{SEQ},\n')
    assert [(r.row, r.raw) for r in read.rejects] == [(1, '"broken" line')]
    assert orders.rows(read, '"~row", id') == [(2, 1)]


def test_a_header_behind_a_blank_line_is_a_header(orders: Shelf) -> None:
    read = orders.csv("\nOp,id,name\nI,1,ann\n\nI,2,bob")
    assert orders.rows(read, '"~row", id, name') == [(1, 1, "ann"), (2, 2, "bob")]


def test_a_header_may_hold_line_ends(shelf: Shelf) -> None:
    shelf.agree("{key: [id]}", f"{CSV}, header: true")
    read = shelf.csv('Op,id,"two\nlines"\nI,1,"a\nb"\n')
    assert read.said == {"id", "two\nlines"}
    assert shelf.rows(read, '"~row", "two\nlines"') == [(1, "a\nb")]


def test_an_empty_text_beside_a_filled_part_of_the_key_is_a_before_image(shelf: Shelf) -> None:
    table = "{key: [id, code], columns: {id: int, code: string, v: string}}"
    shelf.agree(table, f"{CSV}, null_value: NULL, before_image_prefix: BI_")
    read = shelf.csv('U,3,a,x,1,""\nU,4,b,x,,\nU,5,c,x,NULL,NULL\nI,6,d,x,,\n')
    images = shelf.rows(read, '"~old_0", "~old_1"')
    assert images == [(1, ""), (None, None), (None, None), (None, None)]
