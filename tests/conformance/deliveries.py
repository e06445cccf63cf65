"""How DMS may hand a history over: split anywhere, sent twice, late, out of order, the load behind the changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import strategies as st

from tests.conformance.histories import Epoch, History
from tests.conformance.model import File

_BETWEEN = ("", "", "", "scattering", "scattering", "maintenance", "compaction", "checkpoint")
# shortly before midnight, so that day folders differ
_START = datetime(2024, 8, 9, 23, 57)


@dataclass(frozen=True)
class Delivery:
    """The steps in which the landing zone fills up. ``in_name_order``: names alone tell the order of the changes.

    ``between`` says what happens to the table before each step (others.py; empty: nothing). ``poked``: of each step the
    applier is told the names; else it looks at the whole folder.
    """

    steps: Sequence[Sequence[File]]
    between: Sequence[str]
    in_name_order: bool
    poked: bool


def change_path(minute: float, *, folder: bool = True) -> str:
    """The path of a change file flushed that many minutes after the start."""
    at = _START + timedelta(minutes=minute)
    return f"s/t/{f'{at:%Y/%m/%d}/' if folder else ''}{at:%Y%m%d-%H%M%S}{at.microsecond // 1000:03d}.parquet"


@st.composite
def deliveries(draw: st.DrawFn, history: History) -> Delivery:
    """Files of a history in steps, everything delivered at the end; an interval is a minute, or longer than a look."""
    interval = draw(st.sampled_from([1, 1, 150]))
    natural = [*_load_files(draw, history.load), *_change_files(draw, history.epochs, interval)]
    files, shuffled = _renamed(draw, natural)
    resent = _resent(draw, history.epochs, len(files), interval)
    files += resent
    if draw(st.integers(0, 2)) == 0:
        files = list(draw(st.permutations(files)))
    steps: list[list[File]] = [[]]
    for file in files:
        if steps[-1] and draw(st.booleans()):
            steps.append([])
        steps[-1].append(file)
        if draw(st.integers(0, 7)) == 0:  # put once more, same name, same content
            steps.append([draw(st.sampled_from(steps[-1]))])
    between = [draw(st.sampled_from(_BETWEEN)) for _ in steps]
    return Delivery(steps, between, not shuffled and not resent, draw(st.booleans()))


def _load_files(draw: st.DrawFn, load: Epoch) -> list[File]:
    half = draw(st.integers(0, len(load.records)))
    parts = [load.records[:half], load.records[half:]] if draw(st.booleans()) else [load.records]
    return [load.file(f"s/t/LOAD{i + 1:08X}.parquet", part) for i, part in enumerate(parts)]


def _change_files(draw: st.DrawFn, epochs: Sequence[Epoch], interval: int) -> list[File]:
    """A file never holds both sides of a schema change; it may well be empty."""
    files = []
    for epoch in epochs:
        ends = st.integers(0, len(epoch.records))
        cuts = sorted([0, *draw(st.lists(ends, max_size=2)), len(epoch.records)])
        for start, end in pairwise(cuts):
            if start < end or draw(st.integers(0, 2)) == 0:
                path = change_path(len(files) * interval, folder=draw(st.booleans()))
                files.append(epoch.file(path, epoch.records[start:end]))
    return files


def _renamed(draw: st.DrawFn, files: list[File]) -> tuple[list[File], bool]:
    """Now and then two neighbours of one interval have each other's names."""
    changes = [i for i, file in enumerate(files[:-1]) if not file.is_load and not files[i + 1].is_load]
    if not changes or draw(st.integers(0, 3)):
        return files, False
    i = draw(st.sampled_from(changes))
    one, other = files[i], files[i + 1]
    return [*files[:i], other.renamed(one.path), one.renamed(other.path), *files[i + 2 :]], True


def _resent(draw: st.DrawFn, epochs: Sequence[Epoch], named: int, interval: int) -> list[File]:
    """After a resume, changes come once more, cut otherwise, under names of their own."""
    said = [epoch for epoch in epochs if epoch.records]
    files: list[File] = []
    for i in range(draw(st.sampled_from([0, 0, 1, 2])) if said else 0):
        epoch = draw(st.sampled_from(said))
        start = draw(st.integers(0, len(epoch.records) - 1))
        end = draw(st.integers(start + 1, len(epoch.records)))
        path = change_path((draw(st.integers(-1, named)) + 0.25 * (i + 1)) * interval, folder=False)
        files.append(epoch.file(path, epoch.records[start:end]))
    return files
