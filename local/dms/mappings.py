"""Table mappings: which tables a task takes and which columns it adds.

AWS DMS User Guide, "Specifying table selection and transformations rules" and "Table and collection settings rules".
A rule that is not emulated is refused by its id and name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from local.dms.segments import Ranges

CHANGE_SEQ = "$AR_H_CHANGE_SEQ"
EXPRESSIONS = (CHANGE_SEQ, "$AR_H_OPERATION", "$AR_M_SOURCE_SCHEMA", "$AR_M_SOURCE_TABLE_NAME")


class MappingRefused(ValueError):
    """A table mapping says something DMS refuses or the emulator does not do."""

    def __init__(self, rule: str, what: str) -> None:
        super().__init__(rule, what)
        self.rule, self.what = rule, what

    def __str__(self) -> str:
        return f"table mapping rule {self.rule}: {self.what}"


@dataclass(frozen=True)
class AddedColumn:
    """An add-column rule as it applies to a table: the column's name and its expression."""

    name: str
    expression: str


@dataclass(frozen=True)
class Locator:
    """Which tables a rule means. ``exact`` names are compared as they are, others are patterns."""

    schema: str
    table: str
    exact: bool = False

    def matches(self, schema: str, table: str) -> bool:
        """Whether the table is meant. Names are case-sensitive."""
        if self.exact:
            return (schema, table) == (self.schema, self.table)
        return bool(_pattern(self.schema).fullmatch(schema) and _pattern(self.table).fullmatch(table))


@dataclass(frozen=True)
class TableRules:
    """The rules of a task, in the order of their ids; the lower id wins."""

    included: tuple[Locator, ...]
    excluded: tuple[Locator, ...]
    added: tuple[tuple[Locator, AddedColumn], ...]
    before: tuple[tuple[Locator, tuple[str, str]], ...]
    lob_kilobytes: Mapping[tuple[str, str], int]
    ranges: Mapping[tuple[str, str], Ranges]

    def selects(self, schema: str, table: str) -> bool:
        """Whether the task takes the table."""
        return _any(self.included, schema, table) and not _any(self.excluded, schema, table)

    def added_columns(self, schema: str, table: str) -> tuple[AddedColumn, ...]:
        """The add-column columns of a table; of two with one name the first rule wins."""
        chosen: dict[str, AddedColumn] = {}
        for locator, column in self.added:
            if locator.matches(schema, table):
                chosen.setdefault(column.name, column)
        return tuple(chosen.values())

    def before_image(self, schema: str, table: str) -> tuple[str, str] | None:
        """Prefix and suffix of the table's before-image columns, None where it has none."""
        return next((affix for locator, affix in self.before if locator.matches(schema, table)), None)


def parse_mappings(text: str) -> TableRules:
    """Read a TableMappings document. Raises MappingRefused naming the rule."""
    try:
        rules = json.loads(text)["rules"]
    except (ValueError, KeyError, TypeError) as error:
        raise MappingRefused("-", f"not a JSON object with a list of rules ({error})") from error
    _check_ids(rules)
    parts: dict[str, list[Any]] = {"include": [], "exclude": [], "added": [], "before": [], "lob": [], "ranges": []}
    for rule in sorted(rules, key=lambda one: int(one["rule-id"])):
        reader = _READERS.get(rule.get("rule-type"))
        if reader is None:
            raise MappingRefused(rule["rule-id"], f"rule-type {rule.get('rule-type')!r} is not emulated")
        reader(rule, parts)
    if not parts["include"]:
        raise MappingRefused("-", "no selection rule includes a table")
    return TableRules(
        tuple(parts["include"]),
        tuple(parts["exclude"]),
        tuple(parts["added"]),
        tuple(parts["before"]),
        dict(reversed(parts["lob"])),
        dict(reversed(parts["ranges"])),
    )


def _check_ids(rules: Iterable[Mapping[str, Any]]) -> None:
    seen: set[str] = set()
    for rule in rules:
        for field in ("rule-id", "rule-name"):
            value = str(rule.get(field, ""))
            if not value or f"{field}={value}" in seen:
                raise MappingRefused(value or "-", f"{field} must be there and unique")
            seen.add(f"{field}={value}")
        if not str(rule["rule-id"]).isdigit():
            raise MappingRefused(rule["rule-id"], "rule-id must be a number")


def _read_selection(rule: Mapping[str, Any], parts: dict[str, list[Any]]) -> None:
    _only(rule, "object-locator", "rule-action", "filters", "load-order")
    action = rule.get("rule-action")
    if action not in ("include", "exclude", "explicit"):
        raise MappingRefused(rule["rule-id"], f"rule-action {action!r} is not emulated")
    if rule.get("filters"):
        raise MappingRefused(rule["rule-id"], "filters are not emulated")
    locator = _locator(rule, exact=action == "explicit")
    parts["exclude" if action == "exclude" else "include"].append(locator)


def _read_transformation(rule: Mapping[str, Any], parts: dict[str, list[Any]]) -> None:
    _only(rule, "object-locator", "rule-action", "rule-target", "value", "expression", "data-type", "before-image-def")
    action, number = rule.get("rule-action"), rule["rule-id"]
    if rule.get("rule-target") != "column" or action not in ("add-column", "add-before-image-columns"):
        raise MappingRefused(number, f"{action!r} on {rule.get('rule-target')!r} is not emulated")
    if action == "add-before-image-columns":
        parts["before"].append((_locator(rule), _before_image(rule)))
        return
    if rule.get("expression") not in EXPRESSIONS:
        raise MappingRefused(number, f"expression {rule.get('expression')!r} is not emulated")
    if rule.get("data-type", {}).get("type") != "string":
        raise MappingRefused(number, "add-column is emulated for data-type string only")
    parts["added"].append((_locator(rule), AddedColumn(rule["value"], rule["expression"])))


def _before_image(rule: Mapping[str, Any]) -> tuple[str, str]:
    said = rule.get("before-image-def", {})
    prefix, suffix = said.get("column-prefix", ""), said.get("column-suffix", "")
    if not prefix and not suffix:
        raise MappingRefused(rule["rule-id"], "column-prefix and column-suffix must not both be empty")
    if said.get("column-filter") != "pk-only":
        raise MappingRefused(rule["rule-id"], f"column-filter {said.get('column-filter')!r} is not emulated")
    return prefix, suffix


def _read_table_settings(rule: Mapping[str, Any], parts: dict[str, list[Any]]) -> None:
    _only(rule, "object-locator", "lob-settings", "parallel-load")
    locator, lob = _locator(rule, exact=True), rule.get("lob-settings", {})
    if "%" in locator.schema + locator.table:
        raise MappingRefused(rule["rule-id"], "table-settings need exact names")
    if lob.get("mode", "limited") != "limited":
        raise MappingRefused(rule["rule-id"], f"lob-settings mode {lob['mode']!r} is not emulated; S3 knows limited")
    if "bulk-max-size" in lob:
        parts["lob"].append(((locator.schema, locator.table), int(lob["bulk-max-size"])))
    if "parallel-load" in rule:
        parts["ranges"].append(((locator.schema, locator.table), _ranges(rule["rule-id"], rule["parallel-load"])))


def _ranges(number: str, load: Mapping[str, Any]) -> Ranges:
    if load.get("type") != "ranges":
        raise MappingRefused(
            number, f"parallel-load {load.get('type')!r}: a PostgreSQL source is loaded by ranges only"
        )
    columns, boundaries = tuple(load.get("columns", ())), tuple(map(tuple, load.get("boundaries", ())))
    if not columns or not boundaries or any(len(boundary) != len(columns) for boundary in boundaries):
        raise MappingRefused(number, "parallel-load: boundaries must have a value for each of the columns")
    return Ranges(columns, boundaries)


_READERS = {
    "selection": _read_selection,
    "transformation": _read_transformation,
    "table-settings": _read_table_settings,
}


def _only(rule: Mapping[str, Any], *fields: str) -> None:
    unknown = sorted(set(rule) - {"rule-type", "rule-id", "rule-name", *fields})
    if unknown:
        raise MappingRefused(rule["rule-id"], f"{', '.join(unknown)} not emulated")


def _locator(rule: Mapping[str, Any], *, exact: bool = False) -> Locator:
    where = rule.get("object-locator", {})
    if set(where) - {"schema-name", "table-name", "column-name"} or not {"schema-name", "table-name"} <= set(where):
        raise MappingRefused(rule["rule-id"], f"object-locator {where!r} must have schema-name and table-name")
    return Locator(where["schema-name"], where["table-name"], exact)


def _any(locators: Iterable[Locator], schema: str, table: str) -> bool:
    return any(locator.matches(schema, table) for locator in locators)


def _pattern(wildcards: str) -> re.Pattern[str]:
    # %, _ and [abc]; [_] is a real underscore
    parts = re.findall(r"\[[^\]]+\]|.", wildcards, re.DOTALL)
    spelled = {"%": ".*", "_": "."}
    return re.compile(
        "".join(spelled.get(p) or (f"[{re.escape(p[1:-1])}]" if len(p) > 1 else re.escape(p)) for p in parts),
        re.DOTALL,
    )
