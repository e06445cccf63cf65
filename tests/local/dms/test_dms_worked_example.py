"""The worked example: what a PostgreSQL task writes for one small history, to the digit.

The messages are a real server's; only their commit times are set to those of the example.
"""

from __future__ import annotations

import datetime as dt
import struct
from decimal import Decimal
from typing import Any

import pyarrow.parquet as pq

from local.dms.sources.postgresql.changes import feed

POSTGRES_EPOCH = dt.datetime(2000, 1, 1)
COMMITS = {
    "A": "09:05:10.250431",
    "B": "09:05:12.003918",
    "C": "09:05:20.771205",
    "D": "09:05:31.640002",
    "E": "09:05:44.918340",
    "F": "09:06:50.000000",
    "G": "09:07:02.500120",
}


def at(time: str) -> dt.datetime:
    return dt.datetime.fromisoformat(f"2026-03-01 {time}")


def with_commit_time(message: bytes, moment: dt.datetime) -> bytes:
    offset = {b"B": 9, b"C": 18}.get(message[:1])
    if offset is None:
        return message
    microseconds = (moment - POSTGRES_EPOCH) // dt.timedelta(microseconds=1)
    return message[:offset] + struct.pack(">q", microseconds) + message[offset + 8 :]


def seconds(moment: dt.datetime) -> float:
    return moment.replace(tzinfo=dt.UTC).timestamp()


def test_the_worked_example_comes_out_to_the_digit(shop: Any, replay: Any) -> None:
    shop.run(
        "CREATE TABLE shop.orders (id int PRIMARY KEY, status varchar(20), total numeric(12,2), note varchar(50))",
        "INSERT INTO shop.orders VALUES (1,'new',10.00,'gift'), (2,'new',20.50,NULL)",
    )
    replay.plan["s3"]["CdcMaxBatchInterval"] = 60
    replay.plan["s3"]["UseTaskStartTimeForFullLoadTimestamp"] = False
    replay.plan["settings"] = '{"ChangeProcessingDdlHandlingPolicy": {"HandleSourceTableTruncated": false}}'
    replay.begin()

    replay.now = seconds(at("09:00:03.418210"))
    replay.load("shop.orders")
    history = [
        ("A", ["INSERT INTO shop.orders VALUES (3,'new',5.00,NULL)"]),
        ("B", ["UPDATE shop.orders SET status='paid' WHERE id=1"]),
        ("C", ["UPDATE shop.orders SET id=30 WHERE id=3"]),
        (
            "D",
            [
                "BEGIN",
                "UPDATE shop.orders SET status='picked' WHERE id=2",
                "UPDATE shop.orders SET status='packed' WHERE id=2",
                "UPDATE shop.orders SET status='sent', total=21.00 WHERE id=2",
                "COMMIT",
                "BEGIN",
                "UPDATE shop.orders SET total=0",
                "ROLLBACK",
            ],
        ),
        ("E", ["DELETE FROM shop.orders WHERE id=1"]),
        ("F", ["ALTER TABLE shop.orders ADD COLUMN channel varchar(10) DEFAULT 'web'"]),
        ("G", ["INSERT INTO shop.orders VALUES (4,'new',7.00,NULL,'app')"]),
    ]
    for step, statements in history:
        shop.run(*statements)
        commit = at(COMMITS[step])
        due = replay.writer.flush_due()
        if due is not None and due <= seconds(commit):
            replay.now = due
            replay.writer.flush_due()
        replay.now = seconds(commit) + 0.004
        feed(replay.writer, [with_commit_time(message, commit) for message in replay.messages()], replay.source.catalog)
    replay.now = replay.writer.flush_due()
    replay.writer.flush_due()
    shop.run("TRUNCATE shop.orders")
    replay.finish()

    assert [path.relative_to(replay.landing / "landing/sales").as_posix() for path in replay.files("shop.orders")] == [
        "shop/orders/2026/03/01/20260301-090610254.parquet",
        "shop/orders/2026/03/01/20260301-090802504.parquet",
        "shop/orders/LOAD00000001.parquet",
    ]
    changes, later, load = (pq.ParquetFile(path).read() for path in replay.files("shop.orders"))
    names = ["Op", "dms_ts", "id", "status", "total", "note", "dms_seq", "BI_id"]
    day, gift = "2026-03-01 ", "gift"
    assert load.column_names == names
    assert [tuple(row.values()) for row in load.to_pylist()] == [
        ("I", f"{day}09:00:03.418210", 1, "new", Decimal("10.00"), gift, "", None),
        ("I", f"{day}09:00:03.418211", 2, "new", Decimal("20.50"), None, "", None),
    ]
    assert changes.column_names == names
    at_d = f"{day}{COMMITS['D']}"
    assert [tuple(row.values()) for row in changes.to_pylist()] == [
        ("I", f"{day}{COMMITS['A']}", 3, "new", Decimal("5.00"), None, "20260301090510250000000000000000061", None),
        ("U", f"{day}{COMMITS['B']}", 1, "paid", Decimal("10.00"), gift, "20260301090512000000000000000000073", None),
        ("U", f"{day}{COMMITS['C']}", 30, "new", Decimal("5.00"), None, "20260301090520770000000000000000085", 3),
        ("U", at_d, 2, "picked", Decimal("20.50"), None, "20260301090531640000000000000000097", None),
        ("U", at_d, 2, "packed", Decimal("20.50"), None, "20260301090531640000000000000000101", None),
        ("U", at_d, 2, "sent", Decimal("21.00"), None, "20260301090531640000000000000000105", None),
        ("D", f"{day}{COMMITS['E']}", 1, None, None, None, "20260301090544910000000000000000117", None),
    ]
    assert later.column_names == [*names[:6], "channel", *names[6:]]
    assert [tuple(row.values()) for row in later.to_pylist()] == [
        (
            "I",
            f"{day}{COMMITS['G']}",
            4,
            "new",
            Decimal("7.00"),
            None,
            "app",
            "20260301090702500000000000000000141",
            None,
        )
    ]
