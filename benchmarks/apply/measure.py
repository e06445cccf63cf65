"""Measures a plan, section by section."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from rich.console import Console

from benchmarks.apply import machine, runner, spark_runs
from benchmarks.apply.plan import Cell, Plan, SparkPlan, shapes_of
from benchmarks.apply.results import Run, cell_of
from benchmarks.apply.shapes import ROOT

PROGRESS = Console(stderr=True, highlight=False, soft_wrap=True)


def everything(plan: Plan) -> Iterator[dict[str, Any]]:
    """The whole measurement as it grows; what fails is recorded in its place."""
    began = time.monotonic()
    result: dict[str, Any] = {
        "began": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": 0,
        "plan": plan.name,
        "machine": machine.describe(),
        "runs": [],
        "tables": {"error": "not come to"},
        "requests": {"error": "not come to"},
        "spark": [],
    }

    def first() -> None:
        result["runs"] += one_round(plan.cells)

    def tables() -> None:
        result["tables"] = _section("tables", plan.tables)
        result["requests"] = _section("requests", plan.versions)

    def on(session: SparkPlan) -> Callable[[], None]:
        return lambda: result["spark"].extend(on_spark(session))

    def again() -> None:
        fits = partial(_fits, until=began + 60 * plan.minutes, before=result["runs"])
        result["runs"] += one_round(plan.repeated, fits)

    for section in (first, tables, *(on(session) for session in plan.sessions), again, again):
        section()
        result["seconds"] = round(time.monotonic() - began)
        yield result


def one_round(cells: Sequence[Cell], fits: Callable[[Cell], bool] = lambda _: True) -> list[Run]:
    """Every cell once, but for those that no longer fit."""
    for shape in shapes_of(cells):
        _recorded(lambda shape=shape: runner.prepare(shape))  # type: ignore[misc]
    runs = []
    for cell in filter(fits, cells):
        runs.append(runner.run(cell.engine, cell.shape))
        _tell(f"{cell.shape.name} {cell.engine}", runs[-1])
    return runs


def on_spark(planned: SparkPlan) -> list[Run]:
    """One session."""
    for shape in dict.fromkeys(planned.shapes):
        _recorded(lambda shape=shape: runner.prepare(shape))  # type: ignore[misc]
    runs = spark_runs.run(planned.engine, planned.shapes)
    for shape, run in zip(planned.shapes, runs, strict=True):
        _tell(f"{'cold' if run['cold'] else 'warm'} {shape.name} {planned.engine}", run)
    return runs


def foreseen(plan: Plan, before: Mapping[str, Any]) -> str:
    """What is to be measured, with the minutes it took in the result ``before``."""
    took: dict[Cell, float] = {}
    for run in (*before["runs"], *before["spark"]):
        took[cell_of(run)] = run.get("took", 0.0)
    rows = []
    parts = {"every cell once": plan.cells, "two rounds more": plan.repeated * 2}
    parts |= {each.engine: [Cell(each.engine, shape) for shape in each.shapes] for each in plan.sessions}
    for name, cells in parts.items():
        minutes = sum(took.get(cell, 0) for cell in cells) / 60
        unknown = len({cell for cell in cells if cell not in took})
        more = f", {unknown} cells were never measured" if unknown else ""
        rows.append(f"{name:20}{len(cells):5} runs{minutes:7.1f} minutes{more}")
    return "\n".join(rows)


def _fits(cell: Cell, *, until: float, before: Sequence[Run]) -> bool:
    """Whether a cell that took what it took before ends in time."""
    took = max((run.get("took", 0) for run in before if cell_of(run) == cell), default=0)
    return time.monotonic() + took <= until


def _section(part: str, number: int) -> Any:
    """A part of benchmarks.apply.many in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.apply.many", part, str(number)]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1800, check=True)
    except subprocess.SubprocessError as error:
        why = f"{error}\n{(getattr(error, 'stderr', '') or '')[-2000:]}"
        PROGRESS.print(why, style="red", markup=False)
        return {"error": why}
    PROGRESS.print(f"{part}: {done.stdout.strip()[:100]}", style="dim", markup=False)
    return json.loads(done.stdout.strip().splitlines()[-1])


def _recorded(work: Callable[[], None]) -> None:
    """Data that cannot be made is an error of the cells that need it, not of the run."""
    try:
        work()
    except Exception as error:
        PROGRESS.print(f"{type(error).__name__}: {error}", style="red", markup=False)


def _tell(name: str, run: Run) -> None:
    processor = f", {run['cpu_seconds']:.2f} s CPU" if "cpu_seconds" in run else ""
    told = run.get("error", "")[:300] or f"{run['seconds']:.2f} s{processor}, {run['peak_mb']:.0f} MB"
    PROGRESS.print(f"{name}: {told}", style="dim", markup=False)
