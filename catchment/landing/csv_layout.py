"""Which field of a CSV file is what.

A file is looked at on its own. Where its first record consists of known names it is a header, whatever the settings
say, and every field is known by name. Without header a record is ``[Op] [timestamp] columns [sequence]
[before-images]``, and files of one table differ: a load file may lack ``Op``, columns are appended from some file on,
before-images are switched on from some file on. The layout is the one that most of the file's first records fit:

- a change record's first field is I, U or D, a load record's is I where the load carries operations;
- the timestamp is one, the sequence has 35 digits (in a load it is empty);
- before-images are empty but on updates; there they are of the key's type and are not the key itself;
- a key is not NULL, and values read as their columns' types.

Where two layouts fit equally well the settings decide. If they leave open which of two columns a value belongs to,
files seen before decide (columns are only ever appended); if these do not know either, the file is refused: a value
never goes into a column on a guess.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from catchment.errors import UnreadableFile
from catchment.landing.casts import TEXT
from catchment.landing.contract import TableContract
from catchment.landing.csv_records import Values
from catchment.landing.delivery import SEQUENCE_DIGITS
from catchment.landing.names import Kind, LandingFile
from catchment.landing.shape import OPERATION, Field, FileShape, Roles, by_name
from catchment.landing.types import DeltaType

_MOMENT = re.compile(rb"\d{4,6}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d*)?(Z|[+-]\d\d(:?\d\d)?)?")
_NUMBER = re.compile(rb" *[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)? *")
_WHOLE = re.compile(rb" *[+-]?(\d+(\.0*)?|\d\.\d+[eE]\+\d+) *")
_FLOATING = re.compile(rb"(?i:" + _NUMBER.pattern + rb"|[+-]?(nan|inf(inity)?))")
_DAY = re.compile(rb"\d{4,6}-\d\d-\d\d.*")
_FORMS = {
    **dict.fromkeys(("byte", "short", "integer", "long"), _WHOLE),
    **dict.fromkeys(("float", "double"), _FLOATING),
    "decimal": _NUMBER,
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


class Neighbours:
    """What other files of the table showed: columns are appended, not taken away."""

    def __init__(self) -> None:
        self.least_columns = 0

    def learn(self, layout: Layout) -> None:
        """Remember that a file has at least these columns."""
        self.least_columns = max(self.least_columns, layout.columns)


def header_shape(file: LandingFile, contract: TableContract, first: Values) -> FileShape | None:
    """The shape of a file that begins with this header; None where the record is none.

    Raises UnreadableFile for a header that lacks what every file needs.
    """
    names = [(value or b"").decode("utf-8", "replace") for value in first]
    return replace(by_name(file, contract, _fields(names)), header=True) if _is_header(contract, names) else None


def _is_header(contract: TableContract, names: list[str]) -> bool:
    """Nothing but known names, or the whole key and others: these are columns too, unless they are data."""
    folded = [name.casefold() for name in names]
    if not all(folded):
        return False
    landing = contract.landing
    added = [n for n in (landing.timestamp_column, landing.sequence_column, OPERATION) if n is not None]
    known = {n.casefold() for n in (*(contract.columns or ()), *contract.key, *added)}
    image = (landing.before_image_prefix or "\0").casefold()
    count = sum(name in known or name.startswith(image) for name in folded)
    if count == len(names):
        return True
    if not {part.casefold() for part in contract.key} <= set(folded):
        return False
    if names[0] in ("I", "U", "D") or any(_is_moment(name) or _NUMBER.fullmatch(name.encode()) for name in names):
        return False
    if contract.columns is None:
        return landing.header or count > 0
    return count * 2 >= len(names)


def _is_moment(name: str) -> bool:
    return _MOMENT.fullmatch(name.encode()) is not None


def headerless_shape(
    file: LandingFile, contract: TableContract, sample: Sequence[Values], neighbours: Neighbours
) -> FileShape:
    """The shape of a file without header, from its first records.

    Raises UnreadableFile where the columns are not declared or two layouts cannot be told apart.
    """
    if contract.columns is None:
        raise UnreadableFile(file.path, "no header, and the table's columns are not declared")
    judge = _Judge(file, contract, sample)
    candidates = list(_candidates(file, contract))
    scores = {layout: judge.score(layout) for layout in candidates}
    best = max(scores.values())
    tied = [layout for layout in candidates if scores[layout] == best]
    fits = best[0] > 0
    if judge.described in tied or (not fits and len(tied) > 1):
        layout = judge.described  # where no record fits anything, each will be told what is wrong
    else:
        layout = _decided(file, judge, tied, neighbours)
    if fits:
        neighbours.learn(layout if layout == judge.described else min(tied, key=lambda other: other.columns))
    return _shape(contract, layout)


def _candidates(file: LandingFile, contract: TableContract) -> Iterator[Layout]:
    """All layouts a file of this table may have, the one the settings describe first."""
    columns, landing = list(contract.columns or ()), contract.landing
    last_of_key = max((columns.index(part) + 1 for part in contract.key), default=1)
    load = file.kind is Kind.LOAD
    for commit in _configured(landing.timestamp_column, load):
        for sequence in _configured(landing.sequence_column, load):
            for operation in (landing.op_in_full_load, not landing.op_in_full_load) if load else (True,):
                for count in range(len(columns), last_of_key - 1, -1):
                    for before in _before_images(contract, count, sequence):
                        yield Layout(operation, commit, count, sequence, before)


def _configured(name: str | None, load: bool) -> tuple[bool, ...]:
    """A load may be older than the endpoint's settings. A change without its order would look like a cut record."""
    return (False,) if name is None else (True, False) if load else (True,)


def _before_images(contract: TableContract, columns: int, sequence: bool) -> tuple[int, ...]:
    """Of the key or none; of all columns where the sequence in between says where they begin."""
    if contract.landing.before_image_prefix is None or not contract.key:
        return (0,)
    return tuple(dict.fromkeys((len(contract.key), 0, *([columns] if sequence else []))))


def _decided(file: LandingFile, judge: _Judge, tied: list[Layout], neighbours: Neighbours) -> Layout:
    """``tied`` is in the order of preference; where they all read every value alike, the first is as good as any."""
    most = max(judge.sequences(layout) for layout in tied)
    tied = [layout for layout in tied if judge.sequences(layout) == most]
    first = tied[0]
    rivals = [layout for layout in tied[1:] if judge.disagree(first, layout)]
    if not rivals:
        return first
    known = [layout for layout in (first, *rivals) if layout.columns >= neighbours.least_columns]
    if neighbours.least_columns and len(known) == 1:
        return known[0]
    if first.columns == judge.declared and not judge.has_inserts:
        return first  # the settings say that all these columns exist, and nothing in the file speaks against them
    shown = " or ".join(f"{layout.columns} columns and {layout.before} before-images" for layout in (first, *rivals))
    raise UnreadableFile(file.path, f"its records could be {shown}")


class _Judge:
    """Holds a sample of records against layouts."""

    def __init__(self, file: LandingFile, contract: TableContract, sample: Sequence[Values]) -> None:
        self._load, self._by_width = file.kind is Kind.LOAD, _by_width(sample)
        columns = dict(contract.columns or {})
        self._types = list(columns.values())
        self._key = [list(columns).index(part) for part in contract.key]
        self.declared = len(columns)
        self.described = next(_candidates(file, contract))
        self.has_inserts = any(values and values[0] == b"I" for values in sample)

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
            marks += commit is None or _MOMENT.fullmatch(commit) is not None
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


def _shape(contract: TableContract, layout: Layout) -> FileShape:
    landing, columns = contract.landing, dict(contract.columns or {})
    said = list(columns)[: layout.columns]
    in_order = [part for part in columns if part in contract.key]
    images = {layout.columns: said, len(in_order): in_order}[layout.before] if layout.before else []
    prefix = landing.before_image_prefix or ""
    names = [
        *([OPERATION] if layout.operation else []),
        *([landing.timestamp_column or ""] if layout.commit else []),
        *said,
        *([landing.sequence_column or ""] if layout.sequence else []),
        *(prefix + name for name in images),
    ]
    fields = tuple(_fields(names))
    end = layout.first + layout.columns
    before = dict(zip(images, fields[end + layout.sequence :], strict=True))
    roles = Roles(
        operation=fields[0] if layout.operation else None,
        commit=fields[layout.operation] if layout.commit else None,
        sequence=fields[end] if layout.sequence else None,
        columns=dict(zip(said, fields[layout.first : end], strict=True)),
        before=tuple(before[part] for part in contract.key) if before else (),
    )
    return FileShape({name: columns[name] for name in said}, roles, fields)


def _fields(names: Sequence[str]) -> list[Field]:
    return [Field(name, f"c{i}", TEXT) for i, name in enumerate(names)]
