"""The tables' contracts are an asset: its hash says that something changed, this says what it does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from catchment.review.context import Context
from catchment.review.effects import Effect, Level

_RELOADS = {
    "key": "has another key",
    "partition_by": "is partitioned otherwise",
}
_SOURCE = "Catchment, docs/reload.md"


def contract_effects(context: Context) -> Iterator[Effect]:
    """What becomes of tables whose contract changes. Tables that come or go are told by their task."""
    for stack in context.after.values():
        before = context.before[stack.name].contracts if stack.name in context.before else {}
        for source, contracts in stack.contracts.items():
            old, new = before.get(source, {}).get("tables", {}), contracts.get("tables", {})
            for table in [table for table in new if table in old]:
                yield from _table(stack.name, source, table, old[table], new[table], context)


def _table(
    stack: str, source: str, table: str, old: Mapping[str, Any], new: Mapping[str, Any], context: Context
) -> Iterator[Effect]:
    changed = [name for name in dict.fromkeys((*old, *new)) if old.get(name) != new.get(name)]
    for name in [name for name in changed if name in _RELOADS]:
        about = context.about([table]).removeprefix("1 table").strip()
        words = f"{table} {_RELOADS[name]}: it is held until catchment reload {table}" + (f" {about}" if about else "")
        yield Effect(Level.RELOAD, stack, f"{source}/{table}", words, _SOURCE)
    if quiet := [name for name in changed if name not in _RELOADS]:
        words = f"changes {', '.join(quiet)} of table {table}, from its next commit on"
        yield Effect(Level.NONE, stack, f"{source}/{table}", words, "Catchment, docs/apply.md")
