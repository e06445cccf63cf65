"""Scope: reconciliation of a real PostgreSQL with Delta tables: each type, each planted difference, no false alarm."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import psycopg
import pyarrow as pa
import pytest
from deltalake import write_deltalake
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from catchment.engines.reconciliation import SourceColumn
from catchment.engines.trust import Trust
from catchment.landing.duck import open_duckdb
from catchment.landing.types import DeltaType
from catchment.reconcile.compare import identifier
from catchment.reconcile.lake import LakeTable, lake_table
from catchment.reconcile.source import DatabaseSide, TableGone, one_moment
from catchment.reconcile.tables import reconcile_table
from catchment.reconcile.verdict import Finding, TableVerdict
from catchment.sinks.delta_actions import Add
from catchment.sinks.delta_files import Part
from local.source import sales
from local.source.postgres import EmbeddedPostgres

KEYS = {
    "sales.sales_items": ("sale_id", "line_no"),
    "hard.composite_key": ("tenant", "code", "n"),
    "hard.no_key": (),
    "hard.text_key": ("code",),
    "hard.Mixed Case": ("Id",),
}


@pytest.fixture(scope="module")
def dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("reconcile")
    with EmbeddedPostgres.start(folder, parameters={}, user="o", password="p", database="sales") as server:
        sales.seed(server.dsn("sales"), 4000)
        yield server.dsn("sales")


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_duckdb(tmp_path_factory.mktemp("scratch"), memory_mb=256, threads=2) as connection:
        yield connection


def _part(file: Path) -> Part:
    return Part(0, Add(file.name, 0, 0))


class Bench:
    """A source, a place for lake tables, and the reconciliation of the two."""

    def __init__(self, dsn: str, con: duckdb.DuckDBPyConnection, folder: Path) -> None:
        self.dsn, self.con, self.folder = dsn, con, folder

    def execute(self, *statements: str) -> None:
        with psycopg.connect(self.dsn) as connection:
            for statement in statements:
                connection.execute(statement)

    def one_moment(self) -> AbstractContextManager[DatabaseSide]:
        said = conninfo_to_dict(self.dsn)
        login = {"host": said["host"], "port": said["port"], "username": said["user"], "password": said["password"]}
        return one_moment("postgresql", login, str(said["dbname"]), Trust())

    def columns(self, table: str) -> list[SourceColumn]:
        with self.one_moment() as source:
            return source.columns(*table.split(".", 1))

    def lake_copy(self, table: str) -> LakeTable:
        """A lake table that holds what the source holds now."""
        columns, file = self.columns(table), self.folder / "rows.parquet"
        with self.one_moment() as source:
            source.read(self.con, *table.split(".", 1), columns, "copied", self.folder)
        shown = [f"CAST({identifier(c.name)} AS {c.delta.duckdb}) AS {identifier(c.name)}" for c in columns]
        self.con.execute(f"COPY (SELECT {', '.join(shown)} FROM copied) TO '{file}'")
        return LakeTable(file.parent, (_part(file),), {c.name: c.delta for c in columns})

    def change(self, lake: LakeTable, query: str) -> LakeTable:
        """The lake table after a query over it, as which it is called ``rows``."""
        file = self.folder / "changed.parquet"
        self.con.execute(f"COPY (WITH rows AS (FROM '{lake.folder / lake.parts[0].path}') {query}) TO '{file}'")
        return replace(lake, folder=self.folder, parts=(_part(file),))

    def reconcile(self, table: str, lake: LakeTable, limit: int = 20) -> TableVerdict:
        schema, name = table.split(".", 1)
        with self.one_moment() as source:
            key = KEYS.get(table, ("id",))
            return reconcile_table(
                self.con, source, lake, schema=schema, table=name, key=key, scratch=self.folder, limit=limit
            )


@pytest.fixture
def bench(dsn: str, con: duckdb.DuckDBPyConnection, tmp_path: Path) -> Bench:
    return Bench(dsn, con, tmp_path)


@pytest.mark.parametrize("table", sales.TABLES)
def test_table_equals_its_copy(bench: Bench, table: str) -> None:
    verdict = bench.reconcile(table, bench.lake_copy(table))
    assert verdict.equal
    assert verdict.differences == ()
    assert verdict.rows_source == verdict.rows_lake > 0


# one value per type as it has to lie in the lake, spelt out by hand: (id of the row in hard.every_type, column, value)
DELIVERED = [
    (2, "c_bigint", -(2**63)),
    (2, "c_numeric_38_37", Decimal("-9.9999999999999999999999999999999999999")),
    (2, "c_numeric_60_20", "-9999999999999999999999999999999999999999.99999999999999999999"),
    (2, "c_money", Decimal("-92233720368547758.0800")),
    (2, "c_boolean", "false"),
    (2, "c_char", ""),
    (2, "c_text", ""),
    (2, "c_bytea", b""),
    (2, "c_date", date(1, 1, 1)),
    (2, "c_timestamptz", datetime(1, 1, 1, tzinfo=UTC)),
    (2, "c_interval", "-178000000 YEARS"),
    (2, "c_inet", "0.0.0.0/0"),
    (3, "c_double", 1.7976931348623157e308),
    (3, "c_real", 3.4028235e38),
    (3, "c_varchar", "x" * 40),
    (3, "c_text", '\U0001f600 "quoted", and \\ more\r\n\tnext line '),
    (3, "c_bytea", b"\x00\x01\x7f\x80\xff"),
    (3, "c_time", "23:59:59.999"),
    (3, "c_timetz", "23:59:59.999"),
    (3, "c_timestamp", datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
    (3, "c_uuid", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
    (3, "c_json", '{"b" : 1,  "a":[ ], "b":"twice", "n": 1.0}'),
    (3, "c_jsonb", '{"a": [], "b": "twice", "n": 1.0}'),
    (3, "c_xml", '<?xml version="1.0"?><a b="1">ß &amp; more</a>'),
    (3, "c_bit", "11111111111"),
    (3, "c_enum", 'sad, but "fine"'),
    (3, "c_domain", Decimal("100.00")),
    (3, "c_composite", "(12.50,EUR)"),
    (3, "c_integers", "{-2147483648,NULL,2147483647}"),
    (3, "c_texts", '{NULL,"","NULL","a b",it\'s,"q\\"q"}'),
    (3, "c_int4range", "[-2147483648,2147483647)"),
    (3, "c_box", "(3,4),(1,2)"),
    (3, "c_tsvector", "'a' 'cat':3A,4 'fat'"),
    (4, "c_numeric", Decimal("0.611111")),
    (4, "c_double", float("nan")),
    (4, "c_char", "trailing"),
    (4, "c_varchar", "trailing    "),
    (4, "c_date", date(9999, 12, 31)),
    (4, "c_timestamp", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    (4, "c_time", "12:00:00.000"),
    (4, "c_interval", "1 YEAR, 2 MONTHS, 3 DAYS, 4 HOURS, 5 MINUTES, 6.789 SECONDS"),
    (4, "c_inet", "192.168.0.1/24"),
    (5, "c_numeric", Decimal("0.000000")),
    (5, "c_inet", "192.168.0.1"),
    (6, "c_numeric", Decimal("100000000000000000000.000000")),
    (6, "c_timestamptz", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
    (6, "c_timestamp", datetime(2026, 3, 29, 2, 30, tzinfo=UTC)),
    (7, "c_real", -0.0),
    (8, "c_double", 5e-324),
]


def test_values_are_expected_in_the_form_that_dms_delivers(bench: Bench) -> None:
    lake = bench.lake_copy("hard.every_type")
    bench.con.execute(f"CREATE OR REPLACE TEMP TABLE given AS FROM '{lake.folder / lake.parts[0].path}'")
    for row, column, value in DELIVERED:
        bench.con.execute(f"UPDATE given SET {column} = ? WHERE id = {row}", [value])
    assert bench.reconcile("hard.every_type", bench.change(lake, "FROM given")).differences == ()


def test_one_changed_value_of_every_type_is_found(bench: Bench) -> None:
    table = "hard.every_type"
    lake = bench.lake_copy(table)
    where = {column: 10 + i % 30 for i, column in enumerate(lake.columns) if column != "id"}
    changes = [
        f"CASE WHEN id = {row} THEN {nudged(column, lake.columns[column])} ELSE {column} END AS {column}"
        for column, row in where.items()
    ]
    differences = bench.reconcile(table, bench.change(lake, f"SELECT * REPLACE ({', '.join(changes)}) FROM rows"), 99)
    assert {difference.finding for difference in differences.differences} == {Finding.DIFFERENT}
    found = {difference.column: difference for difference in differences.differences}
    assert {column: int(str(difference.key["id"])) for column, difference in found.items()} == where
    assert all(difference.source != difference.lake for difference in found.values())


def nudged(column: str, kind: DeltaType) -> str:
    """The least change of a value: one unit in the last place, a microsecond, a blank."""
    match kind.name:
        case "decimal":
            return f"{column} + CAST('1e-{kind.scale}' AS {kind.duckdb})"
        case "float" | "double":
            return f"CAST(nextafter({column}, CAST('inf' AS {kind.duckdb})) AS {kind.duckdb})"
        case "timestamp":
            return f"{column} + INTERVAL 1 MICROSECOND"
        case "string":
            return f"{column} || ' '"
        case "binary":
            return f"{column} || '\\x00'::BLOB"
        case _:
            return f"CAST({column} + 1 AS {kind.duckdb})"


def test_null_and_empty_text_are_told_apart(bench: Bench) -> None:
    lake = bench.change(bench.lake_copy("sales.clients"), "SELECT * REPLACE (nullif(notes, '') AS notes) FROM rows")
    verdict = bench.reconcile("sales.clients", lake, limit=1)
    assert verdict.different > 0
    assert (verdict.differences[0].source, verdict.differences[0].lake) == ("", None)


def test_missing_and_extra_rows_by_composite_key(bench: Bench) -> None:
    lake = bench.change(
        bench.lake_copy("sales.sales_items"),
        "SELECT * REPLACE (CAST(line_no + 99 AS SMALLINT) AS line_no) FROM rows WHERE sale_id = 1 AND line_no = 1"
        " UNION ALL FROM rows WHERE NOT (sale_id = 1 AND line_no = 1)",
    )
    verdict = bench.reconcile("sales.sales_items", lake)
    assert (verdict.missing, verdict.extra, verdict.different) == (1, 1, 0)
    assert [(d.finding, d.key) for d in verdict.differences] == [
        (Finding.MISSING, {"sale_id": "1", "line_no": "1"}),
        (Finding.EXTRA, {"sale_id": "1", "line_no": "100"}),
    ]


def test_keyless_table_is_compared_as_a_multiset(bench: Bench) -> None:
    lake = bench.lake_copy("hard.no_key")
    once_less = bench.change(lake, "FROM rows LIMIT 39")
    once_more = bench.change(lake, "FROM rows UNION ALL (FROM rows LIMIT 1)")
    verdict = bench.reconcile("hard.no_key", once_more)
    assert (verdict.missing, verdict.extra) == (0, 1)
    lake = bench.change(lake, "FROM rows LIMIT 39")
    assert bench.reconcile("hard.no_key", once_less).missing == 1


def test_what_dms_narrows_is_said_per_column(bench: Bench) -> None:
    bench.execute(
        "CREATE TABLE hard.narrow (id int PRIMARY KEY, n numeric, t timetz, d date, v varchar, plain varchar(9000))",
        "INSERT INTO hard.narrow VALUES (1, 1.5, '00:00+00', '2026-01-01', 'x', 'x')",
        "INSERT INTO hard.narrow (id) VALUES (2)",
        "INSERT INTO hard.narrow VALUES (3, 1.0000001, '10:00+02', 'infinity', repeat('ß', 4500), repeat('ß', 4500))",
        "INSERT INTO hard.narrow VALUES (4, 'NaN', '10:00', '-infinity', 'x' || repeat('😀', 2500), NULL)",
    )
    verdict = bench.reconcile("hard.narrow", bench.lake_copy("hard.narrow"))
    assert verdict.equal
    assert {n.column: n.rows for n in verdict.narrowed} == {"n": 2, "t": 3, "d": 2, "v": 2}
    lengths = bench.con.execute(f"SELECT strlen(v) FROM '{bench.folder}/rows.parquet' WHERE id > 2 ORDER BY id")
    assert lengths.fetchall() == [(8000,), (7997,)]


def test_column_that_the_lake_lacks_is_compared_with_null(bench: Bench) -> None:
    bench.execute(
        "CREATE TABLE hard.grown (id int PRIMARY KEY, gone text)",
        "INSERT INTO hard.grown SELECT i, 'x' FROM generate_series(1, 5) AS i",
    )
    lake = bench.lake_copy("hard.grown")
    bench.execute("ALTER TABLE hard.grown DROP COLUMN gone, ADD COLUMN added int")
    verdict = bench.reconcile("hard.grown", lake)
    assert (verdict.equal, verdict.only_source, verdict.only_lake) == (True, ("added",), ("gone",))
    bench.execute("UPDATE hard.grown SET added = 7 WHERE id = 3")
    (found,) = bench.reconcile("hard.grown", lake).differences
    assert (found.key, found.column, found.source, found.lake) == ({"id": "3"}, "added", "7", None)


def test_types_that_were_widened_on_one_side_only_compare_by_value(bench: Bench) -> None:
    lake = bench.lake_copy("hard.evolving")
    wider = bench.change(
        lake, "SELECT id, name, CAST(counter AS BIGINT) AS counter, CAST(price AS DECIMAL(14,4)) AS price FROM rows"
    )
    columns = lake.columns | {"counter": DeltaType("long"), "price": DeltaType("decimal", 14, 4)}
    assert bench.reconcile("hard.evolving", replace(wider, columns=columns)).equal
    bench.execute("ALTER TABLE hard.evolving ALTER counter TYPE bigint, ALTER price TYPE numeric(14, 4)")
    assert bench.reconcile("hard.evolving", lake).equal
    bench.execute("UPDATE hard.evolving SET price = price + 0.0001, counter = 3000000000 WHERE id = 2")
    differences = bench.reconcile("hard.evolving", lake).differences
    assert {d.column: (d.source, d.lake) for d in differences} == {
        "price": ("0.5001", "0.5000"),
        "counter": ("3000000000", "2000"),
    }


def test_value_beyond_the_lakes_type_is_shown_not_hidden(bench: Bench) -> None:
    bench.execute(
        "CREATE TABLE hard.beyond (id int PRIMARY KEY, t timestamp)",
        "INSERT INTO hard.beyond VALUES (1, '2026-01-01 10:00:00.5'), (2, '2026-01-02')",
    )
    lake = bench.lake_copy("hard.beyond")
    bench.execute("UPDATE hard.beyond SET t = '294276-12-31' WHERE id = 2")
    (found,) = bench.reconcile("hard.beyond", lake).differences
    assert (found.key, found.source, found.lake) == ({"id": "2"}, "294276-12-31 00:00:00", "2026-01-02 00:00:00")


def test_generated_columns_that_are_not_replicated_are_left_out(bench: Bench) -> None:
    bench.execute(
        "CREATE TABLE hard.generated (id int PRIMARY KEY, v int GENERATED ALWAYS AS (id * 2) VIRTUAL)",
        "INSERT INTO hard.generated VALUES (1)",
    )
    assert [column.name for column in bench.columns("hard.generated")] == ["id"]


def test_table_that_the_source_lacks_is_named(bench: Bench) -> None:
    with pytest.raises(TableGone, match=r"no table sales\.nothing"):
        bench.columns("sales.nothing")


def test_delta_table_is_read_through_its_log(bench: Bench) -> None:
    location = bench.folder / "a lake" / "Delta Case"
    rows = [(i, f"Name {i}", f"semi{i}") for i in range(1, 4)]
    bench.execute(
        'CREATE TABLE hard."Delta Case" (id int PRIMARY KEY, "Customer Name" varchar(20), "a\'b" varchar(20))',
        *(sql.SQL('INSERT INTO hard."Delta Case" VALUES ({}, {}, {})').format(*row).as_string() for row in rows),
    )
    for row in rows:
        names = ("id", "Customer Name", "a'b", "_catchment_seq")
        table = pa.table(
            {n: pa.array([v], pa.int32() if n == "id" else None) for n, v in zip(names, (*row, ""), strict=True)}
        )
        write_deltalake(location, table, mode="append")
    lake = lake_table(location)
    assert list(lake.columns) == ["id", "Customer Name", "a'b"]
    assert len(lake.parts) == 3
    assert bench.reconcile("hard.Delta Case", lake).equal


def test_lake_table_without_files_lacks_every_row(bench: Bench) -> None:
    lake = LakeTable(
        bench.folder, (), {"id": DeltaType("integer"), "label": DeltaType("string"), "n": DeltaType("integer")}
    )
    verdict = bench.reconcile("hard.swaps", lake, limit=2)
    assert (verdict.missing, verdict.rows_lake, len(verdict.differences)) == (verdict.rows_source, 0, 2)


def test_value_of_many_megabytes_is_compared_whole(bench: Bench) -> None:
    bench.execute(
        "CREATE TABLE hard.huge (id int PRIMARY KEY, body text)",
        "INSERT INTO hard.huge SELECT i, repeat('0123456789', 150000 * i) FROM generate_series(1, 2) AS i",
    )
    lake = bench.lake_copy("hard.huge")
    assert bench.reconcile("hard.huge", lake).equal
    bench.execute("UPDATE hard.huge SET body = overlay(body placing 'x' from 2000001) WHERE id = 2")
    (found,) = bench.reconcile("hard.huge", lake).differences
    assert "x123456789" in str(found.source)
    assert "from character 1999981 of 3000000" in str(found.lake)


def test_interval_words_say_all_of_an_interval(bench: Bench) -> None:
    bench.execute(
        "CREATE TABLE hard.spans (id int PRIMARY KEY, span interval)",
        "INSERT INTO hard.spans SELECT i, make_interval(years => h % 50, months => h / 7 % 30, days => h / 11 % 90,"
        " hours => h / 13 % 200, mins => h / 17 % 300, secs => (h / 19 % 1000000) / 1000.0)"
        " FROM (SELECT i, hashint4(i) AS h FROM generate_series(1, 500) AS i)",
    )
    bench.lake_copy("hard.spans")
    said = bench.con.execute("SELECT id, replace(span, ',', '') FROM copied").fetchall()
    with psycopg.connect(bench.dsn) as connection:
        query = (
            "SELECT count(*) FROM hard.spans WHERE id = %s AND justify_interval(span) = justify_interval(%s::interval)"
        )
        wrong = [words for id_, words in said if connection.execute(query, [id_, words]).fetchone() != (1,)]
    assert wrong == []


def test_any_text_comes_through_the_copy_unchanged(bench: Bench) -> None:
    letters = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))

    @settings(max_examples=30, deadline=None)
    @given(st.lists(letters | st.sampled_from(["\\N", "\\.", "\\\\n"])))
    def holds(texts: list[str]) -> None:
        bench.execute("DROP TABLE IF EXISTS hard.words", "CREATE TABLE hard.words (word text)")
        with psycopg.connect(bench.dsn) as connection:
            connection.cursor().executemany("INSERT INTO hard.words VALUES (%s)", [(text,) for text in texts])
        bench.lake_copy("hard.words")
        assert bench.con.execute("SELECT word FROM copied").fetchall() == [(text,) for text in texts]

    holds()


def test_a_fingerprint_tells_tables_apart_by_their_rows_alone(bench: Bench) -> None:
    bench.execute(
        "CREATE TABLE hard.one (id int, v text)",
        "INSERT INTO hard.one VALUES (1, 'a'), (2, NULL), (2, NULL)",
        "CREATE TABLE hard.two AS SELECT * FROM hard.one ORDER BY id DESC",
    )
    with bench.one_moment() as source:
        one, two = (source.fingerprint("hard", table, ["id"]) for table in ("one", "two"))
    assert one == two
    bench.execute("UPDATE hard.two SET v = '' WHERE id = 1")
    with bench.one_moment() as source:
        changed = source.fingerprint("hard", "two", ["id"])
    assert (changed.rows, changed.keys, changed.values == one.values) == (one.rows, one.keys, False)
