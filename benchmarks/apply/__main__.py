"""``python -m benchmarks.apply``: measure what is chosen, or everything and write the page."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from rich.console import Console

from benchmarks.apply import machine, page, plan, rates, runner, spark_runs
from benchmarks.apply.plan import Cell, SparkPlan, chosen, shapes_of
from benchmarks.apply.results import Run, cell_of, limit, medians
from benchmarks.apply.shapes import KEYS, ROOT

RESULTS = ROOT / "benchmarks/results"
PROGRESS = Console(stderr=True, highlight=False)


def main() -> None:
    """Parse the arguments; measure, print, publish."""
    arguments = _arguments()
    if arguments.plan:
        print(foreseen(full=arguments.full))
        return
    if arguments.publish or arguments.page or arguments.fit:
        kept = RESULTS / "apply.json"
        if arguments.publish:
            for result in everything(full=arguments.full):  # kept as it grows: a run that is broken off is not lost
                kept.write_text(json.dumps(result, indent=1) + "\n")
        if arguments.fit:
            rates.refit(json.loads(kept.read_text()), ROOT / "catchment/apply/cost.json")
        page.write(json.loads(kept.read_text()), RESULTS, ROOT / "docs/performance.md")
        return
    cells = chosen(arguments.table, arguments.changes, arguments.keys, arguments.only)
    runs = [run for _ in range(arguments.rounds) for run in one_round(cells)]
    for engine in (each for each in arguments.only if "spark" in each):
        wanted = [cell.shape for cell in cells if cell.engine == engine]
        runs += on_spark(SparkPlan(engine, [wanted[0], *wanted * arguments.rounds]))
    show(runs)


def everything(*, full: bool) -> Iterator[dict[str, Any]]:
    """The whole measurement as it grows, section by section; what fails is recorded in its place.

    Every cell is measured once; the rounds that repeat them end where the time is up.
    """
    began, cells = time.monotonic(), plan.standard(full=full)
    result: dict[str, Any] = {
        "began": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": 0,
        "full": full,
        "machine": machine.describe(),
        "runs": [],
        "tables": {"error": "not come to"},
        "requests": {"error": "not come to"},
        "spark": [],
    }

    def first() -> None:
        result["runs"] += one_round(cells)

    def tables() -> None:
        result["tables"] = _section("tables", "2000" if full else "500")
        result["requests"] = _section("requests", "500" if full else "100")

    def on(planned: SparkPlan) -> Callable[[], None]:
        return lambda: result["spark"].extend(on_spark(planned))

    def again() -> None:
        fits = partial(_fits, until=began + 60 * (plan.MINUTES_FULL if full else plan.MINUTES), before=result["runs"])
        result["runs"] += one_round(plan.repeated(cells), fits)

    sparks = [on(each) for each in plan.spark(full=full)]
    for section in (first, tables, *sparks, again, again):
        section()
        result["seconds"] = round(time.monotonic() - began)
        yield result


def one_round(cells: Sequence[Cell], fits: Callable[[Cell], bool] = lambda _: True) -> list[Run]:
    """Every cell once, but for those that no longer fit."""
    ours = [cell for cell in cells if "spark" not in cell.engine]
    for shape in shapes_of(ours):
        _recorded(lambda shape=shape: runner.prepare(shape))  # type: ignore[misc]
    runs = []
    for cell in filter(fits, ours):
        runs.append(runner.run(cell.engine, cell.shape))
        _tell(f"{cell.shape.name} {cell.engine}", runs[-1])
    return runs


def _fits(cell: Cell, *, until: float, before: Sequence[Run]) -> bool:
    """Whether a cell that took what it took before ends in time."""
    took = max((run.get("took", 0) for run in before if cell_of(run) == cell), default=0)
    return time.monotonic() + took <= until


def on_spark(planned: SparkPlan) -> list[Run]:
    """One session."""
    for shape in dict.fromkeys(planned.shapes):
        _recorded(lambda shape=shape: runner.prepare(shape))  # type: ignore[misc]
    runs = spark_runs.run(planned.engine, planned.shapes)
    for shape, run in zip(planned.shapes, runs, strict=True):
        _tell(f"{'cold' if run['cold'] else 'warm'} {shape.name} {planned.engine}", run)
    return runs


def show(runs: Sequence[Run]) -> None:
    """Medians, with the ratio to the decode and encode limit by seconds and by processor seconds."""
    found = medians(run for run in runs if not run.get("cold"))
    print(
        f"{'cell':22}{'engine':19}{'s':>8}{'CPU s':>9}{'x limit':>9}{'by CPU':>8}{'peak MB':>9}{'rounds':>8}  correct"
    )
    for cell, each in found.items():
        start = f"{cell.shape.name:22}{cell.engine:19}"
        if not each["rounds"]:
            print(f"{start}{each['error'][:200]}")
            continue
        ratios = ""
        for measure, width in (("seconds", 9), ("cpu_seconds", 8)):
            least = limit(found, cell.shape, measure)
            ratios += f"{each[measure] / least:{width}.2f}" if least and measure in each else " " * width
        end = f"{each['peak_mb']:9.0f}{each['rounds']:8}  {'yes' if each['correct'] else ''}"
        print(f"{start}{each['seconds']:8.3f}{each.get('cpu_seconds', 0):9.3f}{ratios}{end}")


def foreseen(*, full: bool) -> str:
    """What is to be measured, with the minutes it took when it was measured last."""
    kept = RESULTS / "apply.json"
    before = json.loads(kept.read_text()) if kept.exists() else {"runs": [], "spark": []}
    took: dict[Cell, float] = {}
    for run in (*before["runs"], *before["spark"]):
        took[cell_of(run)] = run.get("took", 0.0)
    cells, rows = plan.standard(full=full), []
    parts = {"every cell once": cells, "two rounds more": plan.repeated(cells) * 2}
    parts |= {each.engine: [Cell(each.engine, shape) for shape in each.shapes] for each in plan.spark(full=full)}
    for name, wanted in parts.items():
        minutes = sum(took.get(cell, 0) for cell in wanted) / 60
        unknown = len({cell for cell in wanted if cell not in took})
        rows.append(
            f"{name:20}{len(wanted):5} runs{minutes:7.1f} minutes{f', {unknown} cells unknown' * bool(unknown)}"
        )
    return "\n".join(rows)


def _section(*arguments: str) -> Any:
    """A part of benchmarks.apply.many in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.apply.many", *arguments]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1800, check=True)
    except subprocess.SubprocessError as error:
        why = f"{error}\n{(getattr(error, 'stderr', '') or '')[-2000:]}"
        PROGRESS.print(why, style="red", markup=False)
        return {"error": why}
    PROGRESS.print(f"{' '.join(arguments)}: {done.stdout.strip()[:100]}", style="dim", markup=False)
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


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.apply", description=__doc__)

    def several(text: str) -> list[str]:
        return text.split(",")

    engines = sorted(
        {*(cell.engine for cell in plan.standard(full=True)), *(each.engine for each in plan.spark(full=True))}
    )
    parser.add_argument("--only", type=several, default=["cow", *plan.LIMITS], help=f"engines of {', '.join(engines)}")
    parser.add_argument("--table", type=several, default=["1M"], help="sizes, such as 100k,1M,10M")
    parser.add_argument("--changes", type=several, default=["100k"], help="sizes, such as 1k,100k,1M")
    parser.add_argument("--keys", type=several, default=list(KEYS), help=f"of {', '.join(KEYS)}")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--publish", action="store_true", help="measure everything and write results and page")
    parser.add_argument("--full", action="store_true", help="with --publish: also tables of 100 million rows")
    parser.add_argument("--plan", action="store_true", help="tell what --publish measures, and how long that took last")
    parser.add_argument("--page", action="store_true", help="write the page anew from the results that are there")
    parser.add_argument(
        "--fit", action="store_true", help="fit catchment/apply/cost.json to the results that are there"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
