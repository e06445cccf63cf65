"""What Catchment wants to reach, held against what was measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.apply.plan import Cell
from benchmarks.apply.results import limit, medians
from benchmarks.apply.shapes import Shape

LITTLE = 100_000
"""Up to so many changes most bars hold."""


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
    ]


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
    found = {shape: each for shape in shapes if (each := value(shape)) is not None}
    return _bar(text, bar, found, max, lambda each: each <= bar)


def _at_least(text: str, bar: float, shapes: Iterable[Shape], value: Callable[[Shape], float | None]) -> Bar:
    found = {shape: each for shape in shapes if (each := value(shape)) is not None}
    return _bar(text, bar, found, min, lambda each: each >= bar)


def _bar(
    text: str, bar: float, found: Mapping[Shape, float], furthest: Callable[..., Shape], meets: Callable[[float], bool]
) -> Bar:
    if not found:
        return Bar(text.format(bar), "", "", 0, 0)
    worst = furthest(found, key=lambda shape: found[shape])
    met = sum(meets(each) for each in found.values())
    value = found[worst]
    return Bar(
        text.format(bar), f"{value:.0f}" if value >= 100 or value == 0 else f"{value:.2f}", worst.name, met, len(found)
    )
