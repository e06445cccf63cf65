"""Key ranges of files, and what a new one says of itself. Scope: delta_files and key_ranges, without a table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catchment.changes.relations import quote
from catchment.landing.types import DeltaType
from catchment.sinks.delta_actions import Add
from catchment.sinks.delta_files import Part, plan_bins, statistics
from catchment.sinks.key_ranges import bounds, comparable, leading

SECOND = "2024-01-01T00:00:01"
EXACT = {"min_is_exact": "true", "max_is_exact": "true"}


def part(number: int, records: int | None) -> Part:
    stats = None if records is None else json.dumps({"numRecords": records})
    return Part(number, Add(f"part-{number}", 100, 0, stats))


def holds(kind: str, low: Any, high: Any, key: str) -> bool:
    """Whether a file with these statistics may hold the key, given as a SQL literal."""
    parsed = DeltaType.parse(kind)
    found = bounds({"k": parsed}, {"k": low}, {"k": high})
    assert found is not None
    compared = comparable(f"CAST({key} AS {parsed.duckdb})", parsed)
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        [row] = con.execute(f"SELECT {compared} BETWEEN {found[0][0]} AND {found[0][1]}").fetchall()
    return bool(row[0])


@pytest.mark.parametrize(
    ("kind", "low", "high", "inside", "outside"),
    [
        ("long", 1, 5, "5", "6"),
        ("date", "2024-01-01", "2024-02-01", "'2024-02-01'", "'2024-02-02'"),
        ("string", "b", "d", "'d'", "'da'"),
        ("string", "a" * 32, "b" * 32 + "\U0010ffff", f"'{'b' * 32}zzz'", "'c'"),
        ("string", "a" * 32 + "y", "b", f"'{'a' * 32}z'", "'a'"),
        ("decimal(12,2)", 1.5, 2, "2.00", "2.01"),
        ("decimal(38,2)", 0, 123456789012345678901234.5, "123456789012345700000000.00", "123456789013000000000000"),
        ("timestamp", "2024-01-01T00:00:00Z", f"{SECOND}.001Z", f"'{SECOND}.001999+00'", f"'{SECOND}.004+00'"),
        ("timestamp", f"{SECOND}+02:00", f"{SECOND}+02:00", "'2023-12-31 22:00:01+00'", "'2024-01-01 00:00+00'"),
        ("timestamp_ntz", "2024-01-01T00:00:00", "2024-01-02T00:00:00", "'2024-01-02 00:00'", "'2024-01-02 00:01'"),
    ],
)  # fmt: skip
def test_bounds_never_lose_a_key(kind: str, low: Any, high: Any, inside: str, outside: str) -> None:
    assert holds(kind, low, high, inside)
    assert not holds(kind, low, high, outside)


@pytest.mark.parametrize(
    ("kind", "low", "high"),
    [
        ("long", None, 1),
        ("long", 1.0, 2.0),
        ("long", True, True),
        ("string", 1, 2),
        ("string", "a\0", "b"),
        ("date", "-0044-03-15", "2024-01-01"),
        ("timestamp", "2024-01-01T00:00:00.000", "2024-01-02T00:00:00.000"),
        ("timestamp_ntz", "2024-01-01T00:00:00.000Z", "2024-01-02T00:00:00.000Z"),
        ("timestamp", "+10000-01-01T00:00:00.000Z", "+10000-01-02T00:00:00.000Z"),
        ("decimal(4,2)", "1.00", "2.00"),
        ("decimal(4,2)", float("nan"), 1),
        ("decimal(4,2)", 1, 1e9),
    ],
)
def test_statistics_that_cannot_be_trusted_are_no_bounds(kind: str, low: Any, high: Any) -> None:
    assert bounds({"k": DeltaType.parse(kind)}, {"k": low}, {"k": high}) is None


def test_files_are_ordered_by_the_columns_that_can_have_bounds() -> None:
    kinds = {name: DeltaType.parse(kind) for name, kind in {"a": "long", "b": "double", "c": "long"}.items()}
    assert list(leading(kinds)) == ["a"]


def test_statistics_hold_only_what_json_says_exactly() -> None:
    found = {
        '"i"': {"min": "1", "max": "9", "null_count": "2"},
        '"t"': {"min": "2024-01-01 00:00:00.0004+00", "max": "2024-01-01 00:00:00.0004+00", "null_count": "0"},
        '"s"': {"min": "a", "max": "z" * 40, **EXACT},
        '"cut"': {"min": "a", "max": "z", "min_is_exact": "true", "max_is_exact": "false"},
        '"m"': {"min": "1.10", "max": "2.20"},
        '"wide"': {"min": "-1234567890123456.78", "max": "1234567890123456.78"},
        '"old"': {"min": "0044-03-15 (BC) 00:00:00+00", "max": "2024-01-01 00:00:00+00"},
        '"d"': {"min": "1.5", "max": "2.5"},
        '"b"': {"min": "0", "max": "1"},
    }
    kinds = {"i": "long", "t": "timestamp", "s": "string", "cut": "string", "m": "decimal(4,2)",
             "wide": "decimal(20,2)", "old": "timestamp", "d": "double", "b": "boolean"}  # fmt: skip
    stats = json.loads(statistics(9, found, {name: DeltaType.parse(kind) for name, kind in kinds.items()}))
    assert stats == {
        "numRecords": 9,
        "minValues": {"i": 1, "t": "2024-01-01T00:00:00.000Z", "s": "a", "m": 1.1, "wide": -1234567890123460},
        "maxValues": {
            "i": 9,
            "t": "2024-01-01T00:00:00.999Z",
            "s": "z" * 32 + "\U0010ffff",
            "m": 2.2,
            "wide": 1234567890123460,
        },
        "nullCount": {"i": 2, "t": 0},
    }


VALUES: dict[str, st.SearchStrategy[str]] = {
    "long": st.integers(-(2**63), 2**63 - 1).map(str),
    "string": st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=70),
    "decimal(38,5)": st.decimals(-(10**32), 10**32, places=5).map(str),
    "decimal(9,0)": st.integers(-(10**9) + 1, 10**9 - 1).map(str),
    "date": st.dates().map(str),
    "timestamp": st.datetimes().map(lambda moment: f"{moment}+00"),
    "timestamp_ntz": st.datetimes().map(str),
}


@settings(deadline=None, max_examples=60)
@given(kind=st.sampled_from(sorted(VALUES)), data=st.data())
def test_what_is_written_of_a_file_bounds_all_of_its_values(
    tmp_path_factory: Any, kind: str, data: st.DataObject
) -> None:
    parsed = DeltaType.parse(kind)
    values = data.draw(st.lists(VALUES[kind], min_size=1, max_size=4))
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        con.execute(f"CREATE TABLE t (k {parsed.duckdb})")
        con.executemany("INSERT INTO t VALUES (?)", [[value] for value in values])
        target: Path = tmp_path_factory.getbasetemp() / "bounds.parquet"
        result = con.execute(f"COPY t TO '{target}' (FORMAT parquet, RETURN_STATS)")
        names = [column[0] for column in result.description or []]
        said = dict(zip(names, result.fetchone() or (), strict=True))["column_statistics"]
        stats = json.loads(statistics(len(values), {quote("k"): said[quote("k")]}, {"k": parsed}))
        found = bounds({"k": parsed}, stats["minValues"], stats["maxValues"])
        if found is not None:
            inside = f"{comparable('k', parsed)} BETWEEN {found[0][0]} AND {found[0][1]}"
            assert con.execute(f"SELECT count(*) FROM t WHERE NOT ({inside})").fetchall() == [(0,)]
        else:
            assert kind in ("string", "date", "timestamp", "timestamp_ntz")  # years and texts JSON does not hold


@given(lengths=st.lists(st.integers(1, 500), max_size=12), inserts=st.integers(0, 300), data=st.data())
def test_bins_rewrite_every_touched_file_once(lengths: list[int], inserts: int, data: st.DataObject) -> None:
    parts = [part(i, length) for i, length in enumerate(lengths)]
    touched = data.draw(st.sets(st.sampled_from(range(len(parts)))) if parts else st.just(set()))
    bins = plan_bins(parts, touched, inserts, target_rows=400)
    rewritten = [each.number for group in bins for each in group.parts]
    assert len(rewritten) == len(set(rewritten))
    assert touched <= set(rewritten)
    assert sum(group.inserts for group in bins) == (1 if inserts else 0)


def test_small_commits_do_not_pile_up_files() -> None:
    lengths: list[int] = []
    for _ in range(300):
        parts = [part(i, length) for i, length in enumerate(lengths)]
        [group] = plan_bins(parts, set(), 10, target_rows=1_000_000)
        gone = {each.number for each in group.parts}
        lengths = [length for i, length in enumerate(lengths) if i not in gone]
        lengths.append(10 + sum(each.length for each in group.parts))
    assert sum(lengths) == 3000
    assert len(lengths) < 12
