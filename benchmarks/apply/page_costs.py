"""The page's sections on many tables, requests and dollars."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmarks.apply import dollars
from benchmarks.apply.bars import LEASE, Measured
from benchmarks.apply.markdown import shown_mb, table
from catchment.apply.cost import function_dollars, job_dollars, model, seconds_per_mb


def tables(found: Measured) -> str:
    """Milliseconds of a table among many."""
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


def requests(found: Measured) -> str:
    """Requests by the table's versions and files."""
    if isinstance(found.requests, dict):
        return f"Not measured: {found.requests['error']}"
    kinds = ("commit", "inserting", "idle")
    rows = []
    for entry in found.requests:
        if entry.get("versions") in (1, 10, 50, 100, 500) or "files" in entry:
            field = "versions" if "versions" in entry else "files"
            name = f"{entry[field]} {field}".removesuffix("s" if entry[field] == 1 else "")
            rows.append([name, *(_asked(entry.get(kind)) for kind in kinds)])
    most = [max(sum(entry[kind].values()) for entry in found.requests if kind in entry) for kind in kinds]
    rows.append(["the most of all", *map(str, most)])
    names = ["the table has", "a commit of ten changes", "with a new row, to short files", "a poke with nothing new"]
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


def costs(found: Measured) -> str:
    """Units and dollars of each batch per million changes."""
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


def evens() -> str:
    """Where Spark becomes the cheaper one."""
    return table(
        ["MB of the table touched", "break-even, MB of change files"],
        ([f"{touched:,}", shown_mb(dollars.break_even(touched))] for touched in (0, 100, 1_000, 10_000)),
    )


def curves(touched: float) -> dict[str, tuple[list[float], list[float]]]:
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
