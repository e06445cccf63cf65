"""Markdown tables and the numbers in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np


def table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; the first column is text, the others numbers."""
    lines = [names, ["---", *["---:"] * (len(names) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def shown_seconds(value: float | None) -> str:
    """Seconds, or nothing where there are none."""
    return "" if value is None else f"{value:.2f}"


def shown_mb(value: float) -> str:
    """Megabytes; what is infinite never happens."""
    return f"{value:,.0f}" if np.isfinite(value) else "never"
