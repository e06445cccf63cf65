"""Sample systems: rows come, and never go."""

from __future__ import annotations

from collections.abc import Iterator

from catchment.review.assembly import Resource
from catchment.review.changes import Change
from catchment.review.context import Context, Rule, effect
from catchment.review.effects import Effect, Level
from catchment.review.rules.generic import generic


def sample_data(change: Change, context: Context) -> Iterator[Effect]:
    """A sample system in a source."""
    before, after = change.before, change.after
    if after is None:
        yield effect(Level.NONE, change.resource, f"leaves the sample rows in {_source(change.resource)} as they are")
    elif before is None or _said(before, "Kind") != _said(after, "Kind"):
        rows = f"{_rows(after):,} sample rows of {_said(after, 'Kind')}" if _rows(after) else "the type zoo"
        yield effect(Level.NONE, change.resource, f"writes {rows} into {_source(after)}")
    elif _said(before, "Seed") != _said(after, "Seed"):
        words = f"fails if {_source(after)} holds sample rows of seed {_said(before, 'Seed')}: they are not replaced"
        yield effect(Level.NONE, change.resource, words)
    elif _rows(after) > _rows(before):
        words = f"adds sample rows to {_source(after)}: {_rows(after):,} in place of {_rows(before):,}"
        yield effect(Level.NONE, change.resource, words)
    elif _rows(after) < _rows(before):
        yield effect(Level.NONE, change.resource, f"takes no sample rows from {_source(after)}, which has more")
    else:
        yield from generic(change, context)


def _source(resource: Resource) -> str:
    return f"source {_said(resource, 'Source')}"


def _said(resource: Resource, name: str) -> str:
    return str(resource.properties.get(name))


def _rows(resource: Resource) -> int:
    return int(resource.properties.get("Rows", 0))


RULES: dict[str, Rule] = {"Custom::SampleData": sample_data}
