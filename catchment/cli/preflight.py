"""``catchment preflight``: what stands in the way of a source's task."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.markup import escape
from rich.table import Table

from catchment.cli.show import new_console, show
from catchment.engines.readiness import Finding, Level

_STYLES = {Level.BLOCKS: "bold red", Level.WARNS: "yellow"}


def report(findings: Sequence[Finding], form: str) -> int:
    """Print findings, those that block first. The exit code: 1 where one does."""
    ordered = sorted(findings, key=lambda finding: finding.level is not Level.BLOCKS)
    blocking = sum(finding.level is Level.BLOCKS for finding in ordered)
    if form != "table":
        columns = ("level", "check", "what", "why", "fix")
        show(columns, [(f.level.value, f.check, f.what, f.why, f.fix) for f in ordered], form)
    elif not ordered:
        new_console().print("Nothing stands in the way.")
    else:
        new_console().print(_table(ordered))
        new_console().print(f"{blocking} block, {len(ordered) - blocking} warn.", highlight=False)
    return 1 if blocking else 0


def _table(findings: Sequence[Finding]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("", "check", "what", "why", "what mends it"):
        table.add_column(column, overflow="fold")
    for finding in findings:
        texts = (finding.check, finding.what, finding.why, finding.fix)
        table.add_row(f"[{_STYLES[finding.level]}]{finding.level}[/]", *(escape(text) for text in texts))
    return table
