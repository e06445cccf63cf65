"""A table's files by key: those whose key ranges are known lie in order, the rest may hold any key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from catchment.changes.relations import WINNERS, comma
from catchment.changes.session import DuckSession
from catchment.landing.types import DeltaType
from catchment.sinks.delta_files import Part, plan_bins
from catchment.sinks.key_ranges import Bound, as_tuple, bounds, comparable, leading
from catchment.sinks.routing import Group, KeyOrder

_FENCES = '"~fences"'


class Layout:
    """The files ``parts`` of a table with this key (empty: none), for questions asked in one session.

    ``slots`` are the places of the files, by their numbers: see ``routing``.
    """

    def __init__(self, session: DuckSession, parts: Sequence[Part], key: Mapping[str, DeltaType]) -> None:
        self._session, self.parts, self.key = session, parts, key
        self._key = leading(key)
        known = {
            part.number: found for part in parts if self._key and (found := bounds(self._key, part.low, part.high))
        }
        self._order = self._ordered(known)
        self._rest = [part for part in parts if part.number not in known]
        placed = {part.number: self._order.slot(i) for i, part in enumerate(self._order.parts)}
        self.slots = [placed.get(part.number, _alone(part)) for part in parts]

    def candidates(self) -> list[Part]:
        """The files that may hold a key of ``"~winners"``."""
        if not self._order.parts:
            return self._rest
        found = self._session.rows(
            f"SELECT f.part FROM {_FENCES} f ASOF JOIN (SELECT {self._compared()} FROM {WINNERS}) w "
            f"ON {self._all('f.h')} >= {self._all('w.c')} WHERE {self._all('w.c')} >= {self._all('f.l')}"
        )
        possible = {number for (number,) in found}
        return [part for part in self.parts if part.number in possible] + self._rest

    def place(self, rows: str) -> str:
        """SELECT (ord, slot) of the query ``rows`` (ord, k0 …): where rows with new keys belong."""
        if not self._order.parts:
            return f"SELECT ord, {self._order.first} AS slot FROM ({rows})"
        beyond = f"CASE WHEN {self._all('n.c')} <= {self._all('f.h')} THEN 0 ELSE 1 END"
        return (
            f"SELECT n.ord, COALESCE(f.slot + {beyond}, {self._order.first}) AS slot "
            f"FROM (SELECT ord, {self._compared()} FROM ({rows})) n "
            f"ASOF LEFT JOIN {_FENCES} f ON {self._all('n.c')} >= {self._all('f.l')}"
        )

    def plan(
        self, touched: Set[int], fresh: Mapping[int, int], target_rows: int, marked: Set[int] = frozenset()
    ) -> list[Group]:
        """What to write together: ``touched`` are numbers of files that change, ``fresh`` counts new rows by slot.

        ``marked`` files stay as they are: rows that belong into them go into files beside them, as few as may be.
        """
        strays, taken = self._strays(fresh, target_rows, marked)
        kept = marked | taken
        inside = {self.slots[number] for number in kept}
        left = {slot: count for slot, count in fresh.items() if slot not in inside}
        rest = [part for part in self._rest if part.number not in kept]
        if self._order.parts or not rest:
            ordered = self._order.plan(touched - kept, left, target_rows, kept)
            return [*strays, *ordered, *self._unordered(rest, touched, 0, target_rows)]
        return [*strays, *self._unordered(rest, touched, left.get(self._order.first, 0), target_rows)]

    def _strays(
        self, fresh: Mapping[int, int], target_rows: int, marked: Set[int]
    ) -> tuple[list[Group], frozenset[int]]:
        """The group of the rows that belong into marked files, with small files of all places; and which those are."""
        slots = [self.slots[number] for number in sorted(marked)]
        count = sum(fresh.get(slot, 0) for slot in slots)
        if not count:
            return [], frozenset()
        left = [part for part in self.parts if part.number not in marked]
        [chosen] = plan_bins(left, set(), count, target_rows=target_rows)
        slots += [self.slots[part.number] for part in chosen.parts]
        rows = sum(part.length for part in chosen.parts) + sum(fresh.get(slot, 0) for slot in slots)
        numbers = frozenset(part.number for part in chosen.parts)
        return [Group.of(chosen.parts, slots, rows, target_rows)], numbers

    def _unordered(self, parts: Sequence[Part], touched: Set[int], inserts: int, target_rows: int) -> list[Group]:
        groups = []
        for each in plan_bins(parts, touched, inserts, target_rows=target_rows):
            slots = [_alone(part) for part in each.parts] + ([self._order.first] if each.inserts else [])
            rows = sum(part.length for part in each.parts) + (inserts if each.inserts else 0)
            groups.append(Group.of(each.parts, slots, rows, target_rows))
        return groups

    def _ordered(self, known: Mapping[int, tuple[Bound, ...]]) -> KeyOrder:
        """Put files in order and make ``"~fences"``: slot, part, their least (l0 …) and greatest keys (h0 …)."""
        if not known:
            return KeyOrder([])
        width = range(len(self._key))
        rows = comma(
            f"({number}, {comma([*(low for low, _ in found), *(high for _, high in found)])})"
            for number, found in known.items()
        )
        names = comma(f"{side}{i}" for side in "lh" for i in width)
        self._session.create(
            _FENCES,
            f"SELECT 2 * row_number() OVER (ORDER BY {comma(f'l{i}' for i in width)}, part) - 1 AS slot, * "
            f"FROM (VALUES {rows}) f(part, {names})",
        )
        by_number = {part.number: part for part in self.parts}
        return KeyOrder(
            [by_number[number] for (number,) in self._session.rows(f"SELECT part FROM {_FENCES} ORDER BY slot")]
        )

    def _compared(self) -> str:
        return comma(f"{comparable(f'k{i}', kind)} AS c{i}" for i, kind in enumerate(self._key.values()))

    def _all(self, prefix: str) -> str:
        return as_tuple([f"{prefix}{i}" for i in range(len(self._key))])


def _alone(part: Part) -> int:
    """The slot of a file outside the order."""
    return -1 - part.number
