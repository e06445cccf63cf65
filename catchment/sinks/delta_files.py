"""The data files of a Delta table: which there are, what a new one says of itself, and which are written together."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from catchment.changes.relations import quote
from catchment.landing.types import DeltaType
from catchment.sinks.delta_actions import Add, DeletionVector
from catchment.sinks.key_ranges import written

# Where a file does not say how many rows it has.
_ROW_BYTES = 100


@dataclass(frozen=True)
class Part:
    """One live data file, by its number among those of the table."""

    number: int
    add: Add

    @property
    def path(self) -> str:
        """Relative to the table's folder."""
        return self.add.path

    @property
    def size(self) -> int:
        """Bytes."""
        return self.add.size

    @property
    def records(self) -> int | None:
        """The rows that lie in it, those that ``vector`` masks included; None where nobody said."""
        return self.add.records

    @property
    def vector(self) -> DeletionVector | None:
        """Which of its rows no longer count."""
        return self.add.deletion_vector

    @property
    def length(self) -> int:
        """The rows that lie in it, guessed where the log does not say."""
        return self.size // _ROW_BYTES if self.records is None else self.records

    @property
    def low(self) -> Mapping[str, Any]:
        """What its statistics call the least values, as JSON has them."""
        return self._said("minValues")

    @property
    def high(self) -> Mapping[str, Any]:
        """What its statistics call the greatest values."""
        return self._said("maxValues")

    def _said(self, which: str) -> Mapping[str, Any]:
        found = self.add.statistics.get(which)
        return found if isinstance(found, dict) else {}


def live_parts(adds: Iterable[Add]) -> list[Part]:
    """The table's files, numbered."""
    return [Part(number, add) for number, add in enumerate(adds)]


def statistics(records: int, found: Mapping[str, Mapping[str, Any]], columns: Mapping[str, DeltaType]) -> str:
    """The ``stats`` of an add action, from what DuckDB's ``RETURN_STATS`` says about the file it wrote."""
    low: dict[str, str] = {}
    high: dict[str, str] = {}
    nulls: dict[str, str] = {}
    for column, kind in columns.items():
        values = found.get(quote(column), {})
        if "null_count" in values:
            nulls[column] = str(int(values["null_count"]))
        if (said := written(kind, values)) is not None:
            low[column], high[column] = said
    named = {"numRecords": str(records), "minValues": _object(low), "maxValues": _object(high)}
    return _object({**named, "nullCount": _object(nulls)})


def _object(members: Mapping[str, str]) -> str:
    """A JSON object of texts that are JSON already: decimals keep their digits."""
    return "{" + ", ".join(f"{json.dumps(name)}: {value}" for name, value in members.items()) + "}"


@dataclass(frozen=True)
class Bin:
    """A file to be written: what is left of ``parts``, their updated rows, and the new rows if ``inserts``."""

    parts: Sequence[Part]
    inserts: bool


def plan_bins(parts: Sequence[Part], touched: Set[int], inserts: int, *, target_rows: int) -> list[Bin]:
    """Which files to rewrite together, so that a commit touches little and small files do not pile up.

    New rows take small files with them as long as those are at most twice as long as what is gathered so far: the
    number of files stays logarithmic in the number of commits. A touched file that is large is rewritten alone.
    """
    by_length = sorted(parts, key=lambda part: part.length)
    bins, taken = [], set[int]()
    if inserts:
        gathered, chosen = inserts, []
        for part in by_length:
            length = part.length
            if length > 2 * gathered or gathered + length > target_rows:
                break
            chosen.append(part)
            gathered += length
        taken = {part.number for part in chosen}
        bins.append(Bin(chosen, True))
    rest = [part for part in parts if part.number in touched and part.number not in taken]
    rest.sort(key=lambda part: part.length)
    group: list[Part] = []
    rows = 0
    for part in rest:
        length = part.length
        if group and rows + length > target_rows // 4:
            bins.append(Bin(group, False))
            group, rows = [], 0
        group.append(part)
        rows += length
    return [*bins, Bin(group, False)] if group else bins
