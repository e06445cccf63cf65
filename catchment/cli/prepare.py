"""``catchment prepare``: what is still to be done in a source, doing it, and taking it back."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.markup import escape
from rich.table import Table

from catchment.cli.show import new_console
from catchment.engines.readiness import Step, Wanted
from catchment.prepare.operation import prepare, unprepare
from catchment.prepare.record import Record
from catchment.prepare.sides import Side


def show_or_do(side: Side, record: Record, wanted: Wanted, *, really: bool) -> int:
    """Print the plan; with ``really`` carry it out. The exit code: 0."""
    console = new_console()
    steps = side.plan(wanted)
    if not steps:
        console.print("The source is as wanted: nothing to do.")
        return 0
    console.print(_plan(steps))
    if not really:
        console.print("Nothing has been done. [bold]--yes[/] does it, [bold]--undo[/] takes it back afterwards.")
        return 0
    for done in prepare(side, record, wanted):
        console.print(f"[green]✓[/] {escape(done)}", highlight=False)
    return 0


def take_back(side: Side, record: Record, *, really: bool) -> int:
    """Print what would be taken back; with ``really`` do it. The exit code: 1 where the database refused some."""
    console = new_console()
    statements = record.read()
    if not statements:
        console.print("Nothing is known to have been prepared here.")
        return 0
    for statement in statements:
        console.print(f"{escape(statement)};", highlight=False)
    if not really:
        console.print("Nothing has been done. [bold]--yes[/] does it.")
        return 0
    undone = unprepare(side, record)
    for statement, reason in undone.failed.items():
        console.print(f"[red]✗[/] {escape(statement)}: {escape(reason)}", highlight=False)
    console.print(f"{len(undone.done)} of {len(statements)} statements have been run.", highlight=False)
    return 1 if undone.failed else 0


def _plan(steps: list[Step]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("", "what", "why", "statements", "taken back by"):
        table.add_column(column, overflow="fold")
    for number, step in enumerate(steps, start=1):
        texts = (step.what, step.why, _statements(step.sql), _statements(step.undo))
        table.add_row(str(number), *(escape(text) for text in texts))
    return table


def _statements(sql: Sequence[str]) -> str:
    return "\n".join(f"{statement};" for statement in sql)
