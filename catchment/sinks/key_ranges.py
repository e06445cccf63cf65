"""Key ranges of data files: which statistics are believed, as SQL, and how a new file's are written.

Statistics stand in the log as JSON, written by whoever wrote the file: cut, rounded, of another type or not at all.
What cannot be trusted is no bound, and a file without bounds may hold any key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal, InvalidOperation
from typing import Any

from catchment.changes.relations import comma, text
from catchment.landing.types import DeltaType

INTEGERS = ("byte", "short", "integer", "long")
# Writers cut strings in statistics at 32 characters or later, so only the first 32 say anything on both sides.
PREFIX = 32
_BOUNDED = (*INTEGERS, "string", "date", "timestamp", "timestamp_ntz", "decimal")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d(?:\.\d{1,9})?)(Z|[+-]\d\d:\d\d)?")
# JSON numbers pass through doubles in some writers: 15 digits survive that.
_DIGITS = 15
_HIGHEST = "\U0010ffff"

Bound = tuple[str, str]
"""SQL literals of the least and the greatest value of a column, compared by ``comparable``."""


def comparable(column: str, kind: DeltaType) -> str:
    """The SQL of a key's column, cut to what bounds say of it."""
    return f"left({column}, {PREFIX})" if kind.name == "string" else column


def leading(key: Mapping[str, DeltaType]) -> dict[str, DeltaType]:
    """The first columns of a key whose types can have bounds; files are ordered by them."""
    found: dict[str, DeltaType] = {}
    for column, kind in key.items():
        if kind.name not in _BOUNDED:
            break
        found[column] = kind
    return found


def bounds(key: Mapping[str, DeltaType], low: Mapping[str, Any], high: Mapping[str, Any]) -> tuple[Bound, ...] | None:
    """The bounds of a file's key from its ``minValues`` and ``maxValues``; None where any of them is not to be had."""
    found = []
    for column, kind in key.items():
        least, most = _literal(kind, low.get(column), up=False), _literal(kind, high.get(column), up=True)
        if least is None or most is None:
            return None
        found.append((least, most))
    return tuple(found)


def as_tuple(parts: Sequence[str]) -> str:
    """Values as one, compared from the first to the last."""
    return parts[0] if len(parts) == 1 else f"({comma(parts)})"


def _literal(kind: DeltaType, value: Any, *, up: bool) -> str | None:
    if kind.name in INTEGERS:
        return f"CAST({value} AS {kind.duckdb})" if type(value) is int else None
    if kind.name == "decimal":
        return _decimal(kind, value, up=up)
    if not isinstance(value, str) or "\0" in value:
        return None
    if kind.name == "string":
        return text(value[:PREFIX])
    if kind.name == "date":
        return f"DATE '{value}'" if _DAY.fullmatch(value) else None
    return _moment(kind, value, up=up)


def _decimal(kind: DeltaType, value: Any, *, up: bool) -> str | None:
    """A number moved outwards by what a double may have taken from it, in the scale of the column."""
    if not isinstance(value, int | float | Decimal) or isinstance(value, bool):
        return None
    try:
        exact = Decimal(repr(value) if isinstance(value, float) else value)
        if not exact.is_finite():
            return None
        slack = abs(exact).scaleb(1 - _DIGITS) if len(exact.normalize().as_tuple().digits) > _DIGITS else Decimal(0)
        moved = Context(prec=80).add(exact, slack if up else -slack)
        rounding = ROUND_CEILING if up else ROUND_FLOOR
        shown = moved.quantize(Decimal(1).scaleb(-kind.scale), rounding=rounding, context=Context(prec=kind.precision))
    except InvalidOperation:
        return None
    return f"CAST('{shown:f}' AS {kind.duckdb})"


def _moment(kind: DeltaType, value: str, *, up: bool) -> str | None:
    """A moment; statistics are cut to milliseconds, so a last one is meant whole."""
    found = _MOMENT.fullmatch(value)
    zoned = kind.name == "timestamp"
    if found is None or (found[3] is not None) != zoned:
        return None
    literal = (
        f"{'TIMESTAMPTZ' if zoned else 'TIMESTAMP'} '{found[1]} {found[2][:15]}{(found[3] or '').replace('Z', '+00')}'"
    )
    return f"({literal} + INTERVAL 2 MILLISECONDS)" if up else literal


def written(kind: DeltaType, values: Mapping[str, str]) -> tuple[str, str] | None:
    """The JSON of a new file's least and greatest value, from what DuckDB says of the column; None: they are not exact.

    Bounds never lie inside the values: strings are cut and decimals rounded outwards.
    """
    if "min" not in values or "max" not in values:
        return None
    exact = all(values.get(f"{which}_is_exact", "true").lower() == "true" for which in ("min", "max"))
    least, most = _said(kind, values["min"], up=False), _said(kind, values["max"], up=True)
    return (least, most) if exact and least is not None and most is not None else None


def _said(kind: DeltaType, value: str, *, up: bool) -> str | None:
    if kind.name in INTEGERS:
        return str(int(value))
    if kind.name == "decimal":
        context = Context(prec=_DIGITS, rounding=ROUND_CEILING if up else ROUND_FLOOR)
        return f"{context.create_decimal(value):f}"
    if kind.name == "string":
        cut = value[:PREFIX] + (_HIGHEST if up and len(value) > PREFIX else "")
        return None if "\0" in value else _quoted(cut)
    if kind.name == "date":
        return _quoted(value) if _DAY.fullmatch(value) else None
    if kind.name in ("timestamp", "timestamp_ntz"):
        return _milliseconds(kind, value, up=up)
    return None


def _milliseconds(kind: DeltaType, value: str, *, up: bool) -> str | None:
    """A moment with exactly three digits of fraction: cut, or for an upper bound the last one it falls in."""
    found = re.fullmatch(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(?:\+00(?::00)?)?", value)
    if found is None:
        return None
    fraction = (found[3] or "").ljust(6, "0")
    digits = fraction[:3] if not up or fraction[3:] == "000" else "999"
    return _quoted(f"{found[1]}T{found[2]}.{digits}" + ("Z" if kind.name == "timestamp" else ""))


def _quoted(value: str) -> str:
    return json.dumps(value)
