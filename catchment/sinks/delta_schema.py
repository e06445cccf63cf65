"""A Delta table's schema: JSON text in its metadata, types by column here."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from catchment.landing.types import DeltaType


def fields(schema: str) -> Sequence[dict[str, Any]]:
    """The fields of a schema, as the protocol has them."""
    found: Sequence[dict[str, Any]] = json.loads(schema)["fields"]
    return found


def columns_of(schema: str) -> dict[str, DeltaType]:
    """The columns and their types. Raises ValueError for a nested one, which no source type becomes."""
    found = {}
    for field in fields(schema):
        kind = field["type"]
        if not isinstance(kind, str):
            raise ValueError(f"column {field['name']} is {kind.get('type')}, which no source type becomes")
        found[field["name"]] = DeltaType.parse(kind)
    return found


def schema_of(columns: Mapping[str, DeltaType], before: str | None = None) -> str:
    """The schema with these columns; what ``before`` says of a column besides its type is kept."""
    known = {field["name"]: field for field in fields(before)} if before is not None else {}
    written = [
        {"name": name, "nullable": True, "metadata": {}} | known.get(name, {}) | {"type": str(kind)}
        for name, kind in columns.items()
    ]
    return json.dumps({"type": "struct", "fields": written}, ensure_ascii=False, separators=(",", ":"))
