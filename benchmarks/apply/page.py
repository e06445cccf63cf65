"""Writes docs/performance.md and its plots from a result file; the texts that stay lie in page.md beside this."""

from __future__ import annotations

import os
import string
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

from benchmarks.apply import dollars, page_costs, page_growth, plots
from benchmarks.apply.bars import Bar, Measured, bars
from benchmarks.apply.fit import fitted, megabytes
from benchmarks.apply.markdown import shown_seconds, table
from benchmarks.apply.plan import CHANGES, PROFILES, Cell
from benchmarks.apply.plots import NAMES
from benchmarks.apply.shapes import KEYS, LOAD, Shape, count
from catchment.apply.cost import prices

_TEMPLATE, _NOTES = (Path(__file__).with_name(name) for name in ("page.md", "notes.md"))
_TOUCHED_MB = 10_000
"""Of the table, in the plot of dollars: so much that the curves cross."""
_TABLES = ("1M", "10M", "100M")


def write(result: Mapping[str, Any], pictures: Path, target: Path) -> None:
    """Write the page to ``target`` and its plots into ``pictures``."""
    found = Measured(result)
    line = fitted(found, "cow", "seconds")
    rows = max((shape.rows for shape in found.shapes("cow")), default=1_000_000)
    plots.by_changes(found, pictures / "by_changes.svg", min(rows, 10_000_000))
    plots.by_rows(found, pictures / "by_rows.svg", 100_000)
    plots.by_touched(found, pictures / "by_touched.svg", line)
    if isinstance(found.requests, list):
        plots.requests(found, pictures / "requests.svg")
    even = dollars.break_even(_TOUCHED_MB)
    plots.dollars(pictures / "dollars.svg", page_costs.curves(_TOUCHED_MB), even, _TOUCHED_MB)
    parts = {
        "began": result["began"][:16].replace("T", " ") + " UTC",
        "minutes": f"{result['seconds'] / 60:.0f}",
        "made_by": {"full": "make bench-full"}.get(result["plan"], "make bench"),
        "machine": "; ".join(f"{name} {value}" for name, value in result["machine"].items()),
        "spark": next((run["pyspark"] for run in result["spark"] if "pyspark" in run), "not there"),
        "bars": _bars(found),
        "cells": _cells(found),
        "others": _others(found),
        "loads": _loads(found),
        "tables": page_costs.tables(found),
        "requests": page_costs.requests(found),
        "costs": page_costs.costs(found),
        "even": page_costs.evens(),
        "lines": page_growth.fits(found),
        "files_of": page_growth.files_of(found),
        "growth": page_growth.growth(found),
        "files": page_growth.files(found),
        "profiles": _profiles(found),
        "notes": _NOTES.read_text().strip(),
        "prices": f"{prices().date}, {prices().region}",
        "errors": _errors(result),
        "pictures": os.path.relpath(pictures, target.parent),
    }
    target.write_text(string.Template(_TEMPLATE.read_text()).substitute(parts))


def _bars(found: Measured) -> str:
    return table(
        ["Wanted", "reached", "worst cell"],
        ([bar.wanted, bar.verdict, _worst(bar)] for bar in bars(found)),
    )


def _worst(bar: Bar) -> str:
    return f"{bar.worst} ({bar.where})" if bar.where else bar.worst


def _cells(found: Measured) -> str:
    """One row a shape: our engines, the limits and their ratio, memory."""
    rows = []
    for rows_text, changes, keys in product(_TABLES, CHANGES, KEYS):
        shape = Shape(count(rows_text), count(changes), keys)
        if (own := found.value("cow", shape)) is None:
            continue
        limit, masked = found.limit(shape), found.value("dv", shape)
        rows.append(
            [
                f"{rows_text}, {changes} {keys}",
                f"{megabytes(found, shape, 'touched'):.0f}",
                shown_seconds(found.value("copy", shape)),
                shown_seconds(limit),
                shown_seconds(own),
                f"{own / limit:.2f}" if limit else "",
                f"{found.value('cow', shape, 'peak_mb'):.0f}",
                shown_seconds(masked),
                f"{limit / masked:.1f}" if limit and masked else "",
                f"{found.value('dv', shape, 'peak_mb'):.0f}" if masked else "",
            ]
        )
    names = ["table, changes", "MB touched", "copy s", "limit s", "copy-on-write s", "x limit", "MB"]
    return table([*names, "deletion vectors s", "limit / it", "MB"], rows)


def _others(found: Measured) -> str:
    """One row an engine and a shape that others were measured on."""
    rows = []
    names = {**NAMES, "overwrite": "overwrite of the whole table (DuckDB, deltalake)"}
    names |= {
        "delta-rs-streamed": "delta-rs MERGE, streamed",
        "spark-overwrite": "overwrite of the whole table (Spark), warm",
    }
    shapes = [
        shape for shape in found.shapes("cow") if found.value("delta-rs", shape) or found.value("spark-merge", shape)
    ]
    for shape in shapes:
        own = found.value("cow", shape) or float("nan")
        for engine, name in names.items():
            cell = found.cells.get(Cell(engine, shape), {})
            if seconds := cell.get("seconds"):
                first = found.cold.get(Cell(engine, shape), {}).get("seconds")
                memory = f"{cell['peak_mb']:.0f}"
                rows.append(
                    [
                        f"{shape.name}: {name}",
                        shown_seconds(first),
                        shown_seconds(seconds),
                        f"{seconds / own:.1f}",
                        memory,
                    ]
                )
        by_row = found.cells.get(Cell("row-by-row", shape), {}).get("said")
        if by_row:
            total = by_row["seconds_a_row"] * shape.changes
            name = f"{shape.name}: row by row, {by_row['rows']} rows measured, the rest extrapolated"
            rows.append([name, "", f"{total:,.0f}", f"{total / own:,.0f}", ""])
    return table(["", "first s", "s", "x copy-on-write", "peak MB"], rows)


def _loads(found: Measured) -> str:
    rows = []
    for text in _TABLES:
        shape = Shape(count(text), 0, LOAD)
        own, spark = found.cells.get(Cell("load", shape), {}), found.value("spark-load", shape)
        if "seconds" in own:
            ratio = f"{spark / own['seconds']:.1f}" if spark else ""
            values = [
                shown_seconds(own["seconds"]),
                f"{own['peak_mb']:.0f}",
                str(own["overlaps"]),
                shown_seconds(spark),
                ratio,
            ]
            rows.append([f"{text} rows", *values])
    return table(["", "Catchment s", "peak MB", "overlaps", "Spark s", "times faster"], rows)


def _profiles(found: Measured) -> str:
    """One column a profiled cell: the share of its time that each step takes."""
    cells = [cell for cell in found.cells if cell.engine in PROFILES and found.cells[cell]["rounds"]]
    if not cells:
        return "Not measured."
    said = {cell: found.cells[cell]["said"] for cell in cells}
    whole = {cell: sum(said[cell].values()) for cell in cells}
    rows = [
        [step, *(f"{said[cell][step] / whole[cell]:.0%}" if said[cell][step] else "" for cell in cells)]
        for step in said[cells[0]]
    ]
    rows.append(["seconds in all", *(shown_seconds(whole[cell]) for cell in cells)])
    return table(["", *(f"{cell.shape.name}, {NAMES[PROFILES[cell.engine]]}" for cell in cells)], rows)


def _errors(result: Mapping[str, Any]) -> str:
    failed = {
        (run["engine"], Shape(run["rows"], run["changes"], run["keys"], run["rows_a_file"]).name): run["error"]
        for run in [*result["runs"], *result["spark"]]
        if "error" in run
    }
    if not failed:
        return "Every table was right, and no cell failed."
    lines = (f"- {name} by {engine}: {error.splitlines()[0][:300]}" for (engine, name), error in failed.items())
    return "Cells that failed:\n\n" + "\n".join(lines)
