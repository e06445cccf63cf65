"""How well the records of a CSV file without header fit a layout."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from catchment.landing.contract import TableContract
from catchment.landing.csv_records import Values
from catchment.landing.delivery import SEQUENCE_DIGITS
from catchment.landing.names import Kind, LandingFile
from catchment.landing.types import DeltaType

MOMENT = re.compile(rb"\d{4,6}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d*)?(Z|[+-]\d\d(:?\d\d)?)?")
NUMBER = re.compile(rb" *[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)? *")
_WHOLE = re.compile(rb" *[+-]?(\d+(\.0*)?|\d\.\d+[eE]\+\d+) *")
_FLOATING = re.compile(rb"(?i:" + NUMBER.pattern + rb"|[+-]?(nan|inf(inity)?))")
_DAY = re.compile(rb"\d{4,6}-\d\d-\d\d.*")
_FORMS = {
    **dict.fromkeys(("byte", "short", "integer", "long"), _WHOLE),
    **dict.fromkeys(("float", "double"), _FLOATING),
    "decimal": NUMBER,
    **dict.fromkeys(("date", "timestamp", "timestamp_ntz"), _DAY),
    "boolean": re.compile(rb"(?i:true|false|t|f|1|0|y|n|yes|no|on|off)"),
    "binary": re.compile(rb"(0[xX]|\\x)?([0-9A-Fa-f]{2})*"),
}
_SEQUENCE = re.compile(rb"\d{%d}" % SEQUENCE_DIGITS)
_OPERATIONS = (b"I", b"U", b"D")


@dataclass(frozen=True)
class Layout:
    """A headerless record: which parts it has, how many columns, and how many before-images behind the sequence."""

    operation: bool
    commit: bool
    columns: int
    sequence: bool
    before: int

    @property
    def first(self) -> int:
        """The place of the first column."""
        return self.operation + self.commit

    @property
    def width(self) -> int:
        return self.first + self.columns + self.sequence + self.before


class Judge:
    """Holds a sample of records against layouts."""

    def __init__(self, file: LandingFile, contract: TableContract, sample: Sequence[Values]) -> None:
        self._load, self._by_width = file.kind is Kind.LOAD, _by_width(sample)
        columns = dict(contract.columns or {})
        self._types = list(columns.values())
        self._key = [list(columns).index(part) for part in contract.key]
        self.declared = len(columns)
        self.inserts = sum(bool(values) and values[0] == b"I" for values in sample)

    def score(self, layout: Layout) -> tuple[int, int]:
        """How many records fit, and how many marks (operation, timestamp, sequence) stand where they should."""
        fit = marks = 0
        for values in self._by_width.get(layout.width, ()):
            found = self._marks(layout, values)
            marks += found
            whole = layout.operation + layout.commit + layout.sequence
            fit += found == whole and self._columns_fit(layout, values) and self._before_fit(layout, values)
        return fit, marks

    def sequences(self, layout: Layout) -> int:
        """How many records have a sequence at all: the empty text of a load is one, NULL is none."""
        place = layout.first + layout.columns
        return sum(layout.sequence and values[place] is not None for values in self._by_width.get(layout.width, ()))

    def disagree(self, a: Layout, b: Layout) -> bool:
        """Whether some value goes into another place (NULL in a place, or no such place, is the same)."""
        if (a.operation, a.commit, a.sequence, a.width) != (b.operation, b.commit, b.sequence, b.width):
            return False  # these are for the settings to say
        return any(_placed(a, values) != _placed(b, values) for values in self._by_width.get(a.width, ()))

    def _marks(self, layout: Layout, values: Values) -> int:
        marks = 0
        if layout.operation:
            marks += values[0] in ((b"I",) if self._load else _OPERATIONS)
        if layout.commit:
            commit = values[layout.operation]
            marks += commit is None or MOMENT.fullmatch(commit) is not None
        if layout.sequence:
            sequence = values[layout.first + layout.columns] or b""
            marks += not sequence if self._load else _SEQUENCE.fullmatch(sequence) is not None
        return marks

    def _columns_fit(self, layout: Layout, values: Values) -> bool:
        row = values[layout.first : layout.first + layout.columns]
        if any(row[i] is None for i in self._key):
            return False
        if layout.operation and values[0] == b"D":
            return all(_reads_as(row[i], self._types[i]) for i in self._key)
        return all(map(_reads_as, row, self._types))

    def _before_fit(self, layout: Layout, values: Values) -> bool:
        if not layout.before:
            return True
        images = values[layout.width - layout.before :]
        keyed = [images[i] for i in self._key] if layout.before == layout.columns else images
        if not (layout.operation and values[0] == b"U"):
            return not any(keyed)
        if not any(keyed):
            return True
        key = [values[layout.first + i] for i in self._key]
        typed = all(map(_reads_as, keyed, (self._types[i] for i in self._key)))
        return typed and all(v is not None for v in keyed) and keyed != key


def _by_width(sample: Sequence[Values]) -> dict[int, list[Values]]:
    found: dict[int, list[Values]] = {}
    for values in sample:
        found.setdefault(len(values), []).append(values)
    return found


def _placed(layout: Layout, values: Values) -> dict[tuple[str, int], bytes]:
    end = layout.first + layout.columns
    columns = {("column", i): v for i, v in enumerate(values[layout.first : end]) if v is not None}
    before = {("before", i): v for i, v in enumerate(values[end + layout.sequence :]) if v is not None}
    return columns | before


def _reads_as(value: bytes | None, kind: DeltaType) -> bool:
    form = _FORMS.get(kind.name)
    return value is None or form is None or form.fullmatch(value) is not None
