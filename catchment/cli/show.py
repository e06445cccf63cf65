"""Answers as a table, CSV or JSON."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

_PIPE_WIDTH = 250


def new_console(*, stderr: bool = False) -> Console:
    """A terminal as wide as it is; a pipe or file as wide as tables need, so that nothing is cut."""
    console = Console(stderr=stderr)
    return console if console.is_terminal else Console(width=_PIPE_WIDTH, stderr=stderr)


def show(columns: Sequence[str], rows: Sequence[Sequence[Any]], form: str) -> None:
    """Print rows in the given form; NULL is empty in CSV, null in JSON and dim in a table."""
    if form == "json":
        records = [dict(zip(columns, map(_plain, row), strict=True)) for row in rows]
        sys.stdout.write(json.dumps(records, indent=2, ensure_ascii=False) + "\n")
    elif form == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([[_text(value) if value is not None else "" for value in row] for row in rows])
    else:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for i, column in enumerate(columns):
            numeric = bool(rows) and all(isinstance(row[i], int | float | Decimal) or row[i] is None for row in rows)
            table.add_column(Text(column), justify="right" if numeric else "left", overflow="fold")
        for row in rows:
            table.add_row(*(Text("NULL", style="dim") if value is None else Text(_text(value)) for value in row))
        console = new_console()
        console.print(table)
        console.print(f"{len(rows):,} row{'' if len(rows) == 1 else 's'}", style="dim", highlight=False)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if value - value == 0 else str(value)  # JSON has neither NaN nor infinities
    return _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)
