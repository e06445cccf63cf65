"""Random histories of one table.

``played`` ones come from a small database: transactions that a source could really have committed, read by a load while
they go on, with schema changes in between; what it holds at the end is known. ``wild`` ones hold what no database would
send as well: updates of rows that are not there, inserts of rows that are, records that cannot be used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from tests.conformance.model import File, Key, Record, Row, token
from tests.conformance.shapes import Shape, shapes

SEEDS = st.integers(0, 2**16)


@dataclass(frozen=True)
class Epoch:
    """Changes between two schema changes: their columns, which of those are narrow, and how they are spelt."""

    columns: tuple[str, ...]
    narrow: tuple[str, ...]
    records: tuple[Record, ...]
    recased: bool = False

    def file(self, path: str, records: Sequence[Record]) -> File:
        """Some of its records as a file."""
        return File(path, self.columns, tuple(records), self.narrow, self.recased)


@dataclass(frozen=True)
class History:
    """What one table's load and changes say. ``final`` are the source's rows at the end, where there is a source.

    ``kept`` are the columns that ``final`` can be compared by: of a dropped one the lake keeps the values.
    """

    shape: Shape
    load: Epoch
    epochs: tuple[Epoch, ...]
    final: Mapping[Key, Row] | None = None
    kept: tuple[str, ...] = ()


@dataclass
class Source:
    """A table of a database and its log."""

    draw: st.DrawFn
    shape: Shape
    columns: tuple[str, ...]
    narrow: tuple[str, ...]
    rows: dict[Key, Row] = field(default_factory=dict)
    epochs: list[Epoch] = field(default_factory=list)
    log: list[Record] = field(default_factory=list)
    number: int = 0
    transaction: int = 0
    recased: bool = False
    shuffled: bool = False

    def values(self) -> Row:
        return self.shape.row(self.draw(SEEDS), self.columns, self.narrow)

    def say(self, op: str, key: Key, values: Row, old: Key | None = None) -> None:
        self.number += self.draw(st.integers(1, 2))
        self.log.append(Record(op, token(self.number, self.transaction), key, values, old))

    def insert(self, key: Key) -> None:
        self.rows[key] = self.values()
        self.say("I", key, dict(self.rows[key]))

    def update(self, key: Key) -> None:
        self.rows[key] |= self.values()
        self.say("U", key, dict(self.rows[key]))

    def delete(self, key: Key) -> None:
        del self.rows[key]
        self.say("D", key, {})

    def move(self, old: Key, new: Key) -> None:
        self.rows[new] = self.rows.pop(old)
        if self.draw(st.booleans()):
            self.rows[new] |= self.values()
        self.say("U", new, dict(self.rows[new]), old)

    def commit(self) -> None:
        """One transaction of up to three statements; one without any leaves nothing."""
        self.transaction += self.draw(st.integers(0, 2))
        for _ in range(self.draw(st.sampled_from([0, 1, 1, 1, 2, 3]))):
            self.statement()

    def statement(self) -> None:
        free = [key for key in self.shape.keys if key not in self.rows]
        held = [key for key in self.shape.keys if key in self.rows]
        options = (["insert"] if free else []) + (["update", "delete", "again"] if held else [])
        options += (["move", "chain"] if free and held else []) + (["swap"] if len(held) > 1 else [])
        kind = self.draw(st.sampled_from(options))
        if kind == "insert":
            self.insert(self.draw(st.sampled_from(free)))
        elif kind == "chain":
            self._chain(held, free)
        elif kind == "swap":
            self._swap(*self.draw(st.permutations(held))[:2])
        else:
            self._change(kind, self.draw(st.sampled_from(held)), free)

    def _change(self, kind: str, key: Key, free: list[Key]) -> None:
        if kind == "update":
            self.update(key)
        elif kind == "move":
            self.move(key, self.draw(st.sampled_from(free)))
        else:
            self.delete(key)
            if kind == "again":
                self.insert(key)

    def _chain(self, held: list[Key], free: list[Key]) -> None:
        """Every row moves to where the row before it was: ``UPDATE … SET id = id + 1``."""
        to = self.draw(st.sampled_from(free))
        for key in self.draw(st.permutations(held))[:3]:
            self.move(key, to)
            to = key

    def _swap(self, one: Key, other: Key) -> None:
        self.move(one, self.shape.spare)
        self.move(other, one)
        self.move(self.shape.spare, other)

    def cut(self) -> None:
        """End the epoch."""
        columns = (*self.shape.key, *self.columns)
        columns = tuple(reversed(columns)) if self.shuffled else columns
        self.epochs.append(Epoch(columns, self.narrow, tuple(self.log), self.recased))
        self.log = []

    def alter(self) -> str | None:
        """Add, drop or widen a column, or have all in another order or case; the name of one that was dropped."""
        missing = [name for name in self.shape.columns if name not in self.columns]
        options = (["add"] if missing else []) + (["drop"] if len(self.columns) > 1 else [])
        kind = self.draw(st.sampled_from([*options, *(["widen"] if self.narrow else []), "reorder", "recase"]))
        self.cut()
        if kind == "add":
            self.columns = (*self.columns, self.draw(st.sampled_from(missing)))
        elif kind == "widen":
            self.narrow = self.narrow[1:]
        elif kind == "reorder":
            self.shuffled = not self.shuffled
        elif kind == "recase":
            self.recased = not self.recased
        elif kind == "drop":
            gone = self.draw(st.sampled_from(self.columns))
            self.columns = tuple(name for name in self.columns if name != gone)
            self.narrow = tuple(name for name in self.narrow if name != gone)
            for row in self.rows.values():
                row.pop(gone, None)
            return gone
        return None


@st.composite
def played(draw: st.DrawFn, shape: Shape) -> History:
    """Transactions of a small database, with the load reading each key at a moment of its own."""
    names = tuple(shape.columns)
    columns = names if draw(st.booleans()) else names[: max(1, len(names) - draw(st.integers(0, 2)))]
    narrow = tuple(name for name in shape.narrowable if name in columns) if draw(st.booleans()) else ()
    source = Source(draw, shape, columns, narrow)
    for key in draw(st.lists(st.sampled_from(shape.keys), unique=True)):
        source.rows[key] = source.values()
    window = draw(st.integers(0, 3))
    read_at = {key: draw(st.integers(0, window)) for key in shape.keys}
    seen = {key: dict(source.rows[key]) for key in shape.keys if key in source.rows and not read_at[key]}
    for passed in range(1, window + 1):
        source.commit()
        seen |= {key: dict(source.rows[key]) for key in shape.keys if key in source.rows and read_at[key] == passed}
    load = Epoch((*shape.key, *columns), narrow, tuple(Record("I", "", key, row) for key, row in seen.items()))
    dropped = set()
    for _ in range(draw(st.integers(0, 5))):
        if draw(st.integers(0, 4)) == 0 and (gone := source.alter()):
            dropped.add(gone)
        source.commit()
    source.cut()
    kept = tuple(name for name in source.columns if name not in dropped)
    return History(shape, load, tuple(source.epochs), source.rows, kept)


@st.composite
def wild(draw: st.DrawFn, shape: Shape) -> History:
    """Anything that can be written down, with rising tokens."""
    names = tuple(shape.columns)
    keys = st.sampled_from([*shape.keys, shape.spare])
    some = st.sampled_from([names, names, names[:1], names[: max(1, len(names) // 2)]])
    number = 0

    def record(columns: tuple[str, ...], narrow: tuple[str, ...]) -> Record:
        nonlocal number
        number += draw(st.sampled_from([0, 1, 1, 2, 3]))
        op, key, row = draw(st.sampled_from("IIUUUUDDKKX")), draw(keys), shape.row(draw(SEEDS), columns, narrow)
        if op == "K":
            return Record("U", token(number), key, row, draw(keys))
        if op == "X":
            return _unusable(draw, token(number), key, row)
        return Record(op, token(number), key, {} if op == "D" else row)

    epochs = []
    everywhere = names if draw(st.booleans()) else None
    for _ in range(draw(st.integers(1, 3))):
        columns = everywhere or draw(some)
        narrow = tuple(name for name in shape.narrowable if name in columns) if draw(st.booleans()) else ()
        records = tuple(record(columns, narrow) for _ in range(draw(st.integers(1, 5))))
        epochs.append(Epoch((*shape.key, *columns), narrow, records))
    loaded = draw(st.lists(keys, max_size=7))
    columns = everywhere or draw(some)
    rows = tuple(Record("I", "", key, shape.row(draw(SEEDS), columns)) for key in loaded)
    return History(shape, Epoch((*shape.key, *columns), (), rows), tuple(epochs))


def _unusable(draw: st.DrawFn, at: str, key: Key, row: Row) -> Record:
    if draw(st.booleans()):
        return Record("X", at, key, row)
    parts: list[Any] = list(key)
    parts[draw(st.integers(0, len(parts) - 1))] = None
    return Record("U", at, tuple(parts), row)


def histories(*, infinities: bool = True) -> st.SearchStrategy[History]:
    """Histories of any table; with infinite numbers and NaN among the values, or without."""
    return st.sampled_from(shapes(infinities=infinities)).flatmap(lambda shape: played(shape) | wild(shape))
