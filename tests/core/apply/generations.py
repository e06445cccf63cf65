"""A simulated source that is loaded again and again while it changes, and what each delivery of its files means.

A load reads row by row, each at a moment of its own, as a load from a live database may. Between loads the source can
be truncated, or lose changes on their way: no file says so, which is what a reload is for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from catchment.apply.loads import LoadState
from catchment.landing.names import TableName
from catchment.reload.request import floor_token
from tests.conformance.model import File, Record, Row, meaning

KEYS = ("a", "b", "c", "d")
COLUMNS = ("k", "v", "w")
BASE = datetime(2024, 8, 9, 10, tzinfo=UTC)

values = st.fixed_dictionaries(
    {"v": st.one_of(st.none(), st.integers(0, 3)), "w": st.one_of(st.none(), st.sampled_from(["", "p"]))}
)


def moment(number: int) -> datetime:
    """The time of the n-th event: they are 10 seconds apart."""
    return BASE + timedelta(seconds=10 * number)


def floor(number: int) -> str:
    """A floor right before the n-th event."""
    return floor_token(moment(number) - timedelta(seconds=5))


@dataclass(frozen=True)
class Event:
    """One thing that happens, after which the applier is called. ``at`` is its number in time.

    Files land; ``asked`` is the floor of a reload asked for; ``load`` is what is said of the load from now on.
    """

    at: int
    files: Sequence[File] = ()
    asked: str = ""
    load: LoadState | None = None


class Loads:
    """What is said of the one table's load."""

    def __init__(self) -> None:
        self.now: LoadState | None = None

    def state(self, table: TableName) -> LoadState | None:
        return self.now


@dataclass
class Source:
    """A table that changes; ``lives`` below drives it."""

    draw: st.DrawFn
    rows: dict[str, Row] = field(default_factory=dict)
    number: int = 0
    counter: int = 60
    written: int = 0
    sent: list[File] = field(default_factory=list)

    def change(self) -> Record:
        """One random change, done and recorded."""
        self.number += 1
        self.counter += 4
        token = floor_token(moment(self.number))[:16] + f"{self.counter:019d}"
        key, said = self.draw(st.sampled_from(KEYS)), self.draw(values)
        kind = self.draw(st.sampled_from("IUUDK")) if key in self.rows else "I"
        if kind == "D":
            del self.rows[key]
            return Record("D", token, (key,), {})
        if kind == "K" and (free := [other for other in KEYS if other not in self.rows]):
            new = self.draw(st.sampled_from(free))
            self.rows[new] = self.rows.pop(key) | said
            return Record("U", token, (new,), self.rows[new], (key,))
        self.rows[key] = self.rows.get(key, {}) | said
        return Record("I" if kind == "I" else "U", token, (key,), self.rows[key])

    def changes(self, most: int) -> list[Record]:
        """Some changes."""
        return [self.change() for _ in range(self.draw(st.integers(0, most)))]

    def files(self, records: Sequence[Record]) -> list[File]:
        """The change files of these records, and perhaps an older one once more under another name."""
        cut = self.draw(st.integers(0, len(records)))
        found = [self._file(part) for part in (records[:cut], records[cut:]) if part]
        if self.sent and self.draw(st.booleans()):
            found.append(self._file(self.draw(st.sampled_from(self.sent)).records))
        self.sent += found
        return found

    def _file(self, records: Sequence[Record]) -> File:
        self.written += 1
        return File(f"s/t/2024/08/09/20240809-{200000000 + self.written}.parquet", COLUMNS, tuple(records))

    def load(self, window: Sequence[dict[str, Row]]) -> list[File]:
        """The files of a load that read each key at some moment of the window (the states of the table in it)."""
        read = [(key, window[self.draw(st.integers(0, len(window) - 1))]) for key in KEYS]
        found = [Record("I", "", (key,), state[key]) for key, state in read if key in state]
        cut = self.draw(st.integers(0, len(found)))
        parts = [part for part in (found[:cut], found[cut:]) if part]
        return [File(f"s/t/LOAD{i + 1:08X}.parquet", COLUMNS, tuple(part)) for i, part in enumerate(parts)]


def _loaded(source: Source) -> list[Event]:
    """A load of the source while it changes. One without any row has to be asked for: no file shows that it was."""
    source.number += 1
    started = source.number
    window, records = [dict(source.rows)], []
    for _ in range(source.draw(st.integers(0, 4))):
        records.append(source.change())
        window.append(dict(source.rows))
    files = source.load(window)
    half, cut = source.draw(st.integers(0, len(files))), source.draw(st.integers(0, len(records)))
    rows = sum(len(file.records) for file in files)
    going = LoadState(False, moment(started), sum(len(file.records) for file in files[:half]))
    source.number += 1
    asked = floor(started) if not rows or source.draw(st.booleans()) else ""
    return [
        Event(started, asked=asked),
        Event(started, files=files[:half], load=going),
        Event(source.number, files=source.files(records[:cut])),
        Event(source.number, files=files[half:], load=LoadState(True, moment(started), rows)),
        Event(source.number, files=source.files(records[cut:])),
    ]


@st.composite
def lives(draw: st.DrawFn) -> tuple[list[Event], dict[str, Row]]:
    """Everything that happens to a table, and what its source holds in the end."""
    source = Source(draw)
    source.rows["a"] = draw(values)
    source.changes(3)  # before the first load nobody listens
    source.rows = source.rows or {"b": draw(values)}
    # the first load is one moment: DMS starts to listen there
    source.number += 1
    files = source.load([dict(source.rows)])
    rows = sum(len(file.records) for file in files)
    events = [Event(source.number, files=files, load=LoadState(True, moment(source.number), rows))]
    for _ in range(draw(st.integers(1, 3))):
        events.append(Event(source.number, files=source.files(source.changes(4))))
        if draw(st.booleans()):
            source.rows.clear()  # TRUNCATE
        if draw(st.booleans()):
            source.changes(2)  # lost on their way
        if draw(st.booleans()):
            source.counter = 60  # the task was made anew
        events += _loaded(source)
    events.append(Event(source.number, files=source.files(source.changes(3))))
    return _some_late(draw, events), source.rows


def _some_late(draw: st.DrawFn, events: list[Event]) -> list[Event]:
    """Change files may come later than they were written."""
    moved: list[list[File]] = [[] for _ in events]
    for place, event in enumerate(events):
        for file in event.files:
            late = draw(st.integers(0, 3)) if "LOAD" not in file.path else 0
            moved[min(place + late, len(events) - 1)].append(file)
    return [replace(event, files=files) for event, files in zip(events, moved, strict=True)]


@dataclass
class Expected:
    """The plain meaning: the newest complete load at its floor, and every change file's records behind it."""

    floor: str = ""
    load: list[File] = field(default_factory=list)
    changes: list[File] = field(default_factory=list)
    _landed: dict[str, File] = field(default_factory=dict)
    _asked: str = ""

    def after(self, event: Event) -> None:
        """Take one event."""
        self.changes += [file for file in event.files if "LOAD" not in file.path]
        self._asked = event.asked or self._asked
        if event.load is not None and not event.load.complete:
            self._landed = {}
        self._landed |= {file.path: file for file in event.files if "LOAD" in file.path}
        if event.load is not None and event.load.complete:
            assert event.load.started is not None
            first = not self.load and not self.floor
            unasked = "" if first else floor_token(event.load.started - timedelta(seconds=1))
            self.floor = self._asked if self._asked > self.floor else unasked or self.floor
            self.load, self._landed, self._asked = list(self._landed.values()), {}, ""

    def rows(self) -> dict[tuple[Any, ...], Row]:
        """What the table is to hold."""
        loaded = [
            replace(file, records=tuple(replace(record, token=self.floor) for record in file.records))
            for file in self.load
        ]
        behind = [
            replace(file, records=tuple(record for record in file.records if record.token >= self.floor))
            for file in self.changes
        ]
        return meaning([*loaded, *behind], ("k",), COLUMNS)
