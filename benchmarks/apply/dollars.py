"""What a million changes cost on AWS, computed from the measured work and the list prices in catchment/apply."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from statistics import fmean
from typing import Any

from benchmarks.apply.bars import Measured
from benchmarks.apply.fit import megabytes
from benchmarks.apply.shapes import ROOT, Shape
from catchment.apply.cost import (
    MB,
    Function,
    Job,
    Requests,
    break_even_mb,
    function_dollars,
    job_dollars,
    model,
    per_million,
    request_dollars,
)

CORES = 2
"""Of the machine that the cells were measured on: what a warm Spark cell's seconds are multiplied by."""
_GETS = ("GetObject", "HeadObject")
_MULTIPART = 8 * MB


@dataclass(frozen=True)
class Bill:
    """One batch on one engine: the units AWS counts, and dollars per million changes."""

    gb_seconds: float
    dpu_seconds: float
    requests: float
    dollars: float


@cache
def function() -> Function:
    """The apply function as cdk.json has it where no environment says otherwise."""
    apply = _settings()["apply"]
    memory = apply["memory_mb"]
    return Function(
        memory,
        memory // 2,
        apply.get("disk_mb", 512),
        apply["timeout_seconds"] / 2,
        apply["commit_mb"],
        apply["commit_files"],
    )


@cache
def job() -> Job:
    """The Glue job as cdk.json has it, or the smallest there is."""
    spark = _settings()["apply"].get("spark", {})
    return Job(spark.get("worker_type", "G.1X"), spark.get("workers", 2))


def by_function(found: Measured, engine: str, shape: Shape) -> Bill | None:
    """One batch by the function; None where it was not measured. Seconds are the measured processor seconds on as
    many processors as the function has, and moving the bytes from and to S3."""
    processor = found.value(engine, shape, "cpu_seconds")
    if processor is None or not isinstance(found.requests, list):
        return None
    moved = megabytes(found, shape, "landed") + _touched(found, engine, shape) * 2
    seconds = processor / function().processors + moved * model().function.transfer_seconds_per_mb
    seconds += model().function.start_seconds
    asked = _requests(found, shape, moved)
    paid = function_dollars(seconds, memory_mb=function().memory_mb, disk_mb=function().disk_mb)
    total = asked.s3_puts + asked.s3_gets + asked.queue + asked.events + asked.lease_writes
    scale = 1e6 / shape.changes
    gb_seconds = seconds * function().memory_mb / 1024
    return Bill(gb_seconds * scale, 0, total * scale, per_million(paid + request_dollars(asked), shape.changes))


def by_job(found: Measured, shape: Shape) -> Bill | None:
    """One batch by a Glue job of its own, whose executors do in parallel what two cores did here."""
    warm = found.value("catchment-spark", shape) or found.value("spark-merge", shape)
    if warm is None or not isinstance(found.requests, list):
        return None
    moved = megabytes(found, shape, "landed") + megabytes(found, shape, "touched") * 2
    seconds = model().job.start_seconds + warm * CORES / job().processors
    seconds += moved * model().job.transfer_seconds_per_mb / job().streams
    asked = _requests(found, shape, moved)
    total = asked.s3_puts + asked.s3_gets + asked.queue + asked.events + asked.lease_writes
    scale = 1e6 / shape.changes
    paid = job_dollars(seconds, dpus=job().dpus) + request_dollars(asked)
    return Bill(0, seconds * job().dpus * scale, total * scale, per_million(paid, shape.changes))


def break_even(touched_mb: float) -> float:
    """From how many MB of change files in a batch on the router takes Spark for the money, by its own model."""
    return break_even_mb(function(), job(), touched_mb=touched_mb)


def _touched(found: Measured, engine: str, shape: Shape) -> float:
    """MB read and written: deletion vectors read the files' keys only, a tenth of their bytes, and write new rows."""
    whole = megabytes(found, shape, "touched")
    return whole / 10 + megabytes(found, shape, "landed") if engine == "dv" else whole


def _requests(found: Measured, shape: Shape, moved_mb: float) -> Requests:
    """Those counted for a small commit on average, those of the data, and the events and messages of its files."""
    commits: list[Mapping[str, int]] = [entry["commit"] for entry in found.requests]
    names = {name for each in commits for name in each}
    counted = {name: fmean(each.get(name, 0) for each in commits) for name in names}
    leases = counted.pop("UpdateItem", 0)
    gets = sum(counted.pop(name, 0) for name in _GETS)
    parts = moved_mb * MB / 2 / _MULTIPART
    files = max(len(shape.files), 1)
    return Requests(sum(counted.values()) + parts, gets + parts, queue=3 * files, events=files, lease_writes=leases)


def _settings() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]["defaults"]
    return found
