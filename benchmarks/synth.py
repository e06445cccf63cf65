"""How long synthesizing takes: each environment, without and with CDK's own checks of the templates.

A fresh process a run, cdk-nag in every one; ``python benchmarks/synth.py`` prints the table kept in
``benchmarks/results/synth.md``.
"""

from __future__ import annotations

import os
import platform
import resource
import statistics
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from catchment.settings import environment_names
from stacks.assembly import ROOT, synthesize

ROUNDS = 3


def main() -> None:
    """Measure and print."""
    seconds: dict[tuple[str, bool], list[float]] = defaultdict(list)
    processor: dict[tuple[str, bool], list[float]] = defaultdict(list)
    environments = environment_names(ROOT / "cdk.json")
    for _ in range(ROUNDS):
        for environment in environments:
            for checked in (False, True):
                elapsed, used = once(environment, checked)
                seconds[environment, checked].append(elapsed)
                processor[environment, checked].append(used)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"Median of {ROUNDS}, in turns; {machine}.\n")
    print("| environment | s | processor s | s with CDK's checks | processor s |")
    print("|---|---:|---:|---:|---:|")
    for environment in environments:
        found = [
            statistics.median(measured[environment, checked])
            for checked in (False, True)
            for measured in (seconds, processor)
        ]
        print(f"| {environment} | " + " | ".join(f"{figure:.1f}" for figure in found) + " |")


def once(environment: str, checked: bool) -> tuple[float, float]:
    """Elapsed and processor seconds of one synthesis."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        synthesize(environment, Path(folder), cdk_validation=checked)
    elapsed, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    return elapsed, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
