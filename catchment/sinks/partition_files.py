"""The files of one partition of a table, and which of them a commit writes again; an unpartitioned table is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace

from catchment.sinks.delta_files import Part, plan_bins
from catchment.sinks.partitions import Values
from catchment.sinks.routing import Group, KeyOrder


@dataclass(frozen=True)
class PartitionFiles:
    """``order`` are the files whose key ranges are known, ``rest`` may hold any key."""

    values: Values
    order: KeyOrder
    rest: Sequence[Part] = ()

    def slots(self) -> dict[int, int]:
        """The places of the files, by their numbers."""
        placed = {part.number: self.order.slot(i) for i, part in enumerate(self.order.parts)}
        return placed | {part.number: _alone(part) for part in self.rest}

    def plan(
        self, touched: Set[int], fresh: Mapping[int, int], target_rows: int, marked: Set[int] = frozenset()
    ) -> list[Group]:
        """What to write together: ``touched`` are numbers of files that change, ``fresh`` counts new rows by slot.

        ``marked`` files stay as they are: rows that belong into them go into files beside them, as few as may be.
        """
        placed = self.slots()
        strays, taken = self._strays(placed, fresh, target_rows, marked)
        kept = marked | taken
        inside = {placed[number] for number in kept if number in placed}
        left = {slot: count for slot, count in fresh.items() if slot not in inside}
        rest = [part for part in self.rest if part.number not in kept]
        groups = list(strays)
        if self.order.parts or not rest:
            groups += self.order.plan(touched - kept, left, target_rows, kept)
            groups += self._unordered(rest, touched, 0, target_rows)
        else:
            groups += self._unordered(rest, touched, left.get(self.order.first, 0), target_rows)
        return [replace(group, partition=self.values) for group in groups]

    def _strays(
        self, placed: Mapping[int, int], fresh: Mapping[int, int], target_rows: int, marked: Set[int]
    ) -> tuple[list[Group], frozenset[int]]:
        """The group of the rows that belong into marked files, with small files of all places; and which those are."""
        slots = [placed[number] for number in sorted(marked) if number in placed]
        count = sum(fresh.get(slot, 0) for slot in slots)
        if not count:
            return [], frozenset()
        left = [part for part in (*self.order.parts, *self.rest) if part.number not in marked]
        [chosen] = plan_bins(left, set(), count, target_rows=target_rows)
        slots += [placed[part.number] for part in chosen.parts]
        rows = sum(part.length for part in chosen.parts) + sum(fresh.get(slot, 0) for slot in slots)
        numbers = frozenset(part.number for part in chosen.parts)
        return [Group.of(chosen.parts, slots, rows, target_rows)], numbers

    def _unordered(self, parts: Sequence[Part], touched: Set[int], inserts: int, target_rows: int) -> list[Group]:
        groups = []
        for each in plan_bins(parts, touched, inserts, target_rows=target_rows):
            slots = [_alone(part) for part in each.parts] + ([self.order.first] if each.inserts else [])
            rows = sum(part.length for part in each.parts) + (inserts if each.inserts else 0)
            groups.append(Group.of(each.parts, slots, rows, target_rows))
        return groups


def _alone(part: Part) -> int:
    """The slot of a file outside the order."""
    return -1 - part.number
