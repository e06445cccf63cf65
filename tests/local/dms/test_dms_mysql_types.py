"""Every type of MySQL through a real MariaDB: a value has one form, whether it is loaded or comes as a change."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pyarrow as pa

from tests.local.dms.conftest import read

UTC = dt.UTC
POINT = bytes(4) + bytes.fromhex("0101000000000000000000f03f0000000000000040")
"""POINT(1 2): the number of its reference system, then WKB."""
LONG = "é" * 9000
"""16,000 characters of UTF-16 are 32 kilobytes, the limit of a large object; 18,000 bytes are no limit of a text."""

COLUMNS: dict[str, tuple[str, list[Any], list[Any]]] = {
    # declared, values given (rows 1 to 3), values written
    "tiny": ("tinyint", [127, -128, 0], [127, -128, 0]),
    "flag": ("boolean", [1, -1, 0], [1, -1, 0]),
    "tiny_u": ("tinyint unsigned", [255, 0, 128], [255, 0, 128]),
    "small": ("smallint", [32767, -32768, 0], [32767, -32768, 0]),
    "small_u": ("smallint unsigned", [65535, 0, 32768], [65535, 0, 32768]),
    "medium": ("mediumint", [8388607, -8388608, 0], [8388607, -8388608, 0]),
    "medium_u": ("mediumint unsigned", [16777215, 0, 8388608], [16777215, 0, 8388608]),
    "whole": ("int", [2**31 - 1, -(2**31), 0], [2**31 - 1, -(2**31), 0]),
    "whole_u": ("int unsigned zerofill", [2**32 - 1, 0, 42], [2**32 - 1, 0, 42]),
    "big": ("bigint", [2**63 - 1, -(2**63), 0], [2**63 - 1, -(2**63), 0]),
    "big_u": ("bigint unsigned", [2**64 - 1, 0, 2**63], [2**64 - 1, 0, 2**63]),
    "dec_38": ("decimal(38,10)", ["9" * 28 + "." + "9" * 10, "-" + "9" * 28 + ".0000000001", "0"], []),
    "dec_12": ("decimal(12,2)", ["0.01", "-0.01", "-1234567890.12"], []),
    "dec_5": ("decimal(5,5)", ["0.99999", "-0.00001", "0"], []),
    "dec_20": ("decimal(20,0)", ["99999999999999999999", "-1", "1000000000"], []),
    "real_4": ("float", [1.1, -3.4e38, 1e-7], [1.100000023841858, -3.3999999521443642e38, 1.0000000116860974e-07]),
    "real_8": ("double", [1.1, -1.7976931348623157e308, 5e-324], [1.1, -1.7976931348623157e308, 5e-324]),
    "bit_1": ("bit(1)", [1, 0, 1], [True, False, True]),
    "bit_64": ("bit(64)", [2**64 - 1, 0, 258], [b"\xff" * 8, bytes(8), bytes(6) + b"\x01\x02"]),
    "bin": (
        "binary(4)",
        [b"\x01\x02\x00\x00", b"", b"\xff\xfe\xfd\xfc"],
        [b"\x01\x02\0\0", bytes(4), b"\xff\xfe\xfd\xfc"],
    ),
    "varbin": ("varbinary(300)", [b"\x01\0", b"", b"\xff" * 300], [b"\x01\0", b"", b"\xff" * 300]),
    "blob_1": ("tinyblob", [b"\0\x01", b"", b"x" * 255], [b"\0\x01", b"", b"x" * 255]),
    "blob_2": ("blob", [b"\0\x01", b"", b"x" * 40000], [b"\0\x01", b"", b"x" * 40000]),
    "blob_3": ("mediumblob", [b"\0\x01", b"", b"x" * 40000], [b"\0\x01", b"", b"x" * 32768]),
    "blob_4": ("longblob", [b"\0\x01", b"", b"x" * 40000], [b"\0\x01", b"", b"x" * 32768]),
    "fixed": ("char(4)", ["a", "", "ab  "], ["a", "", "ab"]),
    "varied": ("varchar(20)", ["a  ", "", "\U0001f600é'\"\\\n\0"], ["a  ", "", "\U0001f600é'\"\\\n\0"]),
    "wide": ("varchar(400)", ["ж" * 400, "", " "], ["ж" * 400, "", " "]),
    "text_1": ("tinytext", ["a ", "", "é"], ["a ", "", "é"]),
    "text_2": ("text", [LONG, "", "é"], [LONG, "", "é"]),
    "text_3": ("mediumtext", [LONG + LONG, "", "é"], [(LONG + LONG)[:16384], "", "é"]),
    "text_4": ("longtext", [LONG + LONG, "", "é"], [(LONG + LONG)[:16384], "", "é"]),
    "doc": ("json", ['{"b": 1,  "a": [null]}', "null", '"é"'], ['{"b": 1,  "a": [null]}', "null", '"é"']),
    "word": ("enum('a','b ü','c''d')", ["b ü", "a", "c'd"], ["b ü", "a", "c'd"]),
    "words": ("set('x','y ü','z')", ["z,x", "", "y ü"], ["x,z", "", "y ü"]),
    "day": (
        "date",
        ["9999-12-31", "1000-01-01", "2024-02-29"],
        [dt.date(9999, 12, 31), dt.date(1000, 1, 1), dt.date(2024, 2, 29)],
    ),
    "moment": (
        "datetime",
        ["9999-12-31 23:59:59", "1000-01-01 00:00:00", "2026-03-01 09:05:10"],
        [
            dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
            dt.datetime(1000, 1, 1, tzinfo=UTC),
            dt.datetime(2026, 3, 1, 9, 5, 10, tzinfo=UTC),
        ],
    ),
    "moment_3": (
        "datetime(3)",
        ["2026-03-01 09:05:10.007", "2026-03-01 00:00:00.9", "1000-01-01 00:00:00.001"],
        [
            dt.datetime(2026, 3, 1, 9, 5, 10, 7000, UTC),
            dt.datetime(2026, 3, 1, 0, 0, 0, 900000, UTC),
            dt.datetime(1000, 1, 1, 0, 0, 0, 1000, UTC),
        ],
    ),
    "instant": (
        "timestamp(6) NULL",
        ["2038-01-19 03:14:07.999999", "1970-01-01 00:00:01.000001", "2026-03-01 09:05:10.5"],
        [
            dt.datetime(2038, 1, 19, 3, 14, 7, 999999, UTC),
            dt.datetime(1970, 1, 1, 0, 0, 1, 1, UTC),
            dt.datetime(2026, 3, 1, 9, 5, 10, 500000, UTC),
        ],
    ),
    "clock": ("time", ["838:59:59", "-838:59:59", "00:00:01"], ["838:59:59", "-838:59:59", "00:00:01"]),
    "clock_1": (
        "time(1)",
        ["100:00:00.5", "-00:00:01.5", "-00:00:00.1"],
        ["100:00:00.5", "-00:00:01.5", "-00:00:00.1"],
    ),
    "clock_3": ("time(3)", ["-12:34:56.789", "-01:00:00", "0"], ["-12:34:56.789", "-01:00:00.000", "00:00:00.000"]),
    "clock_6": ("time(6)", ["838:59:59", "-00:00:00.000001", "-23:59:59.999999"], []),
    "jahr": ("year", [2155, 1901, 0], [2155, 1901, 0]),
    "latin": ("varchar(20) CHARACTER SET latin1", ["é€", "", "\x81\x9d"], ["é€", "", "\x81\x9d"]),
    "polish": ("varchar(20) CHARACTER SET latin2 COLLATE latin2_bin", ["ł", "", "a "], ["ł", "", "a "]),
    "utf16": ("varchar(20) CHARACTER SET utf16", ["\U0001f600", "", "a "], ["\U0001f600", "", "a "]),
    "latin_word": ("enum('é','ü') CHARACTER SET latin1", ["é", "ü", "é"], ["é", "ü", "é"]),
    "place": ("geometry", [POINT, POINT, POINT], [POINT, POINT, POINT]),
}
TIMES = {"clock_6": ["838:59:59.000000", "-00:00:00.000001", "-23:59:59.999999"]}


def expected(name: str) -> list[Any]:
    _, given, written = COLUMNS[name]
    return written or TIMES.get(name) or [Decimal(value) for value in given]


def fill(shop: Any) -> None:
    columns = ", ".join(f"{name} {declared}" for name, (declared, *_) in COLUMNS.items())
    shop.run("SET sql_mode = ''", f"CREATE TABLE zoo (id int PRIMARY KEY, {columns})")
    with shop.connection.cursor() as cursor:
        for row in range(3):
            values = [given[row] for _, given, _ in COLUMNS.values()]
            cursor.execute(f"INSERT INTO zoo VALUES ({row + 1}{', %s' * len(values)})", values)
        cursor.execute("INSERT INTO zoo (id) VALUES (4)")


def test_every_type_is_loaded_and_changed_alike(mysql_shop: Any, mysql_task: Any) -> None:
    fill(mysql_shop)
    mysql_task.start()
    mysql_task.wait_loaded()
    names = ", ".join(COLUMNS)
    mysql_shop.run(f"INSERT INTO zoo SELECT id + 10, {names} FROM zoo", "DELETE FROM zoo WHERE id > 10")
    mysql_task.wait_caught_up()
    name = f"{mysql_shop.name}.zoo"
    assert mysql_task.status().tables[name].message == ""
    loaded, changes = mysql_task.loaded(name), mysql_task.changes(name)
    assert [row["Op"] for row in changes] == ["I"] * 4 + ["D"] * 4
    wrong = {
        (column, where): found
        for column in COLUMNS
        for where, rows in (("load", loaded), ("insert", changes[:4]), ("delete", changes[4:]))
        if (found := [row[column] for row in rows]) != [*expected(column), None]
    }
    assert wrong == {}
    _as_dms_lays_it_out(read(mysql_task.files(name)[0]).schema)


def _as_dms_lays_it_out(schema: pa.Schema) -> None:
    types = {
        pa.int8(): ("tiny", "flag"),
        pa.uint8(): ("tiny_u",),
        pa.int16(): ("small", "jahr"),
        pa.uint16(): ("small_u",),
        pa.uint64(): ("big_u",),
        pa.bool_(): ("bit_1",),
        pa.binary(): ("bit_64", "bin", "blob_4", "place"),
        pa.string(): ("clock", "word", "words", "doc"),
    }
    found = {column: schema.field(column).type for columns in types.values() for column in columns}
    assert found == {column: kind for kind, columns in types.items() for column in columns}


def test_zero_dates_and_refused_words(mysql_shop: Any, mysql_task: Any) -> None:
    columns = "d date, m datetime(2), t timestamp NULL, y year, e enum('a')"
    mysql_shop.run("SET sql_mode = ''", f"CREATE TABLE zero (id int PRIMARY KEY, {columns})")
    rows = "(1, '0000-00-00', '0000-00-00', '0000-00-00', 0, 'no'), (2, '2026-00-10', '2026-01-00', NULL, NULL, NULL)"
    mysql_shop.run(f"INSERT INTO zero VALUES {rows}")
    mysql_task.start()
    mysql_task.wait_loaded()
    mysql_shop.run("UPDATE zero SET id = id + 10")
    mysql_task.wait_caught_up()
    name = f"{mysql_shop.name}.zero"
    for found in (mysql_task.loaded(name), mysql_task.changes(name)):
        assert [tuple(row[column] for column in "dmtye") for row in found] == [
            (None, None, None, 0, ""),
            (None, None, None, None, None),
        ]
