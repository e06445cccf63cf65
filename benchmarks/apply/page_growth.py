"""The page's sections on how costs grow."""

from __future__ import annotations

from benchmarks.apply.bars import Measured
from benchmarks.apply.fit import Line, fitted, megabytes
from benchmarks.apply.markdown import shown_seconds, table
from benchmarks.apply.plan import Cell
from benchmarks.apply.shapes import KEYS, Shape, count


def fits(found: Measured) -> str:
    """The fitted lines."""
    rows = []
    for engine, name in (("cow", "copy-on-write"), ("dv", "deletion vectors"), ("spark-merge", "Spark MERGE")):
        for measure in ("seconds", "cpu_seconds"):
            line: Line | None = fitted(found, engine, measure)
            if line is not None:
                slopes = [f"{line.start:.2f}", f"{line.per_touched_mb * 1000:.1f}", f"{line.per_change_mb * 1000:.1f}"]
                kind = "elapsed" if measure == "seconds" else "processor"
                rows.append([f"{name}, {kind}", *slopes, f"{line.within:.3f}", str(line.cells)])
    return table(["", "start s", "ms per touched MB", "ms per MB of changes", "R²", "cells"], rows)


def files(found: Measured) -> str:
    """Seconds by the number of files that a table is cut into."""
    rows = []
    for shape in sorted(found.shapes("cow"), key=lambda shape: found.cells[Cell("cow", shape)]["table_files"]):
        if (shape.rows, shape.changes, shape.keys) == (1_000_000, 1_000, "clustered"):
            touched = found.cells[Cell("cow", shape)]["touched_files"]
            files = found.cells[Cell("cow", shape)]["table_files"]
            rows.append([f"{files:,}", str(touched), shown_seconds(found.value("cow", shape))])
    return table(["files of the table", "of them touched", "s"], rows)


def files_of(found: Measured) -> str:
    """How large the files of the largest table are, by those that a batch touches."""
    shapes = [shape for shape in found.shapes("cow") if found.cells[Cell("cow", shape)]["touched_files"]]
    if not shapes:
        return ""
    cell = found.cells[Cell("cow", max(shapes, key=lambda shape: (shape.rows, shape.changes)))]
    size = cell["touched_bytes"] / cell["touched_files"] / 1e6
    return f" in files of about {size:.0f} MB"


def growth(found: Measured) -> str:
    """By what factor time and what it is spent on grow from one cell to the next larger one."""
    one, ten, hundred = (count(text) for text in ("1M", "10M", "100M"))
    few, some, many = (count(text) for text in ("1k", "100k", "1M"))
    rows = []
    for keys in KEYS:
        for (rows_a, changes_a), (rows_b, changes_b), what in (
            ((ten, few), (ten, some), "100 x the changes"),
            ((ten, some), (ten, many), "10 x the changes"),
            ((one, some), (ten, some), "10 x the table"),
            ((ten, some), (hundred, some), "10 x the table"),
        ):
            small, large = Shape(rows_a, changes_a, keys), Shape(rows_b, changes_b, keys)
            if found.value("cow", small) and found.value("cow", large):
                touched = _times(megabytes(found, small, "touched"), megabytes(found, large, "touched"))
                landed = _times(megabytes(found, small, "landed"), megabytes(found, large, "landed"))
                times = [_times(found.value(engine, small), found.value(engine, large)) for engine in ("cow", "dv")]
                limit = _times(found.limit(small), found.limit(large))
                rows.append([f"{small.name} to {large.name}: {what}", touched, landed, limit, *times])
    return table(["from … to", "MB touched", "MB of changes", "the limit", "copy-on-write", "deletion vectors"], rows)


def _times(small: float | None, large: float | None) -> str:
    return f"x {large / small:.1f}" if small and large else ""
