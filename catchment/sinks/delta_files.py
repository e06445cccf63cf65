"""The data files of a Delta table: which there are, which may hold a key, and what a new one says of itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from catchment.changes.relations import quote, text
from catchment.landing.types import DeltaType
from catchment.sinks.delta_actions import Add, DeletionVector

_INTEGERS = ("byte", "short", "integer", "long")
# Writers cut strings in statistics at 32 characters or later, so only the first 32 say anything on both sides.
_PREFIX = 32
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(?:\+00(?::00)?)?")


@dataclass(frozen=True)
class Part:
    """One live data file: ``low`` and ``high`` bound each column that has statistics.

    ``records`` counts the rows that lie in it, those that ``vector`` masks included.
    """

    number: int
    path: str
    size: int
    records: int | None
    low: Mapping[str, Any]
    high: Mapping[str, Any]
    vector: DeletionVector | None = None


def live_parts(adds: Iterable[Add], columns: Mapping[str, DeltaType] | None = None) -> list[Part]:
    """The table's files, with the bounds of ``columns`` where their statistics have any."""
    return [
        Part(
            number,
            add.path,
            add.size,
            add.records,
            {column: _bound(kind, add, "minValues", column) for column, kind in (columns or {}).items()},
            {column: _bound(kind, add, "maxValues", column) for column, kind in (columns or {}).items()},
            add.deletion_vector,
        )
        for number, add in enumerate(adds)
    ]


def _bound(kind: DeltaType, add: Add, which: str, column: str) -> Any:
    """A bound as Python has it; None where there is none, or none that Python can hold (a date before year 1)."""
    bounds = add.statistics.get(which)
    value = bounds.get(column) if isinstance(bounds, dict) else None
    if not isinstance(value, str) or kind.name == "string":
        return value
    try:
        if kind.name == "date":
            return date.fromisoformat(value)
        if kind.name in ("timestamp", "timestamp_ntz"):
            moment = datetime.fromisoformat(value)
            return moment if (moment.tzinfo is not None) == (kind.name == "timestamp") else None
    except ValueError:
        return None
    return value


def may_hold(part: Part, key: Mapping[str, DeltaType], table: str) -> str:
    """A condition on the keys k0 … of ``table``: the file may hold a row of that key."""
    conditions = []
    for i, (column, kind) in enumerate(key.items()):
        low, high = part.low.get(column), part.high.get(column)
        if low is None or high is None:
            continue
        conditions += _bounds(f"{table}.k{i}", kind, low, high)
    return " AND ".join(conditions) or "TRUE"


def _bounds(column: str, kind: DeltaType, low: Any, high: Any) -> list[str]:
    """Conditions ``low <= column <= high``, or none where the statistics of this type are not to be trusted."""
    if kind.name in _INTEGERS and isinstance(low, int) and isinstance(high, int):
        return [f"{column} BETWEEN {low} AND {high}"]
    if kind.name == "string" and isinstance(low, str) and isinstance(high, str) and "\0" not in low + high:
        cut = f"left({column}, {_PREFIX})"
        return [f"{cut} >= {text(low[:_PREFIX])} AND {cut} <= {text(high[:_PREFIX])}"]
    if kind.name == "date" and type(low) is date and type(high) is date:
        return [f"{column} BETWEEN DATE '{low}' AND DATE '{high}'"]
    if kind.name in ("timestamp", "timestamp_ntz") and isinstance(low, datetime) and isinstance(high, datetime):
        # Statistics are cut to milliseconds, so the last one is included whole.
        zone = "TIMESTAMPTZ" if kind.name == "timestamp" else "TIMESTAMP"
        return [f"{column} >= {zone} '{low}' AND {column} < {zone} '{high}' + INTERVAL 2 MILLISECONDS"]
    return []


def statistics(records: int, found: Mapping[str, Mapping[str, Any]], columns: Mapping[str, DeltaType]) -> str:
    """The ``stats`` of an add action, from what DuckDB's ``RETURN_STATS`` says about the file it wrote.

    Bounds are given only where they are exact in JSON: integers, years of four digits, short strings.
    """
    low: dict[str, Any] = {}
    high: dict[str, Any] = {}
    nulls: dict[str, int] = {}
    by_name = {name: values for name, values in found.items()}
    for column, kind in columns.items():
        values = by_name.get(quote(column))
        if values is None:
            continue
        if "null_count" in values:
            nulls[column] = int(values["null_count"])
        if "min" in values and "max" in values:
            least, most = _stat(kind, values, "min"), _stat(kind, values, "max")
            if least is not None and most is not None:
                low[column], high[column] = least, most
    return json.dumps({"numRecords": records, "minValues": low, "maxValues": high, "nullCount": nulls})


def _stat(kind: DeltaType, values: Mapping[str, Any], which: str) -> int | str | None:
    value = str(values[which])
    if kind.name in _INTEGERS:
        return int(value)
    if kind.name == "string":
        exact = str(values.get(f"{which}_is_exact", "")).lower() == "true"
        return value if exact and len(value) <= _PREFIX else None
    if kind.name == "date":
        return value if _DAY.fullmatch(value) else None
    if kind.name in ("timestamp", "timestamp_ntz") and (moment := _MOMENT.fullmatch(value)):
        return _milliseconds(moment, up=which == "max") + ("Z" if kind.name == "timestamp" else "")
    return None


def _milliseconds(moment: re.Match[str], *, up: bool) -> str:
    """A timestamp with exactly three digits of fraction: cut, or for an upper bound the last one it falls in."""
    fraction = (moment[3] or "").ljust(6, "0")
    digits = fraction[:3] if not up or fraction[3:] == "000" else "999"
    return f"{moment[1]}T{moment[2]}.{digits}"


@dataclass(frozen=True)
class Bin:
    """A file to be written: what is left of ``parts``, their updated rows, and the new rows if ``inserts``."""

    parts: Sequence[Part]
    inserts: bool


def plan_bins(parts: Sequence[Part], touched: set[int], inserts: int, *, target_rows: int) -> list[Bin]:
    """Which files to rewrite together, so that a commit touches little and small files do not pile up.

    New rows take small files with them as long as those are at most twice as long as what is gathered so far: the
    number of files stays logarithmic in the number of commits. A touched file that is large is rewritten alone.
    """
    by_length = sorted((part for part in parts if part.records is not None), key=lambda part: part.records or 0)
    bins, taken = [], set[int]()
    if inserts:
        gathered, chosen = inserts, []
        for part in by_length:
            length = part.records or 0
            if length > 2 * gathered or gathered + length > target_rows:
                break
            chosen.append(part)
            gathered += length
        taken = {part.number for part in chosen}
        bins.append(Bin(chosen, True))
    rest = [part for part in parts if part.number in touched and part.number not in taken]
    rest.sort(key=lambda part: part.records if part.records is not None else target_rows)
    group: list[Part] = []
    rows = 0
    for part in rest:
        length = part.records if part.records is not None else target_rows
        if group and rows + length > target_rows // 4:
            bins.append(Bin(group, False))
            group, rows = [], 0
        group.append(part)
        rows += length
    return [*bins, Bin(group, False)] if group else bins
