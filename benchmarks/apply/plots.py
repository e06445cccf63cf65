"""The plots: one question each, readable on a light and on a dark page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
import numpy as np

mpl.use("svg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from benchmarks.apply.bars import Measured
from benchmarks.apply.fit import Line, megabytes
from benchmarks.apply.shapes import Shape, short

NAMES = {
    "cow": "copy-on-write",
    "dv": "deletion vectors",
    "limit": "decode + encode limit",
    "copy": "copy of the bytes",
    "delta-rs": "delta-rs MERGE",
    "spark-merge": "Spark MERGE, warm",
    "spark-merge-dv": "Spark MERGE with deletion vectors, warm",
    "catchment-spark": "Catchment on Spark, warm",
}
_COLOURS = dict(
    zip(NAMES, ("#0a84c6", "#12a06b", "#8a8f98", "#b9bec6", "#d08700", "#d6453d", "#e07bb0", "#7a5bd0"), strict=True)
)
_GREY = "#80868f"
_STYLE = {
    "svg.hashsalt": "catchment",
    "svg.fonttype": "none",
    "font.size": 9,
    "font.family": "sans-serif",
    "text.color": _GREY,
    "axes.edgecolor": _GREY,
    "axes.labelcolor": _GREY,
    "xtick.color": _GREY,
    "ytick.color": _GREY,
    "axes.grid": True,
    "grid.color": _GREY,
    "grid.alpha": 0.2,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "legend.fontsize": 8,
}


def by_changes(found: Measured, target: Path, rows: int) -> None:
    """Seconds against the number of changes, on a table of ``rows`` rows, for both kinds of keys."""
    with _axes(target, "changes", columns=2) as both:
        for axes, keys in zip(both, ("clustered", "scattered"), strict=True):
            axes.set_title(f"{keys} keys, table of {short(rows)} rows", fontsize=9)
            shapes = [Shape(rows, changes, keys) for changes in (1_000, 100_000, 1_000_000)]
            _lines(found, axes, shapes, lambda shape: shape.changes)


def by_rows(found: Measured, target: Path, changes: int) -> None:
    """Seconds against the table's rows, for a batch of ``changes``."""
    with _axes(target, "rows of the table", columns=2) as both:
        for axes, keys in zip(both, ("clustered", "scattered"), strict=True):
            axes.set_title(f"{keys} keys, {short(changes)} changes", fontsize=9)
            shapes = [Shape(rows, changes, keys) for rows in (1_000_000, 10_000_000, 100_000_000)]
            _lines(found, axes, shapes, lambda shape: shape.rows)


def by_touched(found: Measured, target: Path, line: Line | None) -> None:
    """Seconds against the stored size of the files a batch touches, with the fitted line."""
    with _axes(target, "MB of the files that hold a changed row") as (axes,):
        for engine in ("cow", "dv", "limit-duckdb"):
            shown = {"limit-duckdb": "limit"}.get(engine, engine)
            shapes = found.shapes(engine)
            points = [(megabytes(found, shape, "touched"), found.value(engine, shape)) for shape in shapes]
            if points:
                axes.scatter(*zip(*points, strict=True), s=18, color=_COLOURS[shown], label=NAMES[shown])
        if line is not None:
            size = np.geomspace(1, max(axes.get_xlim()[1], 2), 50)
            text = f"{line.start:.2f} s + {line.per_touched_mb * 1000:.1f} ms a MB"
            axes.plot(size, line.start + line.per_touched_mb * size, color=_COLOURS["cow"], lw=1, ls="--", label=text)


def requests(found: Measured, target: Path) -> None:
    """Requests of a commit and of an idle poke against the table's versions and against its files."""
    with _axes(target, "", columns=2, logarithmic=False, unit="requests to S3 and DynamoDB") as both:
        for axes, field in zip(both, ("versions", "files"), strict=True):
            axes.set_xlabel(f"{field} of the table")
            if field == "files":
                axes.set_xscale("log")
            entries = [entry for entry in found.requests if field in entry]
            for kind, colour in (("commit", _COLOURS["cow"]), ("idle", _COLOURS["dv"])):
                points = [(entry[field], sum(entry[kind].values())) for entry in entries if kind in entry]
                label = {"commit": "a commit of 10 changes", "idle": "a poke with nothing new"}[kind]
                axes.plot(*zip(*points, strict=True), color=colour, marker=".", ms=4, lw=1, label=label)
            axes.set_ylim(bottom=0)


def dollars(
    target: Path, curves: Mapping[str, tuple[Sequence[float], Sequence[float]]], even: float, touched_mb: float
) -> None:
    """Dollars of a batch that touches ``touched_mb`` of the table against its megabytes, and where Spark is cheaper."""
    label = f"MB of change files; each commit touches {touched_mb:,.0f} MB"
    with _axes(target, label, unit="US dollars a batch") as (axes,):
        for (name, (sizes, costs)), colour in zip(
            curves.items(), (_COLOURS["cow"], _COLOURS["spark-merge"]), strict=True
        ):
            axes.plot(sizes, costs, color=colour, label=name)
        if np.isfinite(even):
            axes.axvline(even, color=_GREY, lw=1, ls="--", label=f"break-even at {even:,.0f} MB")


def _lines(found: Measured, axes: Axes, shapes: Sequence[Shape], at: Callable[[Shape], int]) -> None:
    for engine, name in NAMES.items():
        values = [found.limit(shape) if engine == "limit" else found.value(engine, shape) for shape in shapes]
        points = [(at(shape), value) for shape, value in zip(shapes, values, strict=True) if value is not None]
        if points:
            dashed = "--" if engine in ("limit", "copy") else "-"
            axes.plot(*zip(*points, strict=True), dashed, color=_COLOURS[engine], marker="o", ms=3, lw=1.3, label=name)


@contextmanager
def _axes(
    target: Path, label: str, *, columns: int = 1, logarithmic: bool = True, unit: str = "seconds"
) -> Iterator[list[Axes]]:
    """Axes to draw on; the figure is written to ``target`` afterwards, without a date: it changes by its data."""
    with plt.rc_context(_STYLE):
        figure, found = plt.subplots(1, columns, figsize=(4.2 * columns, 3.4), sharey=True, squeeze=False)
        axes: list[Axes] = list(found[0])
        for each in axes:
            each.set_xlabel(label)
            if logarithmic:
                each.set_xscale("log")
                each.set_yscale("log")
        axes[0].set_ylabel(unit)
        yield axes
        handles = {text: line for each in axes for line, text in zip(*each.get_legend_handles_labels(), strict=True)}
        figure.legend(handles.values(), handles.keys(), loc="lower center", ncols=2 * columns if columns > 1 else 2)
        rows = -(-len(handles) // (2 * columns))
        figure.tight_layout(rect=(0, 0.07 * rows, 1, 1))
        figure.savefig(target, transparent=True, metadata={"Date": None})
        plt.close(figure)
