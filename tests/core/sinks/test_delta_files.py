"""Which files a commit looks into and rewrites. Scope: catchment.sinks.delta_files, without a table."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catchment.landing.types import DeltaType
from catchment.sinks.delta_files import Part, may_hold, plan_bins, statistics


def part(number: int, records: int | None, low: Any = None, high: Any = None) -> Part:
    return Part(number, f"part-{number}", 1, records, {"k": low}, {"k": high})


def holds(kind: str, low: Any, high: Any, key: str) -> bool:
    """Whether a file with these bounds may hold the key, given as a SQL literal."""
    condition = may_hold(part(0, 1, low, high), {"k": DeltaType.parse(kind)}, "w")
    duck = DeltaType.parse(kind).duckdb
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        [row] = con.execute(f"SELECT {condition} FROM (SELECT CAST({key} AS {duck}) AS k0) w").fetchall()
    return bool(row[0])


@pytest.mark.parametrize(
    ("kind", "low", "high", "inside", "outside"),
    [
        ("long", 1, 5, "5", "6"),
        ("date", date(2024, 1, 1), date(2024, 2, 1), "'2024-02-01'", "'2024-02-02'"),
        ("string", "b", "d", "'d'", "'da'"),
        ("string", "a" * 32, "b" * 32 + "\U0010ffff", f"'{'b' * 32}zzz'", "'c'"),
        (
            "timestamp",
            datetime(2024, 1, 1, tzinfo=UTC),
            datetime(2024, 1, 1, 0, 0, 1, 1000, tzinfo=UTC),
            "'2024-01-01 00:00:01.001999+00'",
            "'2024-01-01 00:00:01.003+00'",
        ),
    ],
)
def test_bounds_never_lose_a_key(kind: str, low: Any, high: Any, inside: str, outside: str) -> None:
    assert holds(kind, low, high, inside)
    assert not holds(kind, low, high, outside)


@pytest.mark.parametrize("kind", ["double", "decimal(4,2)", "binary", "boolean"])
def test_types_whose_bounds_are_inexact_are_not_pruned(kind: str) -> None:
    assert may_hold(part(0, 1, 1, 1), {"k": DeltaType.parse(kind)}, "w") == "TRUE"


def test_statistics_hold_only_what_json_says_exactly() -> None:
    found = {
        '"i"': {"min": "1", "max": "9", "null_count": "2"},
        '"t"': {"min": "2024-01-01 00:00:00.0004+00", "max": "2024-01-01 00:00:00.0004+00", "null_count": "0"},
        '"s"': {"min": "a", "max": "z" * 40, "min_is_exact": "true", "max_is_exact": "true"},
        '"m"': {"min": "1.10", "max": "2.20"},
        '"old"': {"min": "0044-03-15 (BC) 00:00:00+00", "max": "2024-01-01 00:00:00+00"},
    }
    kinds = {"i": "long", "t": "timestamp", "s": "string", "m": "decimal(4,2)", "old": "timestamp"}
    stats = json.loads(statistics(9, found, {name: DeltaType.parse(kind) for name, kind in kinds.items()}))
    assert stats == {
        "numRecords": 9,
        "minValues": {"i": 1, "t": "2024-01-01T00:00:00.000Z"},
        "maxValues": {"i": 9, "t": "2024-01-01T00:00:00.999Z"},
        "nullCount": {"i": 2, "t": 0},
    }


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
        lengths.append(10 + sum(each.records or 0 for each in group.parts))
    assert sum(lengths) == 3000
    assert len(lengths) < 12
