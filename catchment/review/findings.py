"""From two assemblies to what deploying the second over the first does."""

from __future__ import annotations

from collections.abc import Mapping

from catchment.review.assembly import Assembly
from catchment.review.changes import Change, changes
from catchment.review.context import Context
from catchment.review.contracts import contract_effects
from catchment.review.effects import Effect
from catchment.review.renames import rename_effects, renamed
from catchment.review.replacement import Key, Replacement, replacements
from catchment.review.rules import effects


def review(before: Assembly, after: Assembly, rows: Mapping[str, int] | None = None) -> list[Effect]:
    """Every effect, worst first, then in the order of deployment.

    ``rows``: how many rows tables (``schema.table``) have, where that is known.
    """
    anew = renamed(before, after)
    found = [change for change in changes(before, after) if change.resource.stack not in anew]
    replaced = replacements(found, after)
    changed = frozenset(change.key for change in found)
    found += _passed_on(found, replaced, before, after)
    context = Context(before, after, replaced, rows or {}, changed)
    told = [effect for change in found for effect in effects(change, context)]
    told += [*contract_effects(context), *rename_effects(before, after)]
    return sorted(dict.fromkeys(told), key=lambda effect: -effect.level)


def _passed_on(
    found: list[Change], replaced: Mapping[Key, Replacement], before: Assembly, after: Assembly
) -> list[Change]:
    """Resources whose template is the same, and which are replaced all the same."""
    known = {change.key for change in found}
    same = [key for key in replaced if key not in known and key[0] in before]
    return [
        Change(old, after[stack].resources[name])
        for stack, name in same
        if (old := before[stack].resources.get(name)) is not None
    ]
