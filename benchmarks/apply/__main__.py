"""``python -m benchmarks.apply``: measure, print the table."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

from rich.console import Console

from benchmarks.apply import runner
from benchmarks.apply.plan import ENGINES, Cell, chosen, shapes_of
from benchmarks.apply.results import Run, limit, medians
from benchmarks.apply.shapes import KEYS


def main() -> None:
    """Parse the arguments and measure."""
    arguments = _arguments()
    cells = chosen(arguments.table, arguments.changes, arguments.keys, arguments.only)
    runs = measure(cells, arguments.rounds, arguments.minutes)
    show(runs)


def measure(cells: Sequence[Cell], rounds: int, minutes: float) -> list[Run]:
    """Every cell in turn, ``rounds`` times or until the minutes are over, but each at least once."""
    console = Console(stderr=True)
    for shape in shapes_of(cells):
        console.print(f"[dim]data of {shape.name}[/]")
        runner.prepare(shape)
    until = time.monotonic() + minutes * 60
    runs: list[Run] = []
    for number in range(rounds):
        for cell in cells:
            if number and time.monotonic() > until:
                return runs
            run = runner.run(cell.engine, cell.shape)
            runs.append(run)
            told = (
                run.get("error") or f"{run['seconds']:.2f} s, {run['cpu_seconds']:.2f} s CPU, {run['peak_mb']:.0f} MB"
            )
            console.print(f"[dim]{number + 1} {cell.shape.name} {cell.engine}: {told}[/]", highlight=False)
    return runs


def show(runs: Sequence[Run]) -> None:
    """Medians, with the ratio to the decode and encode limit by seconds and by processor seconds."""
    found = medians(runs)
    print(
        f"{'cell':22}{'engine':19}{'s':>8}{'CPU s':>9}{'x limit':>9}{'by CPU':>8}{'peak MB':>9}{'rounds':>8}  correct"
    )
    for cell, each in found.items():
        start = f"{cell.shape.name:22}{cell.engine:19}"
        if not each["rounds"]:
            print(f"{start}{each['error'][:80]}")
            continue
        ratios = ""
        for measure, width in (("seconds", 9), ("cpu_seconds", 8)):
            least = limit(found, cell.shape, measure)
            ratios += f"{each[measure] / least:{width}.2f}" if least else " " * width
        end = f"{each['peak_mb']:9.0f}{each['rounds']:8}  {'yes' if each['correct'] else ''}"
        print(f"{start}{each['seconds']:8.3f}{each['cpu_seconds']:9.3f}{ratios}{end}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.apply", description=__doc__)

    def several(text: str) -> list[str]:
        return text.split(",")

    parser.add_argument("--only", type=several, default=list(ENGINES), help=f"engines of {', '.join(ENGINES)}")
    parser.add_argument("--table", type=several, default=["1M"], help="sizes, such as 100k,1M,10M")
    parser.add_argument("--changes", type=several, default=["100k"], help="sizes, such as 1k,100k,1M")
    parser.add_argument("--keys", type=several, default=list(KEYS), help=f"of {', '.join(KEYS)}")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=60, help="no further round is begun after this time")
    return parser.parse_args()


if __name__ == "__main__":
    main()
