"""Which cells are measured: all that a table needs in ten minutes, or all there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

from benchmarks.apply.shapes import KEYS, Shape, count

OURS = ("cow",)
LIMITS = ("limit-duckdb", "limit-arrow", "copy")
OTHERS = ("delta-rs", "delta-rs-streamed", "overwrite", "row-by-row")
ENGINES = (*OURS, *LIMITS, *OTHERS)


@dataclass(frozen=True)
class Cell:
    """One engine on one shape."""

    engine: str
    shape: Shape


def chosen(tables: Sequence[str], changes: Sequence[str], keys: Sequence[str], engines: Sequence[str]) -> list[Cell]:
    """All cells of the given sizes, keys and engines; shape by shape, so that engines stand side by side."""
    shapes = [Shape(count(rows), count(events), key) for rows, events, key in product(tables, changes, keys)]
    return [Cell(engine, shape) for shape, engine in product(shapes, engines)]


def standard(*, full: bool) -> list[Cell]:
    """The cells of ``make bench``, or with ``full`` those of ``make bench-full``."""
    cells = chosen(["1M", "10M"], ["1k", "100k", "1M"], KEYS, ["cow", "limit-duckdb", "limit-arrow", "copy"])
    shapes = [Shape(count("1M"), count("100k"), "scattered"), Shape(count("10M"), count("100k"), "scattered")]
    cells += [Cell(engine, shape) for shape, engine in product(shapes, OTHERS)]
    if full:
        cells += chosen(["100M"], ["1k", "100k", "1M"], KEYS, ["cow", *LIMITS])
        cells += chosen(["1M", "10M"], ["1k", "100k", "1M"], KEYS, OTHERS)
    return list(dict.fromkeys(cells))


def shapes_of(cells: Iterable[Cell]) -> list[Shape]:
    """The shapes of the cells, each once, in their order."""
    return list(dict.fromkeys(cell.shape for cell in cells))
