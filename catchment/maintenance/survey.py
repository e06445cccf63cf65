"""Which files of a table are worth writing again, from what its log says of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from catchment.maintenance.policy import Policy
from catchment.sinks.delta_files import Part


@dataclass(frozen=True)
class Unit:
    """Files written again in one commit: ``base`` as files in key order, with the rows of ``extras`` among them.

    Rows of ``extras`` that lie before or behind all of ``base`` become a file of their own on either side.
    """

    kind: str
    why: str
    base: tuple[Part, ...]
    extras: tuple[Part, ...] = ()

    @property
    def parts(self) -> tuple[Part, ...]:
        """All files that are read and removed."""
        return self.base + self.extras


@dataclass(frozen=True)
class _Ranged:
    part: Part
    low: tuple[Any, ...]
    high: tuple[Any, ...]

    def meets(self, other: _Ranged) -> bool:
        return self.low <= other.high and other.low <= self.high


def live_rows(parts: Iterable[Part]) -> int:
    """The rows of the table that lie in the files; files that do not say how many count nothing."""
    return sum((part.records or 0) - masked_rows(part) for part in parts)


def masked_rows(part: Part) -> int:
    """How many rows of a file its deletion vector masks."""
    return part.vector.cardinality if part.vector else 0


def plan(parts: Sequence[Part], key: Sequence[str], policy: Policy, *, vectors: bool) -> list[Unit]:
    """What pays, each file in one unit at most.

    ``vectors``: the table's contract asks for deletion vectors; without it they are purged to the last.
    """
    ranged = sorted((found for part in parts if (found := _range(part, key))), key=lambda each: (each.low, each.high))
    units = _layers(ranged, policy)
    units += _overlaps(_left(ranged, units), policy)
    ordered = [each.part for each in _left(ranged, units)] + [part for part in parts if _range(part, key) is None]
    units += _small(ordered, policy)
    taken = {part.number for unit in units for part in unit.parts}
    return units + [unit for part in parts if part.number not in taken for unit in _purge(part, policy, vectors)]


def _range(part: Part, key: Sequence[str]) -> _Ranged | None:
    """Bounds of the leading key columns that have statistics; None where the first has none."""
    low: list[Any] = []
    high: list[Any] = []
    for column in key:
        least, most = part.low.get(column), part.high.get(column)
        if not (_comparable(least) and _comparable(most)):
            break
        low.append((isinstance(least, str), least))  # so that even a writer's odd bounds have an order
        high.append((isinstance(most, str), most))
    return _Ranged(part, tuple(low), tuple(high)) if low else None


def _comparable(bound: Any) -> bool:
    return isinstance(bound, int | float | str)


def _left(ranged: Sequence[_Ranged], units: Sequence[Unit]) -> list[_Ranged]:
    taken = {part.number for unit in units for part in unit.parts}
    return [each for each in ranged if each.part.number not in taken]


def _layers(ranged: Sequence[_Ranged], policy: Policy) -> list[Unit]:
    """The first stretch of large files whose key ranges small files cover too, where those hold enough rows.

    One at a time: what is left of the small files is known only afterwards.
    """
    small = [each for each in ranged if each.part.size < policy.small]
    large = [each for each in ranged if each.part.size >= policy.small]
    covered = [each for each in large if any(each.meets(other) for other in small)]
    above = [other for other in small if any(other.meets(each) for each in covered)]
    rows, beneath = live_rows(each.part for each in above), live_rows(each.part for each in covered)
    if not rows or rows < policy.layer_share * beneath:
        return []
    stretch = _stretch(covered, policy.unit_bytes)
    extras = [other.part for other in above if any(other.meets(each) for each in stretch)]
    why = f"small files hold {rows / max(beneath, 1):.0%} of the rows of the {len(covered)} files whose keys they share"
    return [Unit("merge", why, tuple(each.part for each in stretch), tuple(extras))]


def _stretch(ranged: Sequence[_Ranged], limit: int) -> list[_Ranged]:
    chosen: list[_Ranged] = []
    size = 0
    for each in ranged:
        size += each.part.size
        if chosen and size > limit:
            break
        chosen.append(each)
    return chosen


def _overlaps(ranged: Sequence[_Ranged], policy: Policy) -> list[Unit]:
    """Chains of large files whose key ranges overlap, where one commit can put all of the chain in order."""
    units = []
    for chain in _chains([each for each in ranged if each.part.size >= policy.small]):
        if len(chain) > 1 and sum(each.part.size for each in chain) <= policy.unit_bytes:
            parts = tuple(each.part for each in chain)
            units.append(Unit("sort", f"the key ranges of {len(chain)} files overlap", parts))
    return units


def _chains(ranged: Sequence[_Ranged]) -> list[list[_Ranged]]:
    chains: list[list[_Ranged]] = []
    reach: tuple[Any, ...] = ()
    for each in ranged:
        if chains and each.low < reach:  # files that only touch are in order
            chains[-1].append(each)
            reach = max(reach, each.high)
        else:
            chains.append([each])
            reach = each.high
    return chains


def _small(ordered: Sequence[Part], policy: Policy) -> list[Unit]:
    """Runs of small files that are neighbours in key order."""
    runs: list[list[Part]] = [[]]
    for part in ordered:
        if part.size >= policy.small:
            runs.append([])
            continue
        if sum(each.size for each in runs[-1]) + part.size > policy.unit_bytes:
            runs.append([])
        runs[-1].append(part)
    why = "{} small files lie beside each other"
    return [Unit("merge", why.format(len(run)), tuple(run)) for run in runs if len(run) >= policy.small_files]


def _purge(part: Part, policy: Policy, vectors: bool) -> list[Unit]:
    if part.vector is None or not part.records:
        return []
    share = masked_rows(part) / part.records
    if not vectors:
        return [Unit("purge", "the table no longer asks for deletion vectors", (part,))]
    return [Unit("purge", f"{share:.0%} of the file is masked", (part,))] if share >= policy.masked_share else []
