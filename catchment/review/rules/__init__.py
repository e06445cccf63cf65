"""What a change means, service by service. A resource type without a rule of its own is told by ``generic``."""

from __future__ import annotations

from collections.abc import Iterator

from catchment.review.changes import Change
from catchment.review.context import Context, Rule
from catchment.review.effects import Effect
from catchment.review.rules import buckets, databases, functions, network, permissions, replication, samples
from catchment.review.rules.generic import generic

_RULES: dict[str, Rule] = {
    **buckets.RULES,
    **databases.RULES,
    **functions.RULES,
    **network.RULES,
    **permissions.RULES,
    **replication.RULES,
    **samples.RULES,
}


def effects(change: Change, context: Context) -> Iterator[Effect]:
    """What comes of one resource's change; at least one effect."""
    yield from _RULES.get(change.resource.type, generic)(change, context)
