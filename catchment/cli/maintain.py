"""``catchment maintain``: maintenance of a lake's tables, or what it would do."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from catchment.apply import Budget
from catchment.cli.apply import chosen, lease_of
from catchment.cli.show import new_console
from catchment.errors import CatchmentError, SettingsError
from catchment.landing.contract import TableContract, load_contracts
from catchment.leases import Lease
from catchment.maintenance import Horizons, Report, maintain_table
from catchment.storage import ObjectStore, open_store

_LOG = logging.getLogger(__name__)
_MB = 1024 * 1024


@dataclass(frozen=True)
class Result:
    """A table's report, or why it has none."""

    table: str
    report: Report | None
    error: Exception | None

    def to_json(self) -> dict[str, Any]:
        """The report, or the error's kind and text."""
        if self.report is not None:
            return {**self.report.to_json(), "error": None}
        return {"table": self.table, "error": {"kind": type(self.error).__name__, "message": str(self.error)}}


def maintain(
    lake: str,
    tables: Path,
    *,
    only: Sequence[str],
    file_days: int,
    log_days: int,
    dry_run: bool,
    json_to: str | None,
) -> int:
    """Maintain every table of the tables file; returns the exit code. Raises SettingsError before anything is done."""
    contracts = chosen(load_contracts(tables), only, str(tables))
    try:
        horizons = Horizons(file_days, log_days)
    except ValueError as error:
        what = f"{file_days} and {log_days}"
        raise SettingsError("maintain", "--file-days, --log-days", what, f"allowed: {error}") from error
    store = open_store(lake)
    lease = lease_of(store)
    results = [_one(contract, store, lease, horizons, dry_run) for contract in contracts]
    if json_to is not None:
        document = {
            "lake": lake,
            "dry_run": dry_run,
            "ok": all(result.error is None for result in results),
            "tables": [result.to_json() for result in results],
        }
        body = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        sys.stdout.write(body) if json_to == "-" else Path(json_to).write_text(body, encoding="utf-8")
    if json_to != "-":
        _show(results, dry_run)
    for result in results:
        if result.error is not None:
            print(f"catchment: {result.error}", file=sys.stderr)
    return 1 if any(result.error is not None for result in results) else 0


def _one(contract: TableContract, lake: ObjectStore, lease: Lease, horizons: Horizons, dry_run: bool) -> Result:
    name = str(contract.name)
    try:
        report = maintain_table(
            contract=contract,
            lake=lake,
            lease=lease,
            budget=Budget(),
            now=lambda: datetime.now(UTC),
            horizons=horizons,
            dry_run=dry_run,
        )
        return Result(name, report, None)
    except CatchmentError as error:
        return Result(name, None, error)
    except Exception as error:  # whatever it is, the other tables are still to be done
        _LOG.exception("%s failed in an unforeseen way", name)
        return Result(name, None, error)


def _show(results: Sequence[Result], dry_run: bool) -> None:
    console = new_console()
    shown = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    shown.add_column("table", overflow="fold")
    shown.add_column("would do" if dry_run else "done", no_wrap=True)
    for column in ("files", "into", "rows", "MB"):
        shown.add_column(column, justify="right", no_wrap=True)
    shown.add_column("why", overflow="fold")
    for result in results:
        for row in _rows(result, dry_run):
            shown.add_row(*row)
    console.print(shown)
    for result in results:
        for note in result.report.notes if result.report else []:
            console.print(f"{result.table}: {note}", style="yellow", highlight=False, markup=False)


def _rows(result: Result, dry_run: bool) -> list[list[str]]:
    report = result.report
    if report is None:
        return [[result.table, "[bold red]failed[/]", "", "", "", "", ""]]
    if not report.steps:
        why = "no table yet" if report.version is None else "in good order" if report.done else "left for the next time"
        return [[result.table, "nothing", "", "", "", "", why]]
    rows = []
    for step in report.steps:
        into = f"{step.into:,}" if step.into and not dry_run else ""
        size = f"{step.bytes / _MB:,.1f}" if step.bytes else ""
        counted = [f"{number:,}" if number else "" for number in (step.files, step.rows)]
        rows.append([result.table, step.kind, counted[0], into, counted[1], size, step.why])
    return rows
