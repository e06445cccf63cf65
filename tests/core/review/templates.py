"""Small templates, as ``cdk synth`` would have them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from catchment.review import Effect, Resource, Stack, review

Template = dict[str, tuple[str, dict[str, Any]]]
"""Type and properties by logical id."""


def stack(name: str, template: Template, *, exports: Mapping[str, Any] | None = None, **policies: str) -> Stack:
    """A stack; ``policies``: the deletion policy by logical id."""
    resources = {
        logical_id: Resource(
            name, logical_id, kind, logical_id, properties, policies.get(logical_id, "Delete"),
            policies.get(logical_id, "Delete"),
        )
        for logical_id, (kind, properties) in template.items()
    }  # fmt: skip
    return Stack(name, resources, exports or {})


def told(before: Template, after: Template, *, rows: Mapping[str, int] | None = None, **policies: str) -> list[str]:
    """The effects of one stack's change, as ``level: words``."""
    effects = review({"S": stack("S", before, **policies)}, {"S": stack("S", after, **policies)}, rows)
    return said(effects)


def said(effects: Sequence[Effect]) -> list[str]:
    """Effects as ``level: words``."""
    return [f"{effect.level.word}: {effect.words}" for effect in effects]


def mappings(*tables: str, sequence: str = "dms_seq") -> str:
    """A task's table mappings, as text."""
    selections = [
        {
            "rule-type": "selection",
            "rule-id": str(i),
            "rule-action": "explicit",
            "object-locator": dict(zip(("schema-name", "table-name"), table.split("."), strict=True)),
        }
        for i, table in enumerate(tables)
    ]
    added = {"rule-type": "transformation", "rule-id": "100", "rule-action": "add-column", "value": sequence}
    return json.dumps({"rules": [*selections, added]})
