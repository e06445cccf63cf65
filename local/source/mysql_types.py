"""A column of every type of MySQL, with its least and its greatest value."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

COLUMNS: Mapping[str, str] = {
    "id": "int PRIMARY KEY",
    "c_tiny": "tinyint",
    "c_bool": "tinyint(1)",
    "c_tiny_u": "tinyint unsigned",
    "c_small_u": "smallint unsigned",
    "c_medium_u": "mediumint unsigned",
    "c_int_u": "int unsigned",
    "c_big": "bigint",
    "c_big_u": "bigint unsigned",
    "c_decimal": "decimal(38,10)",
    "c_float": "float",
    "c_double": "double",
    "c_bit": "bit(1)",
    "c_bits": "bit(64)",
    "c_char": "char(10)",
    "c_varchar": "varchar(40)",
    "c_latin": "varchar(40) CHARACTER SET latin1",
    "c_text": "text",
    "c_longtext": "longtext",
    "c_json": "json",
    "c_enum": "enum('a','b c','it''s')",
    "c_set": "set('x','y','z')",
    "c_binary": "binary(4)",
    "c_varbinary": "varbinary(16)",
    "c_blob": "blob",
    "c_date": "date",
    "c_datetime": "datetime(6)",
    "c_timestamp": "timestamp(6) NULL",
    "c_time": "time(3)",
    "c_year": "year",
    "c_point": "point",
}
LEAST: Mapping[str, Any] = {
    "id": 1, "c_tiny": -128, "c_bool": 0, "c_tiny_u": 0, "c_small_u": 0, "c_medium_u": 0, "c_int_u": 0,
    "c_big": -(2**63), "c_big_u": 0, "c_decimal": Decimal("-9999999999999999999999999999.9999999999"),
    "c_float": -3.4028234663852886e38, "c_double": -1.7976931348623157e308, "c_bit": 0, "c_bits": 0, "c_char": "",
    "c_varchar": "", "c_latin": "", "c_text": "", "c_longtext": "", "c_json": "{}", "c_enum": "a", "c_set": "",
    "c_binary": b"", "c_varbinary": b"", "c_blob": b"", "c_date": "1000-01-01",
    "c_datetime": "1000-01-01 00:00:00.000001", "c_timestamp": "1970-01-01 00:00:01.000001", "c_time": "-838:59:59",
    "c_year": 1901,
}  # fmt: skip
MOST: Mapping[str, Any] = {
    "id": 2, "c_tiny": 127, "c_bool": 7, "c_tiny_u": 255, "c_small_u": 65535, "c_medium_u": 2**24 - 1,
    "c_int_u": 2**32 - 1, "c_big": 2**63 - 1, "c_big_u": 2**64 - 1, "c_decimal": Decimal("0.1000000001"),
    "c_float": 0.1, "c_double": 5e-324, "c_bit": 1, "c_bits": 2**64 - 1, "c_char": "ab \t", "c_varchar": "trailing   ",
    "c_latin": "Größe ÿ", "c_text": '\U0001f600 "q" \\N \\\\ \r\n\t \\t', "c_longtext": "x" * 100_000,
    "c_json": '{"b" : 1.50, "a": [null, "\\u00e9"]}', "c_enum": "it's", "c_set": "x,z", "c_binary": b"\x01\x00",
    "c_varbinary": b"\x00\xff\\", "c_blob": b"\x80" * 1000, "c_date": "9999-12-31",
    "c_datetime": "9999-12-31 23:59:59.999999", "c_timestamp": "2038-01-19 03:14:07.999999", "c_time": "838:59:59",
    "c_year": 2155,
}  # fmt: skip
