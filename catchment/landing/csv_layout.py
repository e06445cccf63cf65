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

from collections.abc import Iterator, Sequence

from catchment.errors import UnreadableFile
from catchment.landing.contract import TableContract
from catchment.landing.csv_header import text_fields
from catchment.landing.csv_judge import Judge, Layout
from catchment.landing.csv_records import Values
from catchment.landing.names import Kind, LandingFile
from catchment.landing.shape import OPERATION, FileShape, Roles

TELLING_INSERTS = 3
"""Inserts that leave a place empty which updates fill with another key: so many make it a before-image's place."""


class Neighbours:
    """What other files of the table showed: columns are appended, not taken away."""

    def __init__(self) -> None:
        self.least_columns = 0

    def learn(self, layout: Layout) -> None:
        """Remember that a file has at least these columns."""
        self.least_columns = max(self.least_columns, layout.columns)


def headerless_shape(
    file: LandingFile, contract: TableContract, sample: Sequence[Values], neighbours: Neighbours
) -> FileShape:
    """The shape of a file without header, from its first records.

    Raises UnreadableFile where the columns are not declared or two layouts cannot be told apart.
    """
    if contract.columns is None:
        raise UnreadableFile(file.path, "no header, and the table's columns are not declared")
    judge = Judge(file, contract, sample)
    candidates = list(_candidates(file, contract))
    described = candidates[0]
    scores = {layout: judge.score(layout) for layout in candidates}
    best = max(scores.values())
    tied = [layout for layout in candidates if scores[layout] == best]
    fits = best[0] > 0
    hopeless = not fits and len(tied) > 1  # the described layout tells each record what is wrong with it
    layout = described if hopeless or described in tied else _decided(file, judge, tied, neighbours)
    if fits:
        neighbours.learn(layout if layout == described else min(tied, key=lambda other: other.columns))
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


def _decided(file: LandingFile, judge: Judge, tied: list[Layout], neighbours: Neighbours) -> Layout:
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
    if first.columns == judge.declared and not judge.inserts:
        return first  # the settings say that all these columns exist, and nothing in the file speaks against them
    imaged = [layout for layout in (first, *rivals) if layout.before]
    if len(imaged) == 1 and judge.inserts >= TELLING_INSERTS:
        return imaged[0]  # a column that no insert ever fills and that holds a key on updates is none
    shown = " or ".join(f"{layout.columns} columns and {layout.before} before-images" for layout in (first, *rivals))
    raise UnreadableFile(file.path, f"its records could be {shown}")


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
    fields = tuple(text_fields(names))
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
