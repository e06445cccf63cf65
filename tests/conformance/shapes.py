"""The tables of the suite: keys of every kind, columns of every type, with the values that break things."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from catchment.landing.types import PARTITIONING, DeltaType
from tests.conformance.model import Key, Row


@dataclass(frozen=True)
class Kind:
    """A column's type and values. ``narrow`` is what earlier files may have had, which holds ``small`` values only."""

    delta: str
    arrow: pa.DataType
    values: tuple[Any, ...]
    narrow: pa.DataType | None = None
    small: tuple[Any, ...] = ()


@dataclass(frozen=True, repr=False)
class Shape:
    """A table: its key's columns, the others, and the few keys its rows have (``spare`` for swaps)."""

    name: str
    key: Mapping[str, Kind]
    columns: Mapping[str, Kind]
    keys: tuple[Key, ...]
    spare: Key

    @property
    def kinds(self) -> dict[str, Kind]:
        """All columns in the source's order."""
        return {**self.key, **self.columns}

    @property
    def narrowable(self) -> tuple[str, ...]:
        return tuple(name for name, kind in self.columns.items() if kind.narrow is not None)

    @property
    def partition_by(self) -> str:
        """A column whose values can name a partition: no key's where there is another."""
        suited = [name for name, kind in self.columns.items() if DeltaType.parse(kind.delta).name in PARTITIONING]
        named = [name for name in suited if "" not in self.columns[name].values]
        return (named or list(self.key))[0]

    def finite(self) -> Shape:
        """The same without infinite numbers and NaN."""
        columns = {
            name: replace(kind, values=tuple(filter(_is_finite, kind.values))) for name, kind in self.columns.items()
        }
        return replace(self, columns=columns)

    def __repr__(self) -> str:
        return self.name

    def row(self, seed: int, columns: Iterable[str], narrow: Iterable[str] = ()) -> Row:
        """Values of some columns, NULLs among them; the same for the same seed."""
        dice = random.Random(seed)
        drawn = {name: (dice.random(), dice.random()) for name in self.columns}
        few = set(narrow)
        row = {}
        for name in columns:
            if name in self.columns:
                kind = self.columns[name]
                values = kind.small if name in few else kind.values
                null, place = drawn[name]
                row[name] = None if null < 0.2 else values[int(place * len(values))]
        return row


def _is_finite(value: Any) -> bool:
    return not isinstance(value, float) or math.isfinite(value)


_MOMENT = datetime(2024, 2, 29, 23, 59, 59, 999_000, UTC)
INTEGER = Kind("integer", pa.int32(), (0, 1, -1, 2**31 - 1, -(2**31)))
LONG = Kind("long", pa.int64(), (0, 1, -5, 5, 2**40, -(2**63)), pa.int32(), (0, 1, -5, 5))
STRING = Kind("string", pa.string(), ("", "p", "q ", "NULL", "it's", 'a "b", c', "line\nend", "\u00e4\u4e2d"))
DOUBLE = Kind("double", pa.float64(), (0.0, -0.0, 1.5, 0.1, float("inf"), float("nan")), pa.float32(), (0.0, -0.0, 1.5))
DECIMAL = Kind(
    "decimal(14,4)",
    pa.decimal128(14, 4),
    (Decimal("0.0000"), Decimal("-1.5000"), Decimal("9999999999.9999")),
    pa.decimal128(6, 2),
    (Decimal("0.00"), Decimal("-1.50"), Decimal("9999.99")),
)
DATE = Kind("date", pa.date32(), (date(1969, 12, 31), date(2024, 2, 29), date(1, 1, 1), date(9999, 12, 31)))
TIMESTAMP = Kind("timestamp", pa.timestamp("us", "UTC"), (_MOMENT, _MOMENT + timedelta(microseconds=1)))
BOOLEAN = Kind("boolean", pa.bool_(), (True, False))
BINARY = Kind("binary", pa.binary(), (b"\x00", b"\xff\x00", b"a"))

_SOME = {"v": LONG, "w": STRING, "x": DOUBLE}
_WIDE_KINDS = (LONG, STRING, DOUBLE, DECIMAL, DATE, TIMESTAMP, BOOLEAN, BINARY, INTEGER)
_WIDE = {f"c{i:02d}": _WIDE_KINDS[i % len(_WIDE_KINDS)] for i in range(40)}
_LONG_TEXT = "a" * 32  # as long as statistics go


def _single(name: str, column: str, kind: Kind, values: tuple[Any, ...], columns: Mapping[str, Kind] = _SOME) -> Shape:
    return Shape(name, {column: kind}, columns, tuple((value,) for value in values[:-1]), (values[-1],))


SHAPES = (
    _single("integer", "id", INTEGER, (1, 2, 3, 4, -7, 0)),
    Shape(
        "composite",
        {"tenant": INTEGER, "code": STRING},
        _SOME,
        ((1, "a"), (1, "A"), (1, "a "), (2, "a"), (2, "")),
        (0, ""),
    ),
    _single("text", "name", STRING, ("", "a", "A", _LONG_TEXT + "x", _LONG_TEXT + "y", 'x,"y\nz', "~spare")),
    _single(
        "uuid",
        "id",
        STRING,
        tuple(f"6f1c7f8e-5b1a-4a7e-9c55-0b9a5d7e4c{n:02x}" for n in (0, 1, 15, 16, 254, 255)),
        {"when": TIMESTAMP, "amount": DECIMAL, "flag": BOOLEAN},
    ),
    _single(
        "decimal",
        "number",
        Kind("decimal(20,2)", pa.decimal128(20, 2), ()),
        tuple(map(Decimal, ("0.00", "0.01", "-0.01", "99999999999999999.99", "100.00", "1.00"))),
        {"amount": DECIMAL, "v": LONG},
    ),
    _single(
        "date",
        "day",
        DATE,
        (date(1969, 12, 31), date(1970, 1, 1), date(1, 1, 1), date(9999, 12, 31), date(2024, 2, 29)),
        {"x": DOUBLE, "b": BINARY},
    ),
    _single(
        "moment", "at", TIMESTAMP, tuple(_MOMENT + timedelta(microseconds=n) for n in (0, 1, 999, 1000, 86_400_000_000))
    ),
    _single(
        "mixed case",
        "OrderID",
        Kind("long", pa.int64(), ()),
        (1, 2, 3, 2**53, 2**53 + 1, -1),
        {"Sum": DECIMAL, "order": STRING, "select": DATE, "naïve": LONG},
    ),
    Shape(
        "three parts",
        {"day": DATE, "id": Kind("long", pa.int64(), ()), "part": STRING},
        {"v": LONG, "n": INTEGER},
        tuple((date(2024, 2, day), n, part) for day in (28, 29) for n, part in ((1, "x"), (1, "X"), (2, "x"))),
        (date(1970, 1, 1), 0, ""),
    ),
    _single("wide", "id", INTEGER, (1, 2, 3, 4, 5), _WIDE),
)


def shapes(*, infinities: bool = True) -> tuple[Shape, ...]:
    """All of them; with infinite numbers and NaN among the values, or without."""
    return SHAPES if infinities else tuple(shape.finite() for shape in SHAPES)
