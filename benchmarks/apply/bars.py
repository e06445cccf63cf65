"""What Catchment wants to reach, held against what was measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from benchmarks.apply.plan import Cell
from benchmarks.apply.results import limit, medians
from benchmarks.apply.shapes import Shape

LITTLE = 100_000
"""Up to so many changes most bars hold."""
LEASE = "UpdateItem"
"""A write to the lease, which is no request to storage."""


@dataclass(frozen=True)
class Bar:
    """``worst`` is the measured figure that is furthest from (or least beyond) what is wanted, at the cell ``where``;
    ``met`` of ``cells`` cells reach it."""

    wanted: str
    worst: str
    where: str
    met: int
    cells: int

    @property
    def verdict(self) -> str:
        """In a word or two."""
        if not self.cells:
            return "not measured"
        return "reached" if self.met == self.cells else f"reached in {self.met} of {self.cells} cells"


class Measured:
    """A result file's medians: ``cells`` of the fresh processes and of warm Spark, ``cold`` of cold Spark."""

    def __init__(self, result: Mapping[str, Any]) -> None:
        runs = [*result["runs"], *(run for run in result["spark"] if not run["cold"])]
        self.cells = medians(runs)
        self.cold = medians(run for run in result["spark"] if run["cold"])
        self.tables, self.requests = result["tables"], result["requests"]

    def value(self, engine: str, shape: Shape, measure: str = "seconds") -> float | None:
        """A median, if there is one."""
        return self.cells.get(Cell(engine, shape), {}).get(measure)

    def limit(self, shape: Shape) -> float | None:
        """Seconds of decoding and encoding what a change touches."""
        return limit(self.cells, shape, "seconds")

    def shapes(self, engine: str, most: int | None = None, least: int = 1) -> list[Shape]:
        """What ``engine`` was measured on, of ``least`` to ``most`` changes; loads are of 0."""
        found = (cell.shape for cell, each in self.cells.items() if cell.engine == engine and each["rounds"])
        return [shape for shape in found if least <= shape.changes and (most is None or shape.changes <= most)]


def bars(found: Measured) -> list[Bar]:
    """Every bar, in the order of the page."""
    small, large = found.shapes("cow", LITTLE), found.shapes("cow", least=LITTLE + 1)
    scattered = [each for each in found.shapes("dv", LITTLE) if each.keys == "scattered" and each.rows >= 10_000_000]
    return [
        _at_most("copy-on-write, at most {} x the limit up to 100k changes", 1.3, small, _against_limit(found)),
        _at_most("copy-on-write, at most {} x the limit at 1M changes", 2, large, _against_limit(found)),
        _at_least(
            "deletion vectors, at least {} x below the limit, scattered, from 10M rows on",
            8,
            scattered,
            lambda shape: _ratio(found.limit(shape), found.value("dv", shape)),
        ),
        _at_least(
            "copy-on-write, at least {} x faster than a warm Spark MERGE up to 100k changes",
            8,
            small,
            lambda shape: _ratio(found.value("spark-merge", shape), found.value("cow", shape)),
        ),
        _at_least(
            "deletion vectors, at least {} x faster than a warm Spark MERGE with them up to 100k changes",
            20,
            found.shapes("dv", LITTLE),
            lambda shape: _ratio(found.value("spark-merge-dv", shape), found.value("dv", shape)),
        ),
        _at_most("peak memory, at most {} MB up to 100k changes", 400, *_memory(found, small)),
        _at_most("peak memory, at most {} MB at 1M changes", 700, *_memory(found, large)),
        _at_least(
            "full load, at least {} x faster than Spark's sorted write",
            8,
            found.shapes("load", least=0),
            lambda shape: _ratio(found.value("spark-load", shape), found.value("load", shape)),
        ),
        _at_most(
            "full load, {} files that overlap their neighbour",
            0,
            found.shapes("load", least=0),
            lambda shape: found.value("load", shape, "overlaps"),
        ),
        _at_most(
            "Spark engine, at most {} x a bare Delta MERGE of the net changes",
            1.2,
            found.shapes("catchment-spark"),
            lambda shape: _ratio(found.value("catchment-spark", shape), found.value("spark-merge", shape)),
        ),
        *_asked(found.requests),
    ]


def _asked(requests: Sequence[Mapping[str, Any]] | Mapping[str, Any]) -> list[Bar]:
    """What a commit and a poke ask of storage; nothing where it was not counted."""
    if isinstance(requests, Mapping):
        return []
    versions = [sum(entry["commit"].values()) for entry in requests if "versions" in entry]
    files = {entry["files"]: sum(entry["commit"].values()) for entry in requests if "files" in entry}
    idle = max(_of_storage(entry["idle"]) for entry in requests if "idle" in entry)
    half = len(versions) // 2
    grown = {
        f"versions {half + 1} to {len(versions)} against 1 to {half}": fmean(versions[half:]) / fmean(versions[:half]),
        f"{max(files)} files against {min(files)}": files[max(files)] / files[min(files)],
    }
    return [
        _bar("requests of a commit, at most 1.05 x when the table has more", grown, max, lambda each: each <= 1.05),
        _bar("a poke with nothing new, at most 2 requests to S3", {"": idle}, max, lambda each: each <= 2),
    ]


def _of_storage(counts: Mapping[str, int]) -> int:
    return sum(number for name, number in counts.items() if name != LEASE)


def _memory(found: Measured, shapes: Iterable[Shape]) -> tuple[list[Shape], Callable[[Shape], float | None]]:
    def highest(shape: Shape) -> float | None:
        both = [found.value(engine, shape, "peak_mb") for engine in ("cow", "dv")]
        return max((value for value in both if value is not None), default=None)

    return list(shapes), highest


def _against_limit(found: Measured) -> Callable[[Shape], float | None]:
    return lambda shape: _ratio(found.value("cow", shape), found.limit(shape))


def _ratio(above: float | None, below: float | None) -> float | None:
    return above / below if above is not None and below else None


def _at_most(text: str, bar: float, shapes: Iterable[Shape], value: Callable[[Shape], float | None]) -> Bar:
    return _bar(text.format(bar), _values(shapes, value), max, lambda each: each <= bar)


def _at_least(text: str, bar: float, shapes: Iterable[Shape], value: Callable[[Shape], float | None]) -> Bar:
    return _bar(text.format(bar), _values(shapes, value), min, lambda each: each >= bar)


def _values(shapes: Iterable[Shape], value: Callable[[Shape], float | None]) -> dict[str, float]:
    return {shape.name: each for shape in shapes if (each := value(shape)) is not None}


def _bar(text: str, found: Mapping[str, float], furthest: Callable[..., str], meets: Callable[[float], bool]) -> Bar:
    if not found:
        return Bar(text, "", "", 0, 0)
    worst = furthest(found, key=lambda name: found[name])
    met, value = sum(meets(each) for each in found.values()), found[worst]
    shown = f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.2f}"
    return Bar(text, shown, worst, met, len(found))
