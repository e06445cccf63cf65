"""Scope: comparing two relations in DuckDB: each planted difference is found, equal data raise no alarm."""

from collections.abc import Iterator

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catchment.reconcile.compare import Comparison, compare
from catchment.reconcile.verdict import Difference, Finding

TYPES = {
    "BIGINT": st.integers(-(2**63), 2**63 - 1),
    "DECIMAL(12,2)": st.decimals(-9999999999, 9999999999, places=2),
    "FLOAT": st.floats(width=32),
    "DOUBLE": st.floats(),
    "VARCHAR": st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12),
    "BLOB": st.binary(max_size=8),
    "DATE": st.dates(),
    "TIMESTAMP": st.datetimes(),
}


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 2, "memory_limit": "256MB"}) as connection:
        yield connection


def fill(con: duckdb.DuckDBPyConnection, name: str, columns: dict[str, str], rows: list[tuple[object, ...]]) -> None:
    declared = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} ({declared})")
    if rows:
        con.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(columns))})", rows)


def check(
    con: duckdb.DuckDBPyConnection,
    columns: dict[str, str],
    source: list[tuple[object, ...]],
    lake: list[tuple[object, ...]],
    key: tuple[str, ...] = ("id",),
    limit: int = 20,
) -> Comparison:
    fill(con, "s", columns, source)
    fill(con, "l", columns, lake)
    return compare(con, "s", "l", key=key, limit=limit)


@pytest.mark.parametrize(
    ("kind", "source", "lake", "shown"),
    [
        ("BIGINT", "1", "2", ("1", "2")),
        ("BIGINT", "0", None, ("0", None)),
        ("DECIMAL(12,2)", "1.10", "1.11", ("1.10", "1.11")),
        ("FLOAT", "0.1", "0.10000001", ("0.1", "0.10000001")),
        ("DOUBLE", "0.1", "0.10000000000000002", ("0.1", "0.10000000000000002")),
        ("DOUBLE", "-0.0", "0.0", ("-0.0", "0.0")),
        ("DOUBLE", "NaN", "Infinity", ("nan", "inf")),
        ("DOUBLE", "NaN", None, ("nan", None)),
        ("VARCHAR", "", None, ("", None)),
        ("VARCHAR", "a", "A", ("a", "A")),
        ("VARCHAR", "a", "a ", ("a", "a ")),
        ("VARCHAR", "ä", "a\u0308", ("ä", "a\u0308")),
        ("VARCHAR", '{"a": 1}', '{"a":1}', ('{"a": 1}', '{"a":1}')),
        ("BLOB", "\\x00", "\\x00\\x00", ("\\x00", "\\x0000")),
        ("DATE", "2026-01-01", "2026-01-02", ("2026-01-01", "2026-01-02")),
        (
            "TIMESTAMP",
            "2026-01-01 00:00:00.000001",
            "2026-01-01 00:00:00",
            ("2026-01-01 00:00:00.000001", "2026-01-01 00:00:00"),
        ),
        ("BOOLEAN", "true", "false", ("true", "false")),
    ],
)
def test_each_kind_of_changed_value_is_reported_with_both_values(
    con: duckdb.DuckDBPyConnection, kind: str, source: str, lake: str | None, shown: tuple[str | None, str | None]
) -> None:
    untouched = [(i, source) for i in range(2, 40)]
    found = check(con, {"id": "INTEGER", "v": kind}, [(1, source), *untouched], [(1, lake), *untouched])
    assert (found.missing, found.extra, found.different) == (0, 0, 1)
    assert found.differences == (Difference(Finding.DIFFERENT, {"id": "1"}, "v", *shown),)


def test_missing_and_extra_rows_are_listed_by_key(con: duckdb.DuckDBPyConnection) -> None:
    columns = {"a": "VARCHAR", "b": "INTEGER", "v": "VARCHAR"}
    source = [("x", 1, "one"), ("x", 2, "two")]
    found = check(con, columns, source, [("x", 1, "one"), ("x ", 2, "two")], key=("a", "b"))
    assert (found.missing, found.extra, found.different) == (1, 1, 0)
    assert set(map(str, found.differences)) == {
        str(Difference(Finding.MISSING, {"a": "x", "b": "2"})),
        str(Difference(Finding.EXTRA, {"a": "x ", "b": "2"})),
    }


def test_row_that_the_lake_holds_twice_is_extra(con: duckdb.DuckDBPyConnection) -> None:
    found = check(con, {"id": "INTEGER", "v": "INTEGER"}, [(1, 1)], [(1, 1), (1, 1), (1, 1)])
    assert (found.missing, found.extra, found.different) == (0, 2, 0)
    assert found.differences == (Difference(Finding.EXTRA, {"id": "1"}),)


def test_null_in_the_lakes_key_is_an_extra_row(con: duckdb.DuckDBPyConnection) -> None:
    found = check(con, {"id": "INTEGER", "v": "INTEGER"}, [(1, 1)], [(1, 1), (None, 1), (None, 1)])
    assert (found.missing, found.extra, found.different) == (0, 2, 0)


def test_all_are_counted_though_only_some_are_listed(con: duckdb.DuckDBPyConnection) -> None:
    columns = {"id": "INTEGER", "v": "INTEGER", "w": "INTEGER"}
    found = check(con, columns, [(i, 0, 0) for i in range(100)], [(i, 1, 1) for i in range(100)], limit=3)
    assert found.different == 100
    assert [(d.key["id"], d.column) for d in found.differences] == [(str(i), c) for i in range(3) for c in ("v", "w")]


def test_keyless_rows_are_counted_as_often_as_they_occur(con: duckdb.DuckDBPyConnection) -> None:
    columns = {"a": "INTEGER", "f": "DOUBLE"}
    source = [(1, None), (1, None), (2, 0.0), (3, float("nan"))]
    assert check(con, columns, source, list(reversed(source)), key=()).differences == ()
    found = check(con, columns, source, [(1, None), (2, -0.0), (3, float("nan")), (3, float("nan"))], key=())
    assert (found.missing, found.extra) == (2, 2)


def test_long_values_are_shown_around_their_first_difference(con: duckdb.DuckDBPyConnection) -> None:
    found = check(con, {"id": "INTEGER", "v": "VARCHAR"}, [(1, "x" * 5000 + "A" + "y" * 500)], [(1, "x" * 5000 + "B")])
    (difference,) = found.differences
    assert "xA" in str(difference.source)
    assert "xB" in str(difference.lake)
    assert len(str(difference.source)) < 250


def test_table_of_nothing_but_its_key(con: duckdb.DuckDBPyConnection) -> None:
    found = check(con, {"id": "INTEGER"}, [(1,), (2,)], [(1,)])
    assert (found.missing, found.extra, found.different) == (1, 0, 0)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_equal_data_raise_no_alarm_in_any_order(con: duckdb.DuckDBPyConnection, data: st.DataObject) -> None:
    values = st.tuples(*[st.none() | strategy for strategy in TYPES.values()])
    columns = {"id": "INTEGER"} | {f"c {kind}": kind for kind in TYPES}
    rows = [(i, *row) for i, row in enumerate(data.draw(st.lists(values, max_size=8)))]
    shuffled = data.draw(st.permutations(rows))
    for key in (("id",), ()):
        found = check(con, columns, rows, shuffled, key=key)
        assert (found.missing, found.extra, found.different, found.differences) == (0, 0, 0, ())
