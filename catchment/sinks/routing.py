"""Which files a commit writes: where new rows go, so that a table stays sorted by key in files of one size.

The files whose key ranges are known lie in order; between them, before the first and behind the last, are gaps. Each of
these places is a slot with a number. A changed row stays in its file's slot, a new one belongs to the slot that its key
falls into. Slots with something to do, and those beside them where that keeps small files from piling up, are written
together as a group, in key order: so the ranges of different files overlap only where they did before.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field

from catchment.sinks.delta_files import Part
from catchment.sinks.partitions import Values

# A file this short is cheaper to write again than to have: each file costs a reader a request.
_SHORT = 10_000
_SPLIT = 1.5


@dataclass(frozen=True)
class Group:
    """Files written in one go: what is left of ``parts`` and the rows of ``slots``, in key order, as ``pieces`` files.

    ``rows`` is how many that are at most; all of them are of one ``partition``.
    """

    parts: Sequence[Part]
    slots: Sequence[int]
    rows: int
    pieces: int
    partition: Values = field(default_factory=dict)

    @classmethod
    def of(cls, parts: Sequence[Part], slots: Sequence[int], rows: int, target_rows: int) -> Group:
        """A group in as many pieces as its rows need."""
        pieces = 1 if rows <= _SPLIT * target_rows else math.ceil(rows / target_rows)
        return cls(parts, slots, rows, pieces)


class KeyOrder:
    """The files of a table (or of one partition of it) whose key ranges are known, in the order of their least keys.

    ``first`` is the number of the slot before the first file; the n-th file has slot ``first + 2n - 1``, the gap
    behind it the next one; ``last`` is the highest slot.
    """

    def __init__(self, parts: Sequence[Part], first: int = 0) -> None:
        self.parts, self.first = parts, first
        self.last = first + 2 * len(parts)

    def slot(self, index: int) -> int:
        """The slot of a file, counted from 0."""
        return self.first + 2 * index + 1

    def plan(
        self, touched: Set[int], fresh: Mapping[int, int], target_rows: int, kept: Set[int] = frozenset()
    ) -> list[Group]:
        """The groups to write: ``touched`` are numbers of files that change, ``fresh`` counts new rows by slot.

        ``kept`` files are in no group.
        """
        drafts: list[_Draft] = []
        for index in range(len(self.parts) + 1):
            behind = self.first + 2 * index  # the gap before the file, or behind the last one
            if count := fresh.get(behind, 0):
                if drafts and drafts[-1].end == index and drafts[-1].begin < index:
                    drafts[-1].take([behind], count)
                else:
                    drafts.append(_Draft(index, index, [behind], count))
            if index < len(self.parts):
                self._consider(index, touched, fresh, drafts)
        merged = _merge(drafts, target_rows)
        for i, draft in enumerate(merged):
            if draft.new:
                lowest = merged[i - 1].end if i else 0
                highest = merged[i + 1].begin if i + 1 < len(merged) else len(self.parts)
                self._absorb(draft, lowest, highest, target_rows, kept)
        return [Group.of(self.parts[draft.begin : draft.end], draft.slots, draft.rows, target_rows) for draft in merged]

    def _consider(self, index: int, touched: Set[int], fresh: Mapping[int, int], drafts: list[_Draft]) -> None:
        part, slot = self.parts[index], self.slot(index)
        count = fresh.get(slot, 0)
        if part.number not in touched and not count:
            return
        if not drafts or (drafts[-1].begin, drafts[-1].end) != (index, index):
            drafts.append(_Draft(index, index, [], 0))
        drafts[-1].end = index + 1
        drafts[-1].rows += part.length
        drafts[-1].take([slot], count)

    def _absorb(self, draft: _Draft, lowest: int, highest: int, target_rows: int, kept: Set[int]) -> None:
        """Take in untouched neighbours that are short, or at most twice as long as what is gathered so far.

        So the number of files stays logarithmic in the number of commits that only add rows.
        """
        while True:
            sides = [i for i in (draft.begin - 1, draft.end) if lowest <= i < highest]
            sides = [i for i in sides if self.parts[i].number not in kept]
            fitting = [i for i in sides if self._fits(draft, i, target_rows)]
            if not fitting:
                return
            chosen = min(fitting, key=lambda i: self.parts[i].length)
            draft.rows += self.parts[chosen].length
            draft.begin, draft.end = min(draft.begin, chosen), max(draft.end, chosen + 1)

    def _fits(self, draft: _Draft, index: int, target_rows: int) -> bool:
        length = self.parts[index].length
        return length <= max(2 * draft.rows, _SHORT) and draft.rows + length <= target_rows


@dataclass
class _Draft:
    """Files from ``begin`` to before ``end`` of an order, and ``slots`` with ``new`` rows; ``rows`` in all."""

    begin: int
    end: int
    slots: list[int]
    new: int
    rows: int = field(init=False)

    def __post_init__(self) -> None:
        self.rows = self.new

    def take(self, slots: Iterable[int], count: int) -> None:
        self.slots += slots
        self.new += count
        self.rows += count


def _merge(drafts: Sequence[_Draft], target_rows: int) -> list[_Draft]:
    """Neighbours with nothing between them become one where one file holds them."""
    merged: list[_Draft] = []
    for draft in drafts:
        if merged and merged[-1].end == draft.begin and merged[-1].rows + draft.rows <= target_rows:
            merged[-1].end = draft.end
            merged[-1].slots += draft.slots
            merged[-1].new += draft.new
            merged[-1].rows += draft.rows
        else:
            merged.append(draft)
    return merged
