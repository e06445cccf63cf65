"""Writes docs/performance.md and its plots from a result file; the texts that stay lie in page.md beside this."""

from __future__ import annotations

import os
import string
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.apply import dollars, plots
from benchmarks.apply.bars import LEASE, Bar, Measured, bars
from benchmarks.apply.fit import Line, fitted, megabytes
from benchmarks.apply.plan import CHANGES, PROFILES, Cell
from benchmarks.apply.plots import NAMES
from benchmarks.apply.shapes import KEYS, LOAD, Shape, count
from catchment.apply.cost import function_dollars, job_dollars, model, prices, seconds_per_mb

_TEMPLATE, _NOTES = (Path(__file__).with_name(name) for name in ("page.md", "notes.md"))
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
    even = dollars.break_even(100)
    plots.dollars(pictures / "dollars.svg", _curves(100), even)
    parts = {
        "began": result["began"][:16].replace("T", " ") + " UTC",
        "minutes": f"{result['seconds'] / 60:.0f}",
        "machine": "; ".join(f"{name} {value}" for name, value in result["machine"].items()),
        "spark": next((run["pyspark"] for run in result["spark"] if "pyspark" in run), "not there"),
        "bars": _bars(found),
        "cells": _cells(found),
        "others": _others(found),
        "loads": _loads(found),
        "tables": _tables(found),
        "requests": _requests(found),
        "costs": _costs(found),
        "even": _evens(),
        "lines": _fits(found),
        "files": _files(found),
        "profiles": _profiles(found),
        "notes": _NOTES.read_text().strip(),
        "prices": f"{prices().date}, {prices().region}",
        "errors": _errors(result),
        "pictures": os.path.relpath(pictures, target.parent),
    }
    target.write_text(string.Template(_TEMPLATE.read_text()).substitute(parts))


def table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; the first column is text, the others numbers."""
    lines = [names, ["---", *["---:"] * (len(names) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


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
                _seconds(found.value("copy", shape)),
                _seconds(limit),
                _seconds(own),
                f"{own / limit:.2f}" if limit else "",
                f"{found.value('cow', shape, 'peak_mb'):.0f}",
                _seconds(masked),
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
                    [f"{shape.name}: {name}", _seconds(first), _seconds(seconds), f"{seconds / own:.1f}", memory]
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
            values = [_seconds(own["seconds"]), f"{own['peak_mb']:.0f}", str(own["overlaps"]), _seconds(spark), ratio]
            rows.append([f"{text} rows", *values])
    return table(["", "Catchment s", "peak MB", "overlaps", "Spark s", "times faster"], rows)


def _tables(found: Measured) -> str:
    if "error" in found.tables:
        return f"Not measured: {found.tables['error']}"
    each = found.tables
    rows = [
        [name, *(f"{each[field][part]:.0f}" for part in ("median", "p95"))]
        for name, field in (("first load", "load_ms"), ("ten changes", "commit_ms"), ("nothing new", "idle_ms"))
    ]
    head = f"{each['tables']} tables of 1,000 rows in one process"
    return f"{head}; ten changes take {each['commit_cpu_ms']:.0f} ms of processor time.\n\n" + table(
        ["milliseconds a table", "median", "95 %"], rows
    )


def _requests(found: Measured) -> str:
    if isinstance(found.requests, dict):
        return f"Not measured: {found.requests['error']}"
    kinds = ("first", "commit", "idle")
    rows = []
    for entry in found.requests:
        if entry.get("versions") in (1, 10, 50, 100, 500) or "files" in entry:
            field = "versions" if "versions" in entry else "files"
            name = f"{entry[field]} {field}".removesuffix("s" if entry[field] == 1 else "")
            rows.append([name, *(_asked(entry.get(kind)) for kind in kinds)])
    most = [max(sum(entry[kind].values()) for entry in found.requests if kind in entry) for kind in kinds]
    rows.append(["the most of all", *map(str, most)])
    names = ["the table has", "the first commit to short files", "a commit of ten changes", "a poke with nothing new"]
    return table(names, rows)


def _asked(counts: Mapping[str, int] | None) -> str:
    names = {
        "ListObjectsV2": "list",
        "GetObject": "get",
        "HeadObject": "head",
        "PutObject": "put",
        LEASE: "lease",
    }
    return ", ".join(f"{value} {names.get(name, name)}" for name, value in sorted((counts or {}).items()))


def _costs(found: Measured) -> str:
    rows = []
    for shape in found.shapes("cow"):
        if shape.rows_a_file:
            continue
        bills = {
            "copy-on-write": dollars.by_function(found, "cow", shape),
            "deletion vectors": dollars.by_function(found, "dv", shape),
            "Spark": dollars.by_job(found, shape),
        }
        for name, bill in bills.items():
            if bill is not None:
                units = [f"{bill.requests:,.0f}", f"{bill.gb_seconds:,.0f}", f"{bill.dpu_seconds:,.0f}"]
                rows.append([f"{shape.name}: {name}", *units, f"{bill.dollars:,.4f}"])
    return table(["a batch of this kind", "requests", "GB-seconds", "DPU-seconds", "US dollars"], rows)


def _evens() -> str:
    return table(
        ["MB of the table touched", "break-even, MB of change files"],
        ([f"{touched:,}", _megabytes(dollars.break_even(touched))] for touched in (0, 100, 1_000, 10_000)),
    )


def _curves(touched: float) -> dict[str, tuple[list[float], list[float]]]:
    """Dollars of a batch by its MB, by the router's model, with ``touched`` MB of the table behind each commit."""
    sizes = [float(size) for size in np.geomspace(1, 20_000, 60)]
    function, job = dollars.function(), dollars.job()
    answer: dict[str, tuple[list[float], list[float]]] = {"function": (sizes, []), "Spark job": (sizes, [])}
    for size in sizes:
        commits = max(1.0, size / function.commit_mb)
        landing, rewriting = seconds_per_mb(model(), model().function, function, "parquet")
        seconds = size * landing + commits * (touched * rewriting + model().function.start_seconds)
        answer["function"][1].append(function_dollars(seconds, memory_mb=function.memory_mb, calls=commits))
        landing, rewriting = seconds_per_mb(model(), model().job, job, "parquet")
        seconds = size * landing + touched * rewriting + model().job.start_seconds
        answer["Spark job"][1].append(job_dollars(seconds, dpus=job.dpus))
    return answer


def _fits(found: Measured) -> str:
    rows = []
    for engine, name in (("cow", "copy-on-write"), ("dv", "deletion vectors"), ("spark-merge", "Spark MERGE")):
        for measure in ("seconds", "cpu_seconds"):
            line: Line | None = fitted(found, engine, measure)
            if line is not None:
                slopes = [f"{line.start:.2f}", f"{line.per_touched_mb * 1000:.1f}", f"{line.per_change_mb * 1000:.1f}"]
                kind = "elapsed" if measure == "seconds" else "processor"
                rows.append([f"{name}, {kind}", *slopes, f"{line.within:.3f}", str(line.cells)])
    return table(["", "start s", "ms per touched MB", "ms per MB of changes", "R²", "cells"], rows)


def _files(found: Measured) -> str:
    rows = []
    for shape in sorted(found.shapes("cow"), key=lambda shape: found.cells[Cell("cow", shape)]["table_files"]):
        if (shape.rows, shape.changes, shape.keys) == (1_000_000, 1_000, "clustered"):
            touched = found.cells[Cell("cow", shape)]["touched_files"]
            files = found.cells[Cell("cow", shape)]["table_files"]
            rows.append([f"{files:,}", str(touched), _seconds(found.value("cow", shape))])
    return table(["files of the table", "of them touched", "s"], rows)


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
    rows.append(["seconds in all", *(_seconds(whole[cell]) for cell in cells)])
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


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _megabytes(value: float) -> str:
    return f"{value:,.0f}" if np.isfinite(value) else "never"
