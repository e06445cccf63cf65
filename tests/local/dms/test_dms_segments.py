"""A table that is loaded by ranges: every row in one part, but for those that have NULL in a column of theirs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.dms.mappings import MappingRefused, parse_mappings
from local.dms.segments import Ranges
from tests.local.dms.test_dms_service import Dms, dms

__all__ = ["dms"]


def _setting(**load: Any) -> dict[str, Any]:
    where = {"schema-name": "shop", "table-name": "orders"}
    return {
        "rule-type": "table-settings",
        "rule-id": "900",
        "rule-name": "parts",
        "object-locator": where,
        "parallel-load": load,
    }


def test_each_part_has_files_of_its_own_and_null_has_none(
    dms: Dms, mappings: list[Any], wait_for: Callable[..., Any]
) -> None:
    dms.shop.run("INSERT INTO shop.orders VALUES (3, 'a'), (4, NULL), (5, NULL), (6, 'z')")
    parts = _setting(type="ranges", columns=["id", "status"], boundaries=[["2", "a"], ["4", "b"]])
    changed = json.dumps({"rules": [*mappings, parts]})
    dms.call("ModifyReplicationTask", ReplicationTaskArn=dms.task, TableMappings=changed)
    dms.test_connections(wait_for)
    dms.start()
    wait_for(lambda: dms.line().get("TableState") == "Table completed", "the full load")
    assert dms.files() == [f"SEGMENT{number}_LOAD00000001.parquet" for number in (1, 2, 3)]
    # (5, NULL) is above the last boundary by its first column already; of (4, NULL) nobody can tell.
    assert dms.line()["FullLoadRows"] == 5


ROWS = st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), max_size=20)
BOUNDARIES = st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=1, max_size=3, unique=True).map(
    sorted
)


@given(rows=ROWS, boundaries=BOUNDARIES)
def test_every_row_is_in_exactly_one_part_and_parts_rise(
    rows: list[tuple[int, int]], boundaries: list[tuple[int, int]]
) -> None:
    texts = tuple(tuple(map(str, boundary)) for boundary in boundaries)
    parts = [_as_python(condition) for condition in Ranges(("a", "b"), texts).conditions(str, str)]
    for a, b in rows:
        met = [number for number, part in enumerate(parts) if eval(part, {"a": a, "b": b})]  # noqa: S307
        assert met == [sum((a, b) >= boundary for boundary in boundaries)]


def _as_python(condition: str) -> str:
    """A condition on integers, which Python reads alike."""
    return condition.replace(" = ", " == ").replace("NOT", "not").replace("AND", "and").replace("OR", "or")


@pytest.mark.parametrize(
    "load",
    [
        {"type": "partitions-auto"},
        {"type": "partitions-list", "partitions": ["p"]},
        {"type": "ranges", "columns": ["id"], "boundaries": [["1", "2"]]},
        {"type": "ranges", "columns": ["id"], "boundaries": []},
    ],
)
def test_parts_that_postgresql_does_not_have_are_refused(mappings: list[Any], load: dict[str, Any]) -> None:
    with pytest.raises(MappingRefused, match="parallel-load"):
        parse_mappings(json.dumps({"rules": [*mappings, _setting(**load)]}))
