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

from benchmarks.apply import machine, page, plan, runner, shapes, spark_runs
from benchmarks.apply.plan import Cell, SparkPlan, chosen, shapes_of
from benchmarks.apply.results import Run, limit, medians
from benchmarks.apply.shapes import KEYS, LOAD, ROOT, Shape

RESULTS = ROOT / "benchmarks/results"
PROGRESS = Console(stderr=True, highlight=False)


def main() -> None:
    """Parse the arguments; measure, print, publish."""
    arguments = _arguments()
    if arguments.publish or arguments.page:
        kept = RESULTS / "apply.json"
        if arguments.publish:
            for result in everything(full=arguments.full):  # kept as it grows: a run that is broken off is not lost
                kept.write_text(json.dumps(result, indent=1) + "\n")
        page.write(json.loads(kept.read_text()), RESULTS, ROOT / "docs/performance.md")
        return
    cells = chosen(arguments.table, arguments.changes, arguments.keys, arguments.only)
    runs = [run for number in range(arguments.rounds) for run in one_round(cells, number)]
    for engine in (each for each in arguments.only if "spark" in each):
        wanted = [cell.shape for cell in cells if cell.engine == engine] or [
            Shape(shapes.count(rows), 0, LOAD) for rows in arguments.table
        ]
        runs += on_spark(SparkPlan(engine, [wanted[0], *wanted * arguments.rounds]))
    show(runs)


def everything(*, full: bool) -> Iterator[dict[str, Any]]:
    """The whole measurement as it grows, section by section; what fails is recorded in its place."""
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
        result["runs"] += one_round(cells, 0)

    def tables() -> None:
        result["tables"] = _section("tables", "2000" if full else "500")
        result["requests"] = _section("requests")

    def on(planned: SparkPlan) -> Callable[[], None]:
        return lambda: result["spark"].extend(on_spark(planned))

    def again(number: int) -> None:
        result["runs"] += one_round([cell for cell in cells if number == 1 or cell.engine not in plan.OTHERS], number)

    sparks = [on(each) for each in plan.spark(full=full)]
    for section in (first, tables, *sparks, partial(again, 1), partial(again, 2)):
        section()
        result["seconds"] = round(time.monotonic() - began)
        yield result


def one_round(cells: Sequence[Cell], number: int) -> list[Run]:
    """Every cell once."""
    ours = [cell for cell in cells if "spark" not in cell.engine]
    for shape in shapes_of(ours) if not number else []:
        PROGRESS.print(f"[dim]data of {shape.name}[/]")
        _recorded(lambda shape=shape: runner.prepare(shape))  # type: ignore[misc]
    runs = []
    for cell in ours:
        runs.append(runner.run(cell.engine, cell.shape))
        _tell(f"{number + 1} {cell.shape.name} {cell.engine}", runs[-1])
    return runs


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
    parser.add_argument("--page", action="store_true", help="write the page anew from the results that are there")
    return parser.parse_args()


if __name__ == "__main__":
    main()
