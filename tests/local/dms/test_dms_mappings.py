"""Table mappings: wildcards, precedence, refusals."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.dms.mappings import AddedColumn, Locator, MappingRefused, parse_mappings


@pytest.mark.parametrize(
    ("pattern", "table", "matches"),
    [
        ("%", "orders", True),
        ("order_items", "order_items", True),
        ("order_items", "orderXitems", True),
        ("order[_]items", "orderXitems", False),
        ("order[_]items", "order_items", True),
        ("part[ab]", "partb", True),
        ("part[ab]", "partc", False),
        ("or%", "Orders", False),
        ("a.c", "abc", False),
        ("a%z", "a\nz", True),
    ],
)
def test_wildcards_of_include_rules(pattern: str, table: str, matches: bool) -> None:
    assert Locator("shop", pattern).matches("shop", table) is matches


def test_explicit_rules_take_names_as_they_are() -> None:
    assert not Locator("shop", "order_items", exact=True).matches("shop", "orderXitems")
    assert Locator("shop", "100%", exact=True).matches("shop", "100%")


def rule(kind: str, number: int, action: str, table: str = "%", **more: Any) -> dict[str, Any]:
    return {
        "rule-type": kind,
        "rule-id": str(number),
        "rule-name": f"rule {number}",
        "rule-action": action,
        "object-locator": {"schema-name": "shop", "table-name": table},
        **more,
    }


def parsed(*rules: dict[str, Any]) -> Any:
    return parse_mappings(json.dumps({"rules": rules}))


def added(number: int, name: str, expression: str) -> dict[str, Any]:
    more = {"rule-target": "column", "value": name, "expression": expression, "data-type": {"type": "string"}}
    return rule("transformation", number, "add-column", **more)


def test_exclusion_wins_and_the_lower_rule_id_wins() -> None:
    rules = parsed(
        rule("selection", 9, "exclude", "secret%"),
        rule("selection", 1, "include"),
        added(7, "seq", "$AR_H_OPERATION"),
        added(5, "seq", "$AR_H_CHANGE_SEQ"),
    )
    assert rules.selects("shop", "orders")
    assert not rules.selects("shop", "secrets")
    assert not rules.selects("other", "orders")
    assert rules.added_columns("shop", "orders") == (AddedColumn("seq", "$AR_H_CHANGE_SEQ"),)
    assert rules.before_image("shop", "orders") is None


@pytest.mark.parametrize(
    ("rules", "complaint"),
    [
        ([rule("selection", 1, "include", filters=[{"filter-type": "source"}])], "rule 1: filters are not emulated"),
        (
            [rule("selection", 1, "include"), rule("transformation", 2, "rename", **{"rule-target": "table"})],
            "'rename'",
        ),
        ([rule("selection", 1, "include"), added(2, "x", "$AR_H_USER")], r"rule 2: expression '\$AR_H_USER'"),
        ([rule("selection", 1, "include"), rule("selection", 1, "include")], "rule-id must be there and unique"),
        ([rule("selection", 1, "include"), rule("post-processing", 2, "add-tag")], "'post-processing' is not emulated"),
        ([], "no selection rule"),
    ],
)
def test_what_is_not_emulated_is_refused_by_rule(rules: list[dict[str, Any]], complaint: str) -> None:
    with pytest.raises(MappingRefused, match=complaint):
        parsed(*rules)
