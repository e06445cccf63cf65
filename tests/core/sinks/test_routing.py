"""Where new rows go and what is written together. Scope: catchment.sinks.routing, on keys that are whole numbers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from catchment.sinks.delta_actions import Add
from catchment.sinks.delta_files import Part
from catchment.sinks.routing import Group, KeyOrder

TARGET = 30_000


@dataclass(frozen=True)
class File:
    """A file of one key in ``low`` … ``high``, all of ``rows`` long."""

    low: int
    high: int
    rows: int


def order(files: list[File]) -> KeyOrder:
    return KeyOrder([Part(i, Add(f"{i}", 1, 0, json.dumps({"numRecords": file.rows}))) for i, file in enumerate(files)])


def slot(files: list[File], key: int) -> int:
    """Where the layout's join puts a key."""
    lower = [i for i, file in enumerate(files) if file.low <= key]
    return 2 * lower[-1] + 1 + (key > files[lower[-1]].high) if lower else 0


@st.composite
def tables(draw: st.DrawFn) -> list[File]:
    """Files beside each other, some with gaps between them."""
    files, at = [], 0
    for _ in range(draw(st.integers(0, 8))):
        low = at + draw(st.integers(1, 3))
        at = low + draw(st.integers(0, 20))
        files.append(File(low, at, draw(st.sampled_from([10, 500, 9_000, 29_000, 200_000]))))
    return files


@given(files=tables(), data=st.data())
def test_every_file_and_every_new_row_is_written_once_and_ranges_stay_apart(
    files: list[File], data: st.DataObject
) -> None:
    touched = data.draw(st.sets(st.sampled_from(range(len(files)))) if files else st.just(set()))
    keys = data.draw(st.lists(st.integers(-2, 60), max_size=6))
    many = data.draw(st.sampled_from([1, 100, 40_000]))
    fresh: dict[int, int] = {}
    for key in keys:
        fresh[slot(files, key)] = fresh.get(slot(files, key), 0) + many
    groups = order(files).plan(touched, fresh, TARGET)
    written = [part.number for group in groups for part in group.parts]
    slots = [slot for group in groups for slot in group.slots]
    assert len(written) == len(set(written))
    assert touched <= set(written)
    assert len(slots) == len(set(slots))
    assert set(fresh) <= set(slots)
    assert {2 * number + 1 for number in touched} <= set(slots)
    assert set(written) >= {slot // 2 for slot in fresh if slot % 2}
    assert_apart(files, groups, {key: slot(files, key) for key in keys}, set(written))


def assert_apart(files: list[File], groups: list[Group], keys: dict[int, int], written: set[int]) -> None:
    """The key ranges of what is written and of what stays do not overlap."""
    ranges = [(file.low, file.high) for i, file in enumerate(files) if i not in written]
    for group in groups:
        ends = [end for part in group.parts for end in (files[part.number].low, files[part.number].high)]
        ends += [key for key, slot in keys.items() if slot in group.slots]
        ranges.append((min(ends), max(ends)))
    ranges.sort()
    assert all(before[1] < after[0] for before, after in pairwise(ranges))


def test_growing_keys_are_appended_and_nothing_else_is_read() -> None:
    files = [File(0, 9, 29_000), File(10, 19, 29_000)]
    [group] = order(files).plan(set(), {slot(files, 25): 20_000}, TARGET)
    assert (group.parts, group.pieces) == ([], 1)


def test_many_new_rows_behind_the_last_file_become_several_files() -> None:
    [group] = order([File(0, 9, 29_000)]).plan(set(), {2: 100_000}, TARGET)
    assert (group.parts, group.pieces) == ([], 4)


def test_a_file_that_outgrows_its_size_is_split() -> None:
    [group] = order([File(0, 9, 29_000)]).plan(set(), {1: 20_000}, TARGET)
    assert ([part.number for part in group.parts], group.pieces) == ([0], 2)


def test_an_update_alone_takes_no_other_file_with_it() -> None:
    [group] = order([File(0, 9, 10), File(10, 19, 10)]).plan({1}, {}, TARGET)
    assert [part.number for part in group.parts] == [1]


def test_small_files_do_not_pile_up_where_keys_grow() -> None:
    files: list[File] = []
    for commit in range(300):
        [group] = order(files).plan(set(), {2 * len(files): 4_000}, 1_000_000)
        kept = [file for i, file in enumerate(files) if i not in {part.number for part in group.parts}]
        low = min([commit, *(files[part.number].low for part in group.parts)])
        files = [*kept, File(low, commit, group.rows)]
    assert sum(file.rows for file in files) == 1_200_000
    assert len(files) < 12
