"""Medians of what was measured."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from benchmarks.apply.plan import Cell
from benchmarks.apply.shapes import Shape

Run = Mapping[str, Any]
MEASURES = ("seconds", "cpu_seconds", "peak_mb", "peak_anonymous_mb")
KEPT = ("table_files", "touched_files", "touched_bytes", "landed_bytes", "correct", "overlaps", "said")


def medians(runs: Iterable[Run]) -> dict[Cell, dict[str, Any]]:
    """By cell: the median of each measure, the number of ``rounds`` and the first ``error``, if any."""
    by_cell: dict[Cell, list[Run]] = defaultdict(list)
    for run in runs:
        by_cell[cell_of(run)].append(run)
    return {cell: _median(found) for cell, found in by_cell.items()}


def cell_of(run: Run) -> Cell:
    """The cell that a run measured."""
    return Cell(run["engine"], Shape(run["rows"], run["changes"], run["keys"], run["rows_a_file"]))


def limit(cells: Mapping[Cell, Mapping[str, Any]], shape: Shape, measure: str) -> float | None:
    """What decoding and encoding the touched files takes by the faster library; None if it was not measured."""
    found = [cells.get(Cell(engine, shape), {}).get(measure) for engine in ("limit-duckdb", "limit-arrow")]
    return min((value for value in found if value is not None), default=None)


def _median(runs: list[Run]) -> dict[str, Any]:
    good = [run for run in runs if "error" not in run]
    answer: dict[str, Any] = {"rounds": len(good)}
    if good:
        answer |= {name: statistics.median(run[name] for run in good) for name in MEASURES if name in good[0]}
        answer |= {name: good[0][name] for name in KEPT if name in good[0]}
    errors = [run["error"] for run in runs if "error" in run]
    return {**answer, "error": errors[0]} if errors else answer
