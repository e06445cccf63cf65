"""What is measured by ``make bench`` and by ``make bench-full``, and what else can be chosen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import product

from benchmarks.apply.shapes import KEYS, LOAD, Shape, count

LIMITS = ("limit-duckdb", "limit-arrow", "copy")
LOADS = ("load", "spark-load")
OTHERS = ("delta-rs", "delta-rs-streamed", "overwrite", "row-by-row")
PROFILES = {"cow-profile": "cow", "dv-profile": "dv"}
CHANGES = ("1k", "100k", "1M")


@dataclass(frozen=True)
class Cell:
    """One engine on one shape."""

    engine: str
    shape: Shape


@dataclass(frozen=True)
class SparkPlan:
    """One session: the shapes ``engine`` does one after the other, the first of them cold."""

    engine: str
    shapes: Sequence[Shape]


@dataclass(frozen=True)
class Plan:
    """A whole measurement. Each of ``cells`` is measured once, then again while ``minutes`` are not over; ``tables``
    and ``versions`` are how many of them there are for the sections on many tables and on requests."""

    name: str
    cells: Sequence[Cell]
    sessions: Sequence[SparkPlan]
    minutes: float
    tables: int
    versions: int

    @property
    def repeated(self) -> list[Cell]:
        """What bars are held against, but for the long loads."""
        return [cell for cell in self.cells if cell.engine in ("cow", "dv", "limit-duckdb")]


def chosen(tables: Sequence[str], changes: Sequence[str], keys: Sequence[str], engines: Sequence[str]) -> list[Cell]:
    """All cells of the given sizes, keys and engines; shape by shape, so that engines stand side by side."""
    shapes = [Shape(count(rows), count(events), key) for rows, events, key in product(tables, changes, keys)]
    shapes += [Shape(count(rows), 0, LOAD) for rows in tables]
    return [Cell(engine, shape) for shape in shapes for engine in engines if (engine in LOADS) == (not shape.changes)]


def standard() -> Plan:
    """``make bench``."""
    return Plan("standard", _cells(full=False), _sessions(full=False), 16, 500, 100)


def full() -> Plan:
    """``make bench-full``."""
    return Plan("full", _cells(full=True), _sessions(full=True), 120, 2000, 500)


def small() -> Plan:
    """The standard one with a hundredth of the rows and changes, to see that all of it runs."""

    def less(shape: Shape) -> Shape:
        changes = max(shape.changes // 100, 1) if shape.changes else 0
        return replace(shape, rows=shape.rows // 100, changes=changes, rows_a_file=shape.rows_a_file // 100)

    whole = standard()
    cells = [Cell(cell.engine, less(cell.shape)) for cell in whole.cells]
    sessions = [SparkPlan(each.engine, [less(shape) for shape in each.shapes]) for each in whole.sessions]
    return Plan("small", cells, sessions, 5, 5, 4)


def shapes_of(cells: Iterable[Cell]) -> list[Shape]:
    """The shapes of the cells, each once, in their order."""
    return list(dict.fromkeys(cell.shape for cell in cells))


def _cut(rows_a_file: str) -> Shape:
    """Few clustered changes to a table that is cut into many files."""
    return Shape(count("1M"), count("1k"), "clustered", count(rows_a_file))


def _cells(*, full: bool) -> list[Cell]:
    cells = chosen(["1M"], ["100k"], KEYS, ["cow", "dv", "limit-duckdb"])
    cells += chosen(["1M"], ["1M"], ["scattered"], ["cow", "limit-duckdb"])
    cells += chosen(["10M"], CHANGES, KEYS, ["cow", "limit-duckdb"])
    cells += chosen(["10M"], CHANGES, ["scattered"], ["dv", "copy"])
    cells += chosen(["10M"], ["100k"], KEYS, ["limit-arrow"])
    cells += chosen(["10M"], ["100k"], ["scattered"], [*OTHERS, *PROFILES])
    cells += chosen(["10M"], ["1M"], ["scattered"], ["cow-profile"])
    cells += chosen(["1M", "10M"], [], [], ["load"])
    cells += [Cell("cow", _cut(rows_a_file)) for rows_a_file in ("25k", "2500")]
    if full:
        cells += chosen(["1M", "10M"], CHANGES, KEYS, ["cow", "dv", *LIMITS])
        cells += chosen(["1M", "10M"], ["1k", "100k"], ["scattered"], OTHERS)
        cells += chosen(["100M"], CHANGES, KEYS, ["cow", "dv", *LIMITS])
        cells += [*chosen(["100M"], [], [], ["load"]), Cell("cow", _cut("1k"))]
    return [cell for shape in shapes_of(cells) for cell in dict.fromkeys(cells) if cell.shape == shape]


def _sessions(*, full: bool) -> list[SparkPlan]:
    """The first shape of each is there to warm it up, and is measured as the cold one."""
    small, large = (Shape(count(rows), count("100k"), "scattered") for rows in ("1M", "10M"))
    few = Shape(large.rows, count("1k"), "scattered")
    merges = [small, small, large]
    if full:
        merges += [large, small, few, *(Shape(large.rows, count("1M"), key) for key in KEYS)]
    loads = [Shape(count(rows), 0, LOAD) for rows in ("1M", "10M")]
    return [
        SparkPlan("spark-merge", merges),
        SparkPlan("catchment-spark", merges),
        SparkPlan("spark-merge-dv", merges if full else [*merges, few]),
        SparkPlan("spark-load", [*loads, loads[1]] if full else loads),
        SparkPlan("spark-overwrite", [small, small, large] if full else [small, small]),
    ]
