"""``catchment teardown``: what it would do, or doing it."""

from __future__ import annotations

from rich import box
from rich.markup import escape
from rich.table import Table

from catchment.cli.show import new_console
from catchment.teardown import Inventory, steps, take_inventory


def teardown(environment: str, stack_prefix: str, *, really: bool, poll_seconds: int) -> None:
    """Print the steps; with ``really`` do them. Raises SettingsError, TeardownFailed."""
    console = new_console()
    inventory = take_inventory(environment, stack_prefix)
    if not inventory.stacks:
        console.print(f"Nothing of {environment} is deployed in this account and region.")
        return
    for number, step in enumerate(steps(inventory, poll_seconds=poll_seconds), start=1):
        console.print(f"{number:>3}  {escape(step.words)}", highlight=False, end="\n" if not really else " … ")
        if really:
            console.print(f"[dim]{escape(step.do())}[/]", highlight=False)
    _say_what_stays(inventory, really)
    if not really:
        console.print("\nNothing has been done. [bold]--yes[/] does it; a step that fails can be repeated.")


def _say_what_stays(inventory: Inventory, really: bool) -> None:
    console = new_console()
    if not inventory.kept:
        console.print("\nNothing of it stays in the account.")
        return
    console.print(f"\n{'What is left' if really else 'What will be left'}, and what it costs:")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("type", "id", "", "costs"):
        table.add_column(column, overflow="fold")
    for kept in inventory.kept:
        table.add_row(kept.type, kept.id, kept.how, kept.costs)
    console.print(table)
    console.print("DMS writes a log group of its own for each task (dms-tasks-…); it stays as well.")
