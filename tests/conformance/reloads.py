"""A simulated source that is loaded again and again while it changes, and what each delivery of its files means.

A load reads row by row, each at a moment of its own, as a load from a live database may. Between loads the source can
be truncated, or lose changes on their way: no file says so, which is what a reload is for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from catchment.apply.loads import LoadState
from catchment.landing.names import TableName
from catchment.reload.request import floor_token
from tests.conformance.histories import Source
from tests.conformance.model import File, Key, Record, Row, meaning
from tests.conformance.shapes import Shape, shapes

BASE = datetime(2024, 8, 9, 10, tzinfo=UTC)
_SECONDS = 10
_COUNTER = 60  # where a task made anew begins to count

Rows = Mapping[Key, Row]


def moment(number: int) -> datetime:
    """The time of the n-th event: they are 10 seconds apart."""
    return BASE + timedelta(seconds=_SECONDS * number)


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
class _Source(Source):
    """A table that changes, each transaction at a moment of its own; ``lives`` below drives it."""

    written: int = 0
    sent: list[File] = field(default_factory=list)

    @property
    def at(self) -> int:
        """The number in time of what happened last."""
        return self.transaction // _SECONDS

    def pass_time(self) -> int:
        """Something else happens; its number in time."""
        self.transaction += _SECONDS
        return self.at

    def state(self) -> Rows:
        """The rows as they are now."""
        return {key: dict(row) for key, row in self.rows.items()}

    def change(self) -> list[Record]:
        """One transaction of one statement."""
        self.pass_time()
        self.statement()
        said, self.log = self.log, []
        return said

    def changes(self, most: int) -> list[Record]:
        """Some of them."""
        return [record for _ in range(self.draw(st.integers(0, most))) for record in self.change()]

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
        path = f"s/t/2024/08/09/20240809-{200000000 + self.written}.parquet"
        return File(path, tuple(self.shape.kinds), tuple(records))

    def load(self, window: Sequence[Rows]) -> list[File]:
        """The files of a load that read each key at some moment of the window (the states of the table in it)."""
        read = [(key, window[self.draw(st.integers(0, len(window) - 1))]) for key in self.shape.keys]
        found = [Record("I", "", key, state[key]) for key, state in read if key in state]
        cut = self.draw(st.integers(0, len(found)))
        parts = [part for part in (found[:cut], found[cut:]) if part]
        columns = tuple(self.shape.kinds)
        return [File(f"s/t/LOAD{i + 1:08X}.parquet", columns, tuple(part)) for i, part in enumerate(parts)]


def _loaded(source: _Source) -> list[Event]:
    """A load of the source while it changes. One without any row has to be asked for: no file shows that it was."""
    started = source.pass_time()
    window, records = [source.state()], []
    for _ in range(source.draw(st.integers(0, 4))):
        records += source.change()
        window.append(source.state())
    files = source.load(window)
    half, cut = source.draw(st.integers(0, len(files))), source.draw(st.integers(0, len(records)))
    rows = sum(len(file.records) for file in files)
    going = LoadState(False, moment(started), sum(len(file.records) for file in files[:half]))
    now = source.pass_time()
    asked = floor(started) if not rows or source.draw(st.booleans()) else ""
    return [
        Event(started, asked=asked),
        Event(started, files=files[:half], load=going),
        Event(now, files=source.files(records[:cut])),
        Event(now, files=files[half:], load=LoadState(True, moment(started), rows)),
        Event(now, files=source.files(records[cut:])),
    ]


@st.composite
def lives(draw: st.DrawFn, *, infinities: bool = True) -> tuple[Shape, list[Event], Rows]:
    """Everything that happens to a table, and what its source holds in the end."""
    shape = draw(st.sampled_from(shapes(infinities=infinities)))
    source = _Source(draw, shape, tuple(shape.columns), (), number=_COUNTER)
    source.changes(3)  # before the first load nobody listens
    if not source.rows:
        source.rows[shape.keys[0]] = source.values()
    # the first load is one moment: DMS starts to listen there
    started = source.pass_time()
    files = source.load([source.state()])
    rows = sum(len(file.records) for file in files)
    events = [Event(started, files=files, load=LoadState(True, moment(started), rows))]
    for _ in range(draw(st.integers(1, 3))):
        records = source.changes(4)
        events.append(Event(source.at, files=source.files(records)))
        if draw(st.booleans()):
            source.rows.clear()  # TRUNCATE
        if draw(st.booleans()):
            source.changes(2)  # lost on their way
        if draw(st.booleans()):
            source.number = _COUNTER  # the task was made anew
        events += _loaded(source)
    records = source.changes(3)
    events.append(Event(source.at, files=source.files(records)))
    return shape, _some_late(draw, events), source.rows


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

    def rows(self, shape: Shape) -> Rows:
        """What the table is to hold."""
        loaded = [
            replace(file, records=tuple(replace(record, token=self.floor) for record in file.records))
            for file in self.load
        ]
        behind = [
            replace(file, records=tuple(record for record in file.records if record.token >= self.floor))
            for file in self.changes
        ]
        return meaning([*loaded, *behind], list(shape.key), list(shape.kinds))
