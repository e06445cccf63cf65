"""What is measured by ``make bench`` and by ``make bench-full``, and what else can be chosen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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


def chosen(tables: Sequence[str], changes: Sequence[str], keys: Sequence[str], engines: Sequence[str]) -> list[Cell]:
    """All cells of the given sizes, keys and engines; shape by shape, so that engines stand side by side."""
    shapes = [Shape(count(rows), count(events), key) for rows, events, key in product(tables, changes, keys)]
    shapes += [Shape(count(rows), 0, LOAD) for rows in tables]
    return [Cell(engine, shape) for shape in shapes for engine in engines if (engine in LOADS) == (not shape.changes)]


def standard(*, full: bool) -> list[Cell]:
    """The cells outside of Spark."""
    cells = chosen(["1M", "10M"], CHANGES, KEYS, ["cow", "limit-duckdb", "limit-arrow", "copy"])
    cells += chosen(["1M", "10M"], CHANGES, ["scattered"], ["dv"])
    cells += chosen(["1M", "10M"], ["100k"], ["scattered"], OTHERS)
    cells += [Cell("load", Shape(count(rows), 0, LOAD)) for rows in ("1M", "10M")]
    cells += [Cell("cow", _cut(rows_a_file)) for rows_a_file in ("25k", "2500")]
    if full:
        cells += chosen(["100M"], CHANGES, KEYS, ["cow", "dv", *LIMITS])
        cells += chosen(["1M", "10M"], CHANGES, KEYS, ["dv", "delta-rs", "delta-rs-streamed", "overwrite"])
        cells += [Cell("load", Shape(count("100M"), 0, LOAD)), Cell("cow", _cut("1k"))]
    return list(dict.fromkeys(cells))


def repeated(cells: Iterable[Cell]) -> list[Cell]:
    """Those that are measured several times: not what is far from a bar, nor the profiles."""
    return [cell for cell in cells if cell.engine not in (*OTHERS, *PROFILES)]


def spark(*, full: bool) -> list[SparkPlan]:
    """The sessions on Spark. The first shape of each is there to warm it up, and is measured as the cold one."""
    small, large = (Shape(count(rows), count("100k"), "scattered") for rows in ("1M", "10M"))
    few = [Shape(count(rows), count("1k"), "scattered") for rows in ("1M", "10M")]
    merges = [small, small, small, few[1], large, large]
    if full:
        merges += [*few, small, large, *(Shape(large.rows, count("1M"), key) for key in KEYS)]
    loads = [Shape(count(rows), 0, LOAD) for rows in ("1M", "10M")]
    return [
        SparkPlan("spark-merge", merges),
        SparkPlan("catchment-spark", merges),
        SparkPlan("spark-merge-dv", merges),
        SparkPlan("spark-load", [*loads, loads[1]] if full else loads),
        SparkPlan("spark-overwrite", [small, small, large] if full else [small, small]),
    ]


def shapes_of(cells: Iterable[Cell]) -> list[Shape]:
    """The shapes of the cells, each once, in their order."""
    return list(dict.fromkeys(cell.shape for cell in cells))


def _cut(rows_a_file: str) -> Shape:
    """Few clustered changes to a table that is cut into many files."""
    return Shape(count("1M"), count("1k"), "clustered", count(rows_a_file))
