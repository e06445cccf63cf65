"""Costs fitted to what was measured: straight lines whose slopes cannot be negative."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from benchmarks.apply.bars import Measured
from benchmarks.apply.shapes import Shape
from catchment.apply.cost import MB


@dataclass(frozen=True)
class Line:
    """``start + per_touched_mb * touched + per_change_mb * change files``, in processor or elapsed seconds; ``within``
    is the share of the measured cells' spread that it explains (R squared), ``cells`` their number."""

    start: float
    per_touched_mb: float
    per_change_mb: float
    within: float
    cells: int


def fitted(found: Measured, engine: str, measure: str) -> Line | None:
    """The line of an engine's changes; None where fewer than four cells were measured."""
    return line_of(found, [(engine, shape) for shape in found.shapes(engine)], measure)


def line_of(found: Measured, cells: Sequence[tuple[str, Shape]], measure: str) -> Line | None:
    """The line through cells of any engines; None where fewer than four were measured."""
    rows, values = [], []
    for engine, shape in cells:
        if (value := found.value(engine, shape, measure)) is not None:
            rows.append([1.0, megabytes(found, shape, "touched"), megabytes(found, shape, "landed")])
            values.append(value)
    if len(rows) < 4:
        return None
    start, touched, changed = _solve(rows, values)
    spread = float(np.sum((np.array(values) - np.mean(values)) ** 2))
    left = float(np.sum((np.array(rows) @ [start, touched, changed] - values) ** 2))
    return Line(start, touched, changed, 1 - left / spread if spread else 1.0, len(rows))


def megabytes(found: Measured, shape: Shape, which: str) -> float:
    """Of the ``touched`` files of the table, or of the ``landed`` change files."""
    sizes = [each.get(f"{which}_bytes") for cell, each in found.cells.items() if cell.shape == shape]
    return max((size for size in sizes if size), default=0) / MB


def _solve(rows: Sequence[Sequence[float]], values: Sequence[float]) -> tuple[float, float, float]:
    """The best coefficients of which none is negative, weighing small and large cells alike."""
    weight = 1 / np.maximum(np.array(values), 0.01)
    matrix, right = np.array(rows) * weight[:, None], np.array(values) * weight
    best, least = np.zeros(matrix.shape[1]), float("inf")
    for size in range(1, matrix.shape[1] + 1):
        for chosen in combinations(range(matrix.shape[1]), size):
            some, *_ = np.linalg.lstsq(matrix[:, chosen], right, rcond=None)
            if (some < 0).any():
                continue
            answer = np.zeros(matrix.shape[1])
            answer[list(chosen)] = some
            error = float(np.sum((matrix @ answer - right) ** 2))
            if error < least:
                best, least = answer, error
    return float(best[0]), float(best[1]), float(best[2])
