"""Fits the rates of catchment/apply/cost.json, which the router decides by, to a result file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.apply.bars import Measured
from benchmarks.apply.dollars import CORES
from benchmarks.apply.fit import Line, line_of


def refit(result: Mapping[str, Any], target: Path) -> None:
    """Write the fitted rates into ``target``; what was not measured stays as it is there.

    Processor seconds are the function's own. Of Spark the warm seconds are taken, times the cores it had.
    """
    found, cost = Measured(result), json.loads(target.read_text())
    decoded = cost["decoded"]["parquet"]
    cells = [(engine, shape) for engine in ("cow", "load") for shape in found.shapes(engine, least=0)]
    if line := line_of(found, cells, "cpu_seconds"):
        cost["function"] |= _rates(line, decoded, 1)
    engine = "catchment-spark" if found.shapes("catchment-spark") else "spark-merge"
    cells = [(each, shape) for each in (engine, "spark-load") for shape in found.shapes(each, least=0)]
    if spark := line_of(found, cells, "seconds"):
        cost["job"] |= _rates(spark, decoded, CORES)
    if line or spark:
        cells = f"{line.cells if line else 0} cells of the function's engine, {spark.cells if spark else 0} of Spark"
        machine = f"{result['machine']['processor']}, DuckDB {result['machine']['duckdb']}"
        cost["measured"] = (
            f"Parquet and rewriting fitted by benchmarks.apply to {cells}, {result['began'][:10]}, {machine}. CSV "
            "keeps its ratio to Parquet of the first fit; start-up, transfer from S3, memory and csv.gz are estimated."
        )
    target.write_text(json.dumps(cost, indent=1) + "\n")


def _rates(line: Line, decoded: float, cores: int) -> dict[str, float]:
    """Parquet per decoded MB and touched per MB; neither is less than a thousandth of a second."""
    parquet = max(line.per_change_mb * cores / decoded, 0.001)
    touched = max(line.per_touched_mb * cores, 0.001)
    return {
        "parquet_seconds_per_mb": float(f"{parquet:.2g}"),
        "csv_seconds_per_mb": float(f"{parquet * 1.5:.2g}"),
        "touched_seconds_per_mb": float(f"{touched:.2g}"),
    }
