"""A table's files by partition and key: those whose key ranges are known lie in order, the rest may hold any key."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence, Set

from catchment.changes.relations import WINNERS, comma, text
from catchment.changes.session import DuckSession
from catchment.landing.types import DeltaType
from catchment.sinks.delta_files import Part
from catchment.sinks.key_ranges import Bound, as_tuple, bounds, comparable, leading
from catchment.sinks.partition_files import PartitionFiles
from catchment.sinks.partitions import Values, bound, constant
from catchment.sinks.routing import Group, KeyOrder

_FENCES, _PARTITIONS, _MORE = '"~fences"', '"~partitions"', '"~more_partitions"'


class Layout:
    """The files ``parts`` of a table with this key (empty: none), for questions asked in one session.

    ``slots`` are the places of the files, by their numbers: see ``routing``. ``partition_by`` are the columns that the
    table is partitioned by; ``partitions`` are the numbers of the files' partitions.
    """

    def __init__(
        self,
        session: DuckSession,
        parts: Sequence[Part],
        key: Mapping[str, DeltaType],
        partition_by: Mapping[str, DeltaType],
    ) -> None:
        self._session, self.parts, self.key, self.partition_by = session, parts, key, partition_by
        self._key = leading(key)
        self.partitions, values = self._numbered()
        known = {part.number: found for part in parts if self._key and (found := self._bounds(part))}
        ordered = self._ordered(known)
        self._files: list[PartitionFiles] = []
        self._ranged = 0  # files in order, of all partitions so far
        for number, each in enumerate(values):
            rest = [part for part in parts if part.number not in known and self.partitions[part.number] == number]
            self._add(each, ordered.get(number, []), rest)
        placed = {number: slot for each in self._files for number, slot in each.slots().items()}
        self.slots = [placed[part.number] for part in parts]

    def candidates(self) -> list[Part]:
        """The files that may hold a key of ``"~winners"``."""
        rest = [part for each in self._files for part in each.rest]
        if not self._ranged:
            return rest
        found = self._session.rows(
            f"SELECT f.part FROM {_FENCES} f ASOF JOIN (SELECT {self._compared()} FROM {WINNERS}) w "
            f"ON {self._all('f.h')} >= {self._all('w.c')} WHERE {self._all('w.c')} >= {self._all('f.l')}"
        )
        possible = {number for (number,) in found}
        return [part for part in self.parts if part.number in possible] + rest

    def number(self, relation: str) -> str:
        """SELECT of ``relation`` (v0 …: a partition as texts) with ``prt``, the number of each row's partition.

        Partitions that have no files yet become known.
        """
        self._name_partitions()
        names = [f"v{i}" for i in range(len(self.partition_by))]
        same = " AND ".join(f"r.{name} IS NOT DISTINCT FROM p.{name}" for name in names)
        self._session.create(
            _MORE,
            f"SELECT DISTINCT {comma(f'r.{name}' for name in names)} FROM {relation} r "
            f"WHERE NOT EXISTS (SELECT 1 FROM {_PARTITIONS} p WHERE {same})",
        )
        for found in self._session.rows(f"SELECT * FROM {_MORE} ORDER BY ALL"):
            self._add(dict(zip(self.partition_by, found, strict=True)), [], [])
        self._name_partitions()
        return f"SELECT r.* EXCLUDE ({comma(names)}), p.prt FROM {relation} r JOIN {_PARTITIONS} p ON {same}"

    def place(self, rows: str) -> str:
        """SELECT (ord, slot) of the query ``rows`` (ord, k0 …, prt where partitioned): where new keys belong."""
        firsts = comma(str(each.order.first) for each in self._files)
        first = f"([{firsts}])[n.prt + 1]" if self.partition_by else firsts
        if not self._ranged:
            return f"SELECT n.ord, {first} AS slot FROM ({rows}) n"
        beyond = f"CASE WHEN {self._all('n.c')} <= {self._all('f.h')} THEN 0 ELSE 1 END"
        prt, within = ("prt, ", "n.prt = f.prt AND ") if self.partition_by else ("", "")
        return (
            f"SELECT n.ord, COALESCE(f.slot + {beyond}, {first}) AS slot "
            f"FROM (SELECT ord, {prt}{self._compared()} FROM ({rows})) n "
            f"ASOF LEFT JOIN {_FENCES} f ON {within}{self._all('n.c')} >= {self._all('f.l')}"
        )

    def plan(
        self, touched: Set[int], fresh: Mapping[int, int], target_rows: int, marked: Set[int] = frozenset()
    ) -> list[Group]:
        """What to write together: ``touched`` are numbers of files that change, ``fresh`` counts new rows by slot.

        ``marked`` files stay as they are: rows that belong into them go into files beside them, as few as may be.
        """
        firsts = [each.order.first for each in self._files]
        news: dict[int, dict[int, int]] = {}
        for slot, count in fresh.items():
            number = self.partitions[-1 - slot] if slot < 0 else bisect_right(firsts, slot) - 1
            news.setdefault(number, {})[slot] = count
        busy = sorted({*news, *(self.partitions[number] for number in touched)})
        return [
            group
            for number in busy
            for group in self._files[number].plan(touched, news.get(number, {}), target_rows, marked)
        ]

    def _add(self, values: Values, ordered: Sequence[Part], rest: Sequence[Part]) -> None:
        first = 2 * self._ranged + len(self._files)
        self._files.append(PartitionFiles(values, KeyOrder(ordered, first), rest))
        self._ranged += len(ordered)

    def _numbered(self) -> tuple[list[int], list[Values]]:
        """The number of each file's partition, and the partitions' values."""
        if not self.partition_by:
            return [0] * len(self.parts), [{}]
        columns = list(self.partition_by)
        said = [tuple(part.add.partition_values.get(name) for name in columns) for part in self.parts]
        written = {each: each for each in said}
        if written:  # a foreign writer may spell a value otherwise
            rows = comma(
                f"({comma(constant(v, self.partition_by[n]) for n, v in zip(columns, each, strict=True))})"
                for each in written
            )
            texts = comma(f"CAST(c{i} AS VARCHAR)" for i in range(len(columns)))
            names = comma(f"c{i}" for i in range(len(columns)))
            found = self._session.rows(f"SELECT {texts} FROM (VALUES {rows}) f({names})")
            written = dict(zip(written, found, strict=True))
        numbers = {each: number for number, each in enumerate(dict.fromkeys(written.values()))}
        values: list[Values] = [dict(zip(columns, each, strict=True)) for each in numbers]
        return [numbers[written[each]] for each in said], values

    def _name_partitions(self) -> None:
        """Make ``"~partitions"``: prt, v0 …"""
        rows = comma(
            f"({number}, {comma('NULL' if v is None else text(v) for v in each.values.values())})"
            for number, each in enumerate(self._files)
        )
        kinds = comma(f"CAST(v{i} AS VARCHAR) AS v{i}" for i in range(len(self.partition_by)))
        names = comma(f"v{i}" for i in range(len(self.partition_by)))
        nothing = "" if rows else " WHERE FALSE"
        rows = rows or f"(0, {comma('NULL' for _ in self.partition_by)})"
        self._session.create(_PARTITIONS, f"SELECT prt, {kinds} FROM (VALUES {rows}) p(prt, {names}){nothing}")

    def _bounds(self, part: Part) -> tuple[Bound, ...] | None:
        said = {name: bound(part.add.partition_values.get(name), kind) for name, kind in self.partition_by.items()}
        return bounds(self._key, {**part.low, **said}, {**part.high, **said})

    def _ordered(self, known: Mapping[int, tuple[Bound, ...]]) -> dict[int, list[Part]]:
        """Put files in order and make ``"~fences"``: slot, part, prt, their least (l0 …) and greatest keys (h0 …)."""
        if not known:
            return {}
        width = range(len(self._key))
        rows = comma(
            f"({number}, {self.partitions[number]}, {comma(each[side] for side in (0, 1) for each in found)})"
            for number, found in known.items()
        )
        names = comma(f"{side}{i}" for side in "lh" for i in width)
        order = comma(["prt", *(f"l{i}" for i in width), "part"])
        self._session.create(
            _FENCES,
            f"SELECT 2 * row_number() OVER (ORDER BY {order}) - 1 + prt AS slot, * "
            f"FROM (VALUES {rows}) f(part, prt, {names})",
        )
        by_number = {part.number: part for part in self.parts}
        found_parts: dict[int, list[Part]] = {}
        for prt, number in self._session.rows(f"SELECT prt, part FROM {_FENCES} ORDER BY slot"):
            found_parts.setdefault(prt, []).append(by_number[number])
        return found_parts

    def _compared(self) -> str:
        return comma(f"{comparable(f'k{i}', kind)} AS c{i}" for i, kind in enumerate(self._key.values()))

    def _all(self, prefix: str) -> str:
        return as_tuple([f"{prefix}{i}" for i in range(len(self._key))])
