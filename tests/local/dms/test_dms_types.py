"""Every PostgreSQL type as DMS delivers it: the same from the full load and from the stream."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

CASES: list[tuple[str, str, str, Any]] = [
    ("smallint", "-32768", "int16", -32768),
    ("integer", "2147483647", "int32", 2147483647),
    ("bigint", "-9223372036854775808", "int64", -(2**63)),
    ("numeric(12,2)", "-1234567890.12", "decimal128(12, 2)", Decimal("-1234567890.12")),
    ("numeric(38,0)", "9" * 38, "decimal128(38, 0)", Decimal("9" * 38)),
    ("numeric", "0.611111104488373", "decimal128(28, 6)", Decimal("0.611111")),
    ("numeric", "-0.0000019", "decimal128(28, 6)", Decimal("-0.000001")),
    ("numeric", "NaN", "decimal128(28, 6)", None),
    ("numeric(40,2)", "1.50", "string", "1.50"),
    ("real", "3.4028235e38", "float", 3.4028234663852886e38),
    ("double precision", "-Infinity", "double", -math.inf),
    ("double precision", "5e-324", "double", 5e-324),
    ("money", "-92233720368547758.08", "decimal128(38, 4)", Decimal("-92233720368547758.0800")),
    ("boolean", "true", "string", "true"),
    ("boolean", "false", "string", "false"),
    ("char(8)", "ab", "string", "ab"),
    ("varchar(10)", "ab  ", "string", "ab  "),
    ("varchar", "", "string", ""),
    ("text", 'say "hi", ünï\n\\ \U0001f600', "string", 'say "hi", ünï\n\\ \U0001f600'),
    ("bytea", "\\x00ff5c", "binary", b"\x00\xff\x5c"),
    ("bytea", "\\x", "binary", b""),
    ("date", "2024-02-29", "date32[day]", dt.date(2024, 2, 29)),
    ("date", "infinity", "date32[day]", dt.date(9999, 12, 31)),
    ("time", "23:59:59.999999", "time32[ms]", dt.time(23, 59, 59, 999000)),
    ("timetz", "23:59:59.5+05:30", "time32[ms]", dt.time(23, 59, 59, 500000)),
    ("timestamp", "0001-01-01 00:00:00", "timestamp[us, tz=UTC]", dt.datetime(1, 1, 1, tzinfo=dt.UTC)),
    (
        "timestamptz",
        "2026-03-29 02:30:00.123456+02",
        "timestamp[us, tz=UTC]",
        dt.datetime(2026, 3, 29, 0, 30, 0, 123456, tzinfo=dt.UTC),
    ),
    ("timestamp", "infinity", "timestamp[us, tz=UTC]", dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=dt.UTC)),
    (
        "interval",
        "1 year 2 months 3 days 04:05:06.5",
        "string",
        "1 YEAR, 2 MONTHS, 3 DAYS, 4 HOURS, 5 MINUTES, 6.5 SECONDS",
    ),
    ("interval", "-00:00:01", "string", "-1 SECOND"),
    ("interval", "0", "string", "0 SECONDS"),
    ("uuid", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "string", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    ("json", '{"b" : 1.0,  "a":[ ]}', "string", '{"b" : 1.0,  "a":[ ]}'),
    ("jsonb", '{"b":1.0,"a":[]}', "string", '{"a": [], "b": 1.0}'),
    ("inet", "192.168.0.1/24", "string", "192.168.0.1/24"),
    ("cidr", "10.0.0.0/8", "string", "10.0.0.0/8"),
    ("macaddr", "08:00:2b:01:02:03", "string", "08:00:2b:01:02:03"),
    ("bit(3)", "101", "string", "101"),
    ("varbit(9)", "10101", "string", "10101"),
    ("shop.mood", "so so", "string", "so so"),
    ("shop.percent", "12.50", "decimal128(5, 2)", Decimal("12.50")),
    ("shop.pair", "(1,x)", "string", "(1,x)"),
    ("integer[]", "{1,NULL,3}", "string", "{1,NULL,3}"),
    ("int4range", "[1,5)", "string", "[1,5)"),
    ("point", "(1.5,-2)", "string", "(1.5,-2)"),
    ("path", "[(0,0),(1,1)]", "string", "[(0,0),(1,1)]"),
    ("tsvector", "fat cat", "string", "'cat' 'fat'"),
]

TYPES = (
    "CREATE TYPE shop.mood AS ENUM ('good', 'so so')",
    "CREATE DOMAIN shop.percent AS numeric(5,2)",
    "CREATE TYPE shop.pair AS (n int, t text)",
)


@pytest.fixture
def written(shop: Any, replay: Any) -> tuple[Path, Path]:
    """A LOAD file and a change file with one column a case; the second row of each is all NULL."""
    columns = ", ".join(f"c{number} {case[0]}" for number, case in enumerate(CASES))
    shop.run(*TYPES, f"CREATE TABLE shop.every (id int PRIMARY KEY, {columns})")
    insert = f"INSERT INTO shop.every VALUES (%s, {', '.join(['%s'] * len(CASES))})"
    values = [case[1] for case in CASES]
    shop.connection.execute(insert, [1, *values])
    shop.run("INSERT INTO shop.every (id) VALUES (2)")
    replay.begin()
    replay.load("shop.every")
    shop.connection.execute(insert, [3, *values])
    shop.run("INSERT INTO shop.every (id) VALUES (4)")
    replay.finish()
    changes, load = replay.files("shop.every")
    return load, changes


def test_values_and_types_are_those_of_dms_from_load_and_from_stream(written: tuple[Path, Path]) -> None:
    wrong = []
    for path in written:
        table = pq.ParquetFile(path).read()
        assert table.num_rows == 2
        for number, (kind, text, arrow, value) in enumerate(CASES):
            column = table.column(f"c{number}")
            found = column.to_pylist()
            if str(column.type) != arrow or found != [value, None]:
                wrong.append((path.name, kind, text, str(column.type), found))
    assert wrong == []


def test_the_parquet_layout_is_that_of_dms(written: tuple[Path, Path]) -> None:
    for path in written:
        file = pq.ParquetFile(path)
        assert file.metadata.metadata is None
        by_name = {file.schema.column(i).name: file.schema.column(i) for i in range(len(file.schema.names))}
        stamp = by_name["dms_ts"]
        assert (stamp.physical_type, stamp.max_definition_level) == ("BYTE_ARRAY", 0)
        assert by_name["Op"].max_definition_level == 1
        physical = {
            "c0": ("INT32", "Int(bitWidth=16, isSigned=true)"),
            "c1": ("INT32", "None"),
            "c2": ("INT64", "None"),
            "c3": ("FIXED_LEN_BYTE_ARRAY", "Decimal(precision=12, scale=2)"),
            "c21": ("INT32", "Date"),
            "c23": ("INT32", "Time(isAdjustedToUTC=false, timeUnit=milliseconds)"),
        }
        for name, (kind, logical) in physical.items():
            assert by_name[name].physical_type == kind
            assert str(by_name[name].logical_type) == logical, name
        lengths = {"c3": 6, "c4": 16, "c5": 12}
        assert {name: by_name[name].length for name in lengths} == lengths
        moment = str(by_name["c25"].logical_type)
        assert "isAdjustedToUTC=true" in moment
        assert "microseconds" in moment
        assert file.metadata.row_group(0).column(0).compression == "UNCOMPRESSED"


def test_dates_beyond_what_python_knows_arrive_unchanged(shop: Any, replay: Any) -> None:
    shop.run("CREATE TABLE shop.t (id int PRIMARY KEY, d date, ts timestamptz)")
    replay.begin()
    shop.run("INSERT INTO shop.t VALUES (1, '4713-01-01 BC', '4713-01-01 00:00:00+00 BC')")
    shop.run(
        "INSERT INTO shop.t VALUES (2, '5874897-12-31', '12026-01-01 00:00:00.5+00'), (3, '-infinity', '-infinity')"
    )
    replay.finish()
    (path,) = replay.files("shop.t")
    table = pq.ParquetFile(path).read()
    assert table.column("d").cast(pa.int32()).to_pylist() == [-2440550, 2145042905, -2440550]
    # the exact number from PostgreSQL: Python's own dates end with the year 9999
    ((far,),) = shop.rows("SELECT (extract(epoch FROM ts) * 1000000)::bigint FROM shop.t WHERE id = 2")
    first = -2440550 * 86_400_000_000
    assert table.column("ts").cast(pa.int64()).to_pylist() == [first, far, first]
