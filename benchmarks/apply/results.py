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


def medians(runs: Iterable[Run]) -> dict[Cell, dict[str, Any]]:
    """By cell: the median of each measure, the number of ``rounds`` and the first ``error``, if any."""
    by_cell: dict[Cell, list[Run]] = defaultdict(list)
    for run in runs:
        by_cell[Cell(run["engine"], Shape(run["rows"], run["changes"], run["keys"]))].append(run)
    return {cell: _median(found) for cell, found in by_cell.items()}


def limit(cells: Mapping[Cell, Mapping[str, Any]], shape: Shape, measure: str) -> float | None:
    """What decoding and encoding the touched files takes by the faster library; None if it was not measured."""
    found = [cells.get(Cell(engine, shape), {}).get(measure) for engine in ("limit-duckdb", "limit-arrow")]
    return min((value for value in found if value is not None), default=None)


def _median(runs: list[Run]) -> dict[str, Any]:
    good = [run for run in runs if "error" not in run]
    answer: dict[str, Any] = {"rounds": len(good)}
    if good:
        answer |= {name: statistics.median(run[name] for run in good) for name in MEASURES}
        answer |= {name: good[0].get(name) for name in ("touched_files", "touched_bytes", "correct", "said")}
    errors = [run["error"] for run in runs if "error" in run]
    return {**answer, "error": errors[0]} if errors else answer
