"""``python -m benchmarks.apply``: measure what is chosen, or everything and write the page."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence

from benchmarks.apply import page, plan, rates
from benchmarks.apply.measure import everything, foreseen, on_spark, one_round
from benchmarks.apply.plan import Plan, SparkPlan, chosen
from benchmarks.apply.results import Run, limit, medians
from benchmarks.apply.shapes import CACHE, KEYS, ROOT


def main() -> None:
    """Parse the arguments; measure, print, publish."""
    arguments = _arguments()
    if arguments.publish or arguments.plan or arguments.page or arguments.fit:
        _publish(arguments)
        return
    cells = chosen(arguments.table, arguments.changes, arguments.keys, arguments.only)
    ours = [cell for cell in cells if "spark" not in cell.engine]
    runs = [run for _ in range(arguments.rounds) for run in one_round(ours)]
    for engine in (each for each in arguments.only if "spark" in each):
        wanted = [cell.shape for cell in cells if cell.engine == engine]
        runs += on_spark(SparkPlan(engine, [wanted[0], *wanted * arguments.rounds]))
    show(runs)


def _publish(arguments: argparse.Namespace) -> None:
    chosen_plan: Plan = plan.full() if arguments.full else plan.small() if arguments.small else plan.standard()
    results, target = ROOT / "benchmarks/results", ROOT / "docs/performance.md"
    if arguments.small:
        results, target = CACHE / "small", CACHE / "small/performance.md"
        results.mkdir(parents=True, exist_ok=True)
    kept = results / "apply.json"
    if arguments.plan:
        before = json.loads(kept.read_text()) if kept.exists() else {"runs": [], "spark": []}
        print(foreseen(chosen_plan, before))
        return
    if arguments.publish:
        for result in everything(chosen_plan):  # kept as it grows: a run that is broken off is not lost
            kept.write_text(json.dumps(result, indent=1) + "\n")
    if arguments.fit:
        rates.refit(json.loads(kept.read_text()), ROOT / "catchment/apply/cost.json")
    page.write(json.loads(kept.read_text()), results, target)


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


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.apply", description=__doc__)

    def several(text: str) -> list[str]:
        return text.split(",")

    full = plan.full()
    engines = sorted({each.engine for each in (*full.cells, *full.sessions)})
    parser.add_argument("--only", type=several, default=["cow", *plan.LIMITS], help=f"engines of {', '.join(engines)}")
    parser.add_argument("--table", type=several, default=["1M"], help="sizes, such as 100k,1M,10M")
    parser.add_argument("--changes", type=several, default=["100k"], help="sizes, such as 1k,100k,1M")
    parser.add_argument("--keys", type=several, default=list(KEYS), help=f"of {', '.join(KEYS)}")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--publish", action="store_true", help="measure everything and write results and page")
    parser.add_argument("--full", action="store_true", help="with --publish: also tables of 100 million rows")
    parser.add_argument(
        "--small", action="store_true", help="with --publish: a hundredth of it, into build/bench/small"
    )
    parser.add_argument("--plan", action="store_true", help="tell what --publish measures, and how long that took last")
    parser.add_argument("--page", action="store_true", help="write the page anew from the results that are there")
    parser.add_argument(
        "--fit", action="store_true", help="fit catchment/apply/cost.json to the results that are there"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
