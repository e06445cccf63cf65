"""Parquet landing files: every physical form DMS writes is read exactly, by name, on each file's own schema."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from conftest import Shelf

SEQ = "20260301090510250000000000000000061"


def test_a_change_file_gives_operation_order_commit_columns_and_before_images(shelf: Shelf) -> None:
    read = shelf.parquet(
        {
            "Op": pa.array(["I", "U"]),
            "dms_ts": pa.array(["2026-03-01 09:05:10.250431", "2026-03-01 09:05:20.771205"]),
            "id": pa.array([3, 30], pa.int32()),
            "total": pa.array([Decimal("5.00"), None], pa.decimal128(12, 2)),
            "dms_seq": pa.array([SEQ, SEQ]),
            "BI_id": pa.array([None, 3], pa.int32()),
        }
    )
    first = dt.datetime(2026, 3, 1, 9, 5, 10, 250431)
    last = dt.datetime(2026, 3, 1, 9, 5, 20, 771205)
    assert shelf.rows(read) == [
        ("I", SEQ, 1, first, 3, Decimal("5.00"), None),
        ("U", SEQ, 2, last, 30, None, 3),
    ]
    assert read.said == {"id", "total"}
    assert (read.rows, read.rejects) == (2, [])
    assert (read.first_commit, read.last_commit) == (first.replace(tzinfo=dt.UTC), last.replace(tzinfo=dt.UTC))


def test_a_load_file_without_operation_is_all_inserts(shelf: Shelf) -> None:
    read = shelf.parquet({"id": pa.array([1, 2])}, load=True)
    assert shelf.rows(read) == [("I", "", 1, None, 1, None), ("I", "", 2, None, 2, None)]
    assert read.first_commit is None


def test_bad_records_are_rejected_with_number_and_reason_and_the_others_go_on(shelf: Shelf) -> None:
    shelf.agree("{key: [id], columns: {id: int, n: int}}")
    read = shelf.parquet(
        {"Op": pa.array(["I", "X", "U", "D"]), "id": pa.array([1, 2, None, 4]), "n": pa.array(["1", "2", "3", "x"])},
    )
    assert [(r.row, r.field) for r in read.rejects] == [(2, "Op"), (3, "id")]
    assert read.rejects[0].raw == '{"Op": "X", "id": "2", "n": "2"}'
    assert shelf.rows(read, '"~op", "~row", id, n') == [("I", 1, 1, 1), ("D", 4, 4, None)]
    assert read.rows == 4
