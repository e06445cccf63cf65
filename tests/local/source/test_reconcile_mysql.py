"""Scope: reconciliation of a real MariaDB with Delta tables: each type, and what is particular to MySQL."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catchment.engines.connection import connected
from catchment.engines.trust import Trust
from catchment.landing.duck import open_duckdb
from catchment.reconcile.compare import identifier
from catchment.reconcile.fence import fence_passed, set_fence
from catchment.reconcile.lake import LakeTable
from catchment.reconcile.source import DatabaseSide, one_moment
from catchment.reconcile.tables import reconcile_table
from catchment.reconcile.verdict import TableVerdict
from catchment.sinks.delta_actions import Add
from catchment.sinks.delta_files import Part
from local.source.mariadb import EmbeddedMariaDb
from local.source.mysql_types import COLUMNS, LEAST, MOST

# as it has to lie in the lake, spelt out by hand: (id, column, value)
DELIVERED = [
    (1, "c_tiny", -128),
    (1, "c_decimal", Decimal("-9999999999999999999999999999.9999999999")),
    (1, "c_float", -3.4028234663852886e38),
    (1, "c_double", -1.7976931348623157e308),
    (1, "c_bit", False),
    (1, "c_bits", b"\x00" * 8),
    (1, "c_varchar", ""),
    (1, "c_set", ""),
    (1, "c_binary", b"\x00" * 4),
    (1, "c_blob", b""),
    (1, "c_timestamp", datetime(1970, 1, 1, 0, 0, 1, 1, tzinfo=UTC)),
    (1, "c_time", "-838:59:59.000"),
    (2, "c_bool", 7),
    (2, "c_tiny_u", 255),
    (2, "c_big_u", Decimal(2**64 - 1)),
    (2, "c_float", 0.10000000149011612),
    (2, "c_double", 5e-324),
    (2, "c_bit", True),
    (2, "c_bits", b"\xff" * 8),
    (2, "c_char", "ab \t"),
    (2, "c_varchar", "trailing   "),
    (2, "c_latin", "Größe ÿ"),
    (2, "c_text", '\U0001f600 "q" \\N \\\\ \r\n\t \\t'),
    (2, "c_json", '{"b" : 1.50, "a": [null, "\\u00e9"]}'),
    (2, "c_enum", "it's"),
    (2, "c_set", "x,z"),
    (2, "c_binary", b"\x01\x00\x00\x00"),
    (2, "c_varbinary", b"\x00\xff\\"),
    (2, "c_date", date(9999, 12, 31)),
    (2, "c_datetime", datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
    (2, "c_time", "838:59:59.000"),
    (2, "c_year", 2155),
    (3, "c_text", None),
    (4, "c_date", None),
    (4, "c_datetime", None),
    (4, "c_timestamp", None),
    (5, "c_date", None),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedMariaDb]:
    folder = tmp_path_factory.mktemp("mariadb")
    parameters = {"binlog_format": "ROW", "binlog_row_image": "FULL"}
    with EmbeddedMariaDb.start(folder, parameters=parameters, user="o", password="p", database="shop") as running:
        with running.connect("shop") as connection, connection.cursor() as cursor:
            cursor.execute("SET sql_mode = ''")
            cursor.execute("SET time_zone = '+00:00'")
            said = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
            cursor.execute(f"CREATE TABLE every_type ({said}) CHARACTER SET utf8mb4")
            for row in (LEAST, MOST):
                marks = ", ".join(["%s"] * len(row))
                cursor.execute(f"INSERT INTO every_type ({', '.join(row)}) VALUES ({marks})", list(row.values()))
            cursor.execute("UPDATE every_type SET c_point = ST_GeomFromText('POINT(1 2)') WHERE id = 2")
            cursor.execute("INSERT INTO every_type (id) VALUES (3)")
            zero = "0000-00-00"
            cursor.execute(
                "INSERT INTO every_type (id, c_date, c_datetime, c_timestamp) VALUES (4, %s, %s, 0)", [zero, zero]
            )
            cursor.execute("INSERT INTO every_type (id, c_date) VALUES (5, '2024-02-00')")
        yield running


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_duckdb(tmp_path_factory.mktemp("scratch"), memory_mb=256, threads=2) as connection:
        yield connection


class Bench:
    """A source, a place for lake tables, and the reconciliation of the two."""

    def __init__(self, server: EmbeddedMariaDb, con: duckdb.DuckDBPyConnection, folder: Path) -> None:
        self.server, self.con, self.folder = server, con, folder

    @property
    def login(self) -> dict[str, Any]:
        server = self.server
        return {"host": server.host, "port": server.port, "username": server.user, "password": server.password}

    def one_moment(self) -> AbstractContextManager[DatabaseSide]:
        return one_moment("mysql", self.login, "shop", Trust())

    def execute(self, *statements: str) -> None:
        with self.server.connect("shop") as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def lake_copy(self, table: str, query: str = "FROM rows") -> LakeTable:
        """A lake table that holds what the source holds now, changed by a query over ``rows``."""
        file = self.folder / f"{table}.parquet"
        with self.one_moment() as source:
            columns = source.columns("shop", table)
            source.read(self.con, "shop", table, columns, "copied", self.folder)
        shown = [f"CAST({identifier(c.name)} AS {c.delta.duckdb}) AS {identifier(c.name)}" for c in columns]
        self.con.execute(f"CREATE OR REPLACE TEMP TABLE rows AS SELECT {', '.join(shown)} FROM copied")
        self.con.execute(f"COPY ({query}) TO '{file}'")
        return LakeTable(self.folder, (Part(0, Add(file.name, 0, 0)),), {c.name: c.delta for c in columns})

    def reconcile(self, table: str, lake: LakeTable, key: tuple[str, ...] = ("id",)) -> TableVerdict:
        with self.one_moment() as source:
            return reconcile_table(
                self.con, source, lake, schema="shop", table=table, key=key, scratch=self.folder, limit=99
            )


@pytest.fixture
def bench(server: EmbeddedMariaDb, con: duckdb.DuckDBPyConnection, tmp_path: Path) -> Bench:
    return Bench(server, con, tmp_path)


def test_values_are_expected_in_the_form_that_dms_delivers(bench: Bench) -> None:
    lake = bench.lake_copy("every_type")
    for row, column, value in DELIVERED:
        bench.con.execute(f"UPDATE rows SET {column} = ? WHERE id = {row}", [value])
    bench.con.execute(f"COPY rows TO '{bench.folder}/every_type.parquet'")
    verdict = bench.reconcile("every_type", lake)
    assert verdict.differences == ()
    assert verdict.rows_source == 5
    assert {each.column: each.rows for each in verdict.narrowed} == {"c_date": 2, "c_datetime": 1, "c_timestamp": 1}


def test_one_changed_value_of_every_type_is_found(bench: Bench) -> None:
    copied = bench.lake_copy("every_type")
    changes = ", ".join(
        f"CASE WHEN id = 2 THEN {_nudged(name, kind.name, kind.scale)} ELSE {name} END AS {name}"
        for name, kind in copied.columns.items()
        if name != "id"
    )
    verdict = bench.reconcile("every_type", bench.lake_copy("every_type", f"SELECT * REPLACE ({changes}) FROM rows"))
    assert {each.column for each in verdict.differences} == set(copied.columns) - {"id"}
    assert {each.key["id"] for each in verdict.differences} == {"2"}


def _nudged(column: str, kind: str, scale: int) -> str:
    match kind:
        case "decimal":
            return f"{column} - CAST('1e-{scale}' AS DECIMAL(38, {scale}))"
        case "double":
            return f"nextafter({column}, CAST(0 AS DOUBLE))"
        case "timestamp":
            return f"{column} - INTERVAL 1 MICROSECOND"
        case "date":
            return f"CAST({column} - INTERVAL 1 DAY AS DATE)"
        case "string":
            return f"{column} || ' '"
        case "binary":
            return f"{column} || '\\x00'::BLOB"
        case "boolean":
            return f"NOT {column}"
        case _:
            return f"{column} - 1"


def test_keys_that_the_collation_holds_equal_are_compared_by_their_bytes(bench: Bench) -> None:
    bench.execute(
        "CREATE OR REPLACE TABLE codes (code varchar(20) PRIMARY KEY, n int) COLLATE utf8mb4_general_ci",
        "INSERT INTO codes VALUES ('abc', 1), ('é', 2), ('x ', 3)",
    )
    assert bench.reconcile("codes", bench.lake_copy("codes"), ("code",)).equal
    for change in ("upper(code)", "replace(code, 'é', 'e')", "rtrim(code)"):
        verdict = bench.reconcile(
            "codes", bench.lake_copy("codes", f"SELECT * REPLACE ({change} AS code) FROM rows"), ("code",)
        )
        assert verdict.missing == verdict.extra > 0


def test_columns_that_are_not_replicated_are_left_out(bench: Bench) -> None:
    bench.execute("CREATE OR REPLACE TABLE made (id int PRIMARY KEY, twice int AS (id * 2) STORED, seen int INVISIBLE)")
    with bench.one_moment() as source:
        assert [column.name for column in source.columns("shop", "made")] == ["id"]


def test_any_text_comes_through_unchanged(bench: Bench) -> None:
    letters = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))

    @settings(max_examples=30, deadline=None)
    @given(st.lists(letters | st.sampled_from(["\\N", "\\.", "\\\\n", "%s", "\b\f\v"])))
    def holds(texts: list[str]) -> None:
        bench.execute("CREATE OR REPLACE TABLE words (n int PRIMARY KEY, word longtext CHARACTER SET utf8mb4)")
        with bench.server.connect("shop") as connection, connection.cursor() as cursor:
            for row in enumerate(texts):
                cursor.execute("INSERT INTO words VALUES (%s, %s)", row)
        bench.lake_copy("words")
        assert bench.con.execute("SELECT word FROM copied ORDER BY CAST(n AS INT)").fetchall() == [(t,) for t in texts]

    holds()


def test_all_tables_are_read_at_one_moment(bench: Bench) -> None:
    bench.execute("CREATE OR REPLACE TABLE moving (id int PRIMARY KEY)", "INSERT INTO moving VALUES (1)")
    with bench.one_moment() as source:
        bench.execute("INSERT INTO moving VALUES (2)")
        assert source.fingerprint("shop", "moving", ["id"]).rows == 1


def test_a_fingerprint_tells_tables_apart_by_their_rows_alone(bench: Bench) -> None:
    bench.execute(
        "CREATE OR REPLACE TABLE one (id int, v varchar(9))",
        "INSERT INTO one VALUES (1, 'a'), (2, NULL), (2, NULL)",
        "CREATE OR REPLACE TABLE two AS SELECT * FROM one ORDER BY id DESC",
    )
    with bench.one_moment() as source:
        first, second = (source.fingerprint("shop", table, ["id"]) for table in ("one", "two"))
    assert first == second
    bench.execute("UPDATE two SET v = 'A' WHERE id = 1")
    with bench.one_moment() as source:
        changed = source.fingerprint("shop", "two", ["id"])
    assert (changed.rows, changed.keys, changed.values == first.values) == (first.rows, first.keys, False)


def test_a_fence_lies_behind_what_is_committed_and_before_what_comes(bench: Bench) -> None:
    with connected("mysql", bench.login, "shop", Trust()) as query:
        before = set_fence("mysql", query)
        bench.execute("CREATE OR REPLACE TABLE t (id int)", "INSERT INTO t VALUES (1)")
        fence = set_fence("mysql", query)
    assert not fence_passed("mysql", f"checkpoint:V1#1#{before}#0#0#*#0#0", fence)
    assert fence_passed("mysql", f"checkpoint:V1#27#{fence}:-1:2002:677883278264080:mysql-bin.000001:4#0", fence)
