"""Runs the cells on Spark: one process an engine, its first step cold, those after it warm."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.apply import runner, shapes
from benchmarks.apply.data import session
from benchmarks.apply.shapes import COLUMNS, ROOT, TABLE, Shape

TIMEOUT = 1200
PYTHON = ROOT / ".venv-spark/bin/python"


def run(engine: str, planned: Sequence[Shape]) -> list[dict[str, Any]]:
    """Measure ``engine`` on the shapes, in their order. The runs are marked ``cold`` (the first) or not."""
    cells = [{"engine": engine, **asdict(each), "cold": number == 0} for number, each in enumerate(planned)]
    roots = [shapes.CACHE / "work" / f"{engine}-{number}-{each.name}" for number, each in enumerate(planned)]
    began = time.monotonic()
    try:
        if not PYTHON.exists():
            raise FileNotFoundError(f"{PYTHON}: run make setup-spark")
        steps = [_step(engine, shape, root) for shape, root in zip(planned, roots, strict=True)]
        os.sync()
        answers = _child(steps)
        checked = [_checked(answer, shape, root) for answer, shape, root in zip(answers, planned, roots, strict=True)]
    except Exception as error:  # recorded, the other engines go on
        checked = [{"error": f"{type(error).__name__}: {error}"[:2000]} for _ in cells]
    finally:
        for root in roots:
            shutil.rmtree(root, ignore_errors=True)
    took = {"took": round((time.monotonic() - began) / len(cells), 1)}
    return [{**cell, **each, **took} for cell, each in zip(cells, checked, strict=True)]


def _checked(answer: dict[str, Any], shape: Shape, root: Path) -> dict[str, Any]:
    if "error" in answer:
        return answer
    try:
        return {**answer, **runner.check(shape, root)}
    except Exception as error:  # this step's, the others are right
        return {"error": f"{type(error).__name__}: {error}"[:2000]}


def _step(engine: str, shape: Shape, root: Path) -> dict[str, Any]:
    runner.lay_out(shape, root)
    return {
        "engine": engine,
        "root": str(root),
        "table": str(root / "lake" / TABLE),
        "changes": [str(path) for path in shape.files],
        "net": str(_net(shape)) if shape.changes else "",
        "loads": [str(path) for path in sorted((root / "landing" / TABLE).glob("LOAD*"))],
        "files": len(shape.data_files),
        "columns": [*COLUMNS, "_catchment_seq"],
    }


def _net(shape: Shape) -> Path:
    """The net changes as one Parquet file, kept beside the changes."""
    kept = shape.folder.with_suffix(".net.parquet")
    if not kept.exists():
        with session() as con:
            con.execute(
                "COPY (SELECT * RENAME (dms_seq AS _catchment_seq) "
                f"FROM read_parquet('{shape.folder}/*.parquet') "
                f"QUALIFY row_number() OVER (PARTITION BY id ORDER BY dms_seq DESC) = 1) TO '{kept}' (FORMAT parquet)"
            )
    return kept


def _child(steps: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the process says of each step; steps it did not come to have its end as their error."""
    command = [str(PYTHON), "-m", "benchmarks.apply.spark_cell", json.dumps(list(steps))]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, text=True, start_new_session=True, **pipes) as child:
        try:
            out, said = child.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)  # with Java and its Python workers
            out, said = child.communicate()
    answers = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    lost = {"error": f"the process ended with {child.returncode}: {said.strip()[-1500:]}"}
    return answers + [lost] * (len(steps) - len(answers))
