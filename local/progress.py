"""What a run says while it runs: one line a step, alive on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.status import Status

PLAIN_INTERVAL_SECONDS = 3.0
"""How often a step that is still going says so where there is no terminal to redraw."""


class Step:
    """One step under way; ``say`` shows how far it is, ``result`` what it will be remembered by."""

    def __init__(self, console: Console, title: str, status: Status | None) -> None:
        self._console, self._title, self._status = console, title, status
        self._started = self._spoken = time.monotonic()
        self.result = ""

    @property
    def seconds(self) -> float:
        """Seconds since the step began."""
        return time.monotonic() - self._started

    def say(self, text: str) -> None:
        """Show progress; on a terminal in place, elsewhere as a line every few seconds."""
        if self._status is not None:
            self._status.update(f"{escape(self._title)}  [dim]{escape(text)}[/]")
        elif time.monotonic() - self._spoken >= PLAIN_INTERVAL_SECONDS:
            self._spoken = time.monotonic()
            self._console.print(f"  … {escape(self._title)}: {escape(text)}")


class Progress:
    """The steps of a run, in order.

    Example: ``with progress.step("Seed the source") as step: step.result = f"{rows:,} rows"``
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self.seconds: dict[str, float] = {}
        """Duration of every finished step by its title, in seconds."""

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Run one step; its line is printed when it ends, also when it fails."""
        status = self.console.status(escape(title)) if self.console.is_terminal else None
        step = Step(self.console, title, status)
        mark = "[red]✗[/]"
        if status is not None:
            status.start()
        try:
            yield step
            mark = "[green]✓[/]"
        finally:
            if status is not None:
                status.stop()
            self.seconds[title] = step.seconds
            self.console.print(
                f"{mark} {escape(title):<55} [cyan]{step.seconds:6.1f} s[/]  {escape(step.result)}", highlight=False
            )
