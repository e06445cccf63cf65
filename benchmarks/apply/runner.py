"""Runs cells, each in a fresh process on a fresh copy of its table, and checks what they leave."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.apply import base, data, oracle, shapes
from benchmarks.apply.shapes import ROOT, TABLE, Shape

TIMEOUT, TIMEOUT_LARGE = 600, 7200
_LARGE = 50_000_000
_WITHOUT_TABLE = ("limit-duckdb", "limit-arrow", "copy", "row-by-row")


def prepare(shape: Shape) -> None:
    """Make what the cells of ``shape`` start from, unless it is there."""
    base.prepare(shape)
    data.land_changes(shape)
    oracle.expected(shape)
    oracle.touched(shape)


def run(engine: str, shape: Shape) -> dict[str, Any]:
    """One measurement of one cell; ``error`` says why there is none."""
    root = shapes.CACHE / "work" / f"{engine}-{shape.name}"
    cell, began = {"engine": engine, **asdict(shape)}, time.monotonic()
    try:
        lay_out(shape, root)
        touched = [str(root / "lake" / TABLE / name) for name in oracle.touched(shape)]
        sizes = {
            "table_files": len(shape.data_files),
            "touched_files": len(touched),
            "touched_bytes": sum(os.path.getsize(path) for path in touched),
            "landed_bytes": sum(path.stat().st_size for path in shape.landed),
        }
        spec = {"engine": engine, "root": str(root), "touched": touched, "changes": [str(p) for p in shape.files]}
        os.sync()  # else an earlier cell's writing is paid for by this one
        measured = _child([sys.executable, "-m", "benchmarks.apply.cell", json.dumps(spec)], shape)
        checked = {"correct": None} if engine in _WITHOUT_TABLE else check(shape, root)
        return {**cell, **measured, **sizes, **checked, "took": round(time.monotonic() - began, 1)}
    except Exception as error:  # a cell that fails is recorded, the others go on
        return {**cell, "error": f"{type(error).__name__}: {error}"[:2000]}
    finally:
        shutil.rmtree(root, ignore_errors=True)


def lay_out(shape: Shape, root: Path) -> None:
    """Make a copy of the table at ``root`` with the changes landed: data files by links, the log by copying.

    Of a load only the landing zone.
    """
    shutil.rmtree(root, ignore_errors=True)
    for part in ("landing", "lake") if shape.changes else ("landing",):
        shutil.copytree(shape.table / part, root / part, copy_function=_linked)
    for file in shape.files:
        os.link(file, root / "landing" / TABLE / file.name)


def check(shape: Shape, root: Path) -> dict[str, Any]:
    """Raise ValueError unless the table at ``root`` holds what it must; what there is to say of its files."""
    table = root / "lake" / TABLE
    found, expected = oracle.found(table), oracle.expected(shape)
    if found != expected:
        raise ValueError(f"the table is wrong: {found}, but {expected} is right")
    return {"correct": True, **({} if shape.changes else {"overlaps": oracle.overlaps(table)})}


def _linked(source: str, target: str) -> None:
    if "/_" in source:  # the log and what else may be written again
        shutil.copy2(source, target)
    else:
        os.link(source, target)


def _child(command: list[str], shape: Shape) -> dict[str, Any]:
    timeout = TIMEOUT_LARGE if shape.rows > _LARGE else TIMEOUT
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=timeout)
    if done.returncode:
        raise RuntimeError(f"ended with {done.returncode}: {done.stderr.strip()[-1500:]}")
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer
