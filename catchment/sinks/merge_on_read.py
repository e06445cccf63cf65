"""Merge-on-read: changed rows of a large file are masked where they lie, and their new versions written elsewhere.

A batch that changes few rows of many files then writes some bytes a row, where copy-on-write writes whole files. What
it saves, readers pay for a little with every scan, so a file with many masked rows is written again after all
(docs/decisions/0096).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pyroaring import BitMap64

from catchment.changes.session import Session
from catchment.sinks.deletion_vectors import VectorFile
from catchment.sinks.delta_actions import Add, Remove
from catchment.sinks.delta_files import Part
from catchment.sinks.masks import Masks
from catchment.storage import ObjectStore


@dataclass(frozen=True)
class MaskingPolicy:
    """Which files' rows are masked: those of at least ``rows`` rows, up to a ``share`` of masked ones."""

    rows: int = 20_000
    share: float = 0.2


@dataclass(frozen=True)
class Marked:
    """What becomes of touched files: ``vectors`` masks rows (by part number, earlier ones included), ``emptied`` goes.

    All other touched files are to be written again.
    """

    vectors: Mapping[int, BitMap64] = field(default_factory=dict)
    emptied: frozenset[int] = frozenset()

    @property
    def numbers(self) -> set[int]:
        """The parts whose rows are not written again."""
        return {*self.vectors, *self.emptied}


def mark(session: Session, gone: str, parts: Sequence[Part], masks: Masks, policy: MaskingPolicy) -> Marked:
    """Decide for each file with rows in the relation ``gone`` (part, pos). Raises DamagedVector."""
    by_number = {part.number: part for part in parts}
    vectors: dict[int, BitMap64] = {}
    emptied: set[int] = set()
    counts = session.rows(f"SELECT part, count(*) FROM {gone} GROUP BY part")
    chosen = []
    for number, count in counts:
        part = by_number[number]
        if part.records is None:  # a file with a vector has to say how many rows lie in it
            continue
        masked = count + (part.vector.cardinality if part.vector else 0)
        if masked >= part.records:
            emptied.add(number)
        elif part.records >= policy.rows and masked <= policy.share * part.records:
            chosen.append(number)
    if chosen:
        wanted = ", ".join(map(str, chosen))
        found = session.rows(f"SELECT part, list(pos) FROM {gone} WHERE part IN ({wanted}) GROUP BY part")
        for number, positions in found:
            vectors[number] = BitMap64(positions) | masks.positions(by_number[number])
    return Marked(vectors, frozenset(emptied))


def mark_actions(
    marked: Marked, adds: Sequence[Add], store: ObjectStore, path: str, now_ms: int
) -> tuple[list[Remove], list[Add]]:
    """Write the vectors into the table's folder ``path``; the actions that put them into force.

    ``adds`` are the table's files by part number.
    """
    file = VectorFile()
    removes = [adds[number].removed(now_ms) for number in sorted(marked.numbers)]
    masked = []
    for number, positions in sorted(marked.vectors.items()):
        add = adds[number]
        stats = with_wide_bounds(add.stats or "{}")
        masked.append(replace(add, deletion_vector=file.add(positions), stats=stats, data_change=True))
    file.save(store, path)
    return removes, masked


def with_wide_bounds(stats: str) -> str:
    """Statistics (a JSON object) that say of their bounds that no row has to reach them.

    All other members keep their text: a number read and written again may not be the same.
    """
    decoder, place, members = json.JSONDecoder(), stats.index("{") + 1, []
    while stats[place:].lstrip()[:1] not in ("}", ""):
        start = _next(stats, place)
        name, end = decoder.raw_decode(stats, start)
        value = _next(stats, _next(stats, end) + 1)
        _, place = decoder.raw_decode(stats, value)
        if name != "tightBounds":
            members.append(stats[start:place])
        place = _next(stats, place)
        place += stats[place] == ","
    return "{" + ", ".join([*members, '"tightBounds": false']) + "}"


def _next(text: str, place: int) -> int:
    """The next place that is not blank."""
    while text[place].isspace():
        place += 1
    return place
