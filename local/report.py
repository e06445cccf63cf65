"""The report a run ends with: what moved, how fast, and whether the lake equals the source."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

DIFFERENCES_SHOWN = 20
"""How many differing values a table prints; the JSON report has all that were collected."""


@dataclass(frozen=True)
class Lag:
    """Time from a change's commit at the source to the lake commit that holds it, in seconds."""

    p50: float
    p95: float
    max: float


@dataclass(frozen=True)
class Account:
    """What became of every row read; ``read`` is the sum of the four after it."""

    read: int = 0
    applied: int = 0
    superseded: int = 0
    stale: int = 0
    quarantined: int = 0

    @property
    def adds_up(self) -> bool:
        """Whether every row read is accounted for."""
        return self.read == self.applied + self.superseded + self.stale + self.quarantined


@dataclass(frozen=True)
class Difference:
    """One value that is not the same on both sides; ``column`` is None where the whole row is missing or extra."""

    key: str
    column: str | None
    source: str | None
    lake: str | None


@dataclass(frozen=True)
class ReplicaReport:
    """A table of the replica at the end of a run; ``lake`` of a difference is what the replica has."""

    rows: int
    missing: int
    extra: int
    different: int
    differences: tuple[Difference, ...] = ()

    @property
    def equal(self) -> bool:
        """Whether the replica holds exactly what the source holds."""
        return not (self.missing or self.extra or self.different)


@dataclass(frozen=True)
class TableReport:
    """One table at the end of a run. ``source`` is its source's name in the settings.

    ``inserts``, ``updates``, ``deletes`` and ``key_changes`` are what the workload committed at the source; the
    account, ``files`` and ``commits`` are what the table's own commits say, the load included.
    """

    source: str
    table: str
    rows_source: int
    rows_lake: int
    inserts: int
    updates: int
    deletes: int
    key_changes: int
    account: Account
    files: int
    commits: int
    lag: Lag | None
    missing: int
    extra: int
    different: int
    differences: tuple[Difference, ...] = ()
    narrowed: tuple[str, ...] = ()
    replica: ReplicaReport | None = None
    """None where the run has none."""

    @property
    def equal(self) -> bool:
        """Whether lake and replica hold exactly what the source holds, and every row read is accounted for."""
        kept = self.replica is None or self.replica.equal
        return kept and not (self.missing or self.extra or self.different) and self.account.adds_up


@dataclass(frozen=True)
class Reload:
    """A table that was truncated at the source and loaded again: what the swap did to its rows, and how long it took.

    ``seconds`` is from the request to the commit.
    """

    table: str
    inserted: int
    updated: int
    deleted: int
    unchanged: int
    seconds: float


@dataclass(frozen=True)
class RunReport:
    """A whole run."""

    tables: tuple[TableReport, ...]
    loaded_rows: int
    load_seconds: float
    workload: dict[str, int]
    workload_seconds: float
    lag: Lag | None
    steps: dict[str, float]
    seconds: float
    peak_memory_mb: int
    reloads: tuple[Reload, ...] = ()
    spark: dict[str, int] | None = None
    """Runs of the Spark job by table; None where no table is meant to go there."""

    @property
    def equal(self) -> bool:
        """Whether every table equals its source."""
        return all(table.equal for table in self.tables)

    @property
    def sources(self) -> tuple[str, ...]:
        """The names of the sources."""
        return tuple(dict.fromkeys(table.source for table in self.tables))

    @property
    def has_replica(self) -> bool:
        """Whether there is a replica beside the lake."""
        return any(table.replica is not None for table in self.tables)

    def name(self, table: TableReport) -> str:
        """What a table is called: with its source where there are several."""
        return table.table if len(self.sources) == 1 else f"{table.source}: {table.table}"

    def write_json(self, file: Path) -> None:
        """Write the report for machines."""
        document: dict[str, Any] = {"equal": self.equal, **asdict(self)}
        for table, entry in zip(self.tables, document["tables"], strict=True):
            entry["equal"] = table.equal
        file.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def show(report: RunReport, console: Console) -> None:
    """Print the report: what each table holds, what became of every row read, the differences, the lag, the verdict."""
    console.print(_contents(report))
    console.print("\nWhat became of every row read (read = applied + superseded + stale + quarantined)")
    console.print(_accounts(report))
    for table in report.tables:
        _show_differences(report.name(table), table, console)
    narrowed = [f"{report.name(table)} ({', '.join(table.narrowed)})" for table in report.tables if table.narrowed]
    if narrowed:
        console.print(
            f"[dim]Compared as DMS carries it, which is narrower than the source: {escape('; '.join(narrowed))}[/]"
        )
    for done in report.reloads:
        console.print(
            f"Reload of {escape(done.table)} after a TRUNCATE: {done.inserted:,} inserted, {done.updated:,} updated, "
            f"{done.deleted:,} deleted, {done.unchanged:,} unchanged, {done.seconds:.1f} s.",
            highlight=False,
        )
    if report.spark is not None:
        runs = ", ".join(f"{table} in {number} runs" for table, number in report.spark.items()) or "nothing"
        console.print(f"Applied by the Spark job: {escape(runs)}.", highlight=False)
    if report.lag:
        console.print(
            f"Lag from source commit to lake commit: p50 {report.lag.p50:.1f} s, "
            f"p95 {report.lag.p95:.1f} s, max {report.lag.max:.1f} s.  "
            f"Peak memory of all processes: {report.peak_memory_mb:,} MB.",
            highlight=False,
        )
    _show_verdict(report, console)


def _contents(report: RunReport) -> Table:
    beside = ["replica"] if report.has_replica else []
    shown = _columns("table", "source", "lake", *beside, "ins", "upd", "del", "key", "lag p50/p95/max", "verdict")
    for table in report.tables:
        lag = f"{table.lag.p50:.1f}/{table.lag.p95:.1f}/{table.lag.max:.1f} s" if table.lag else "-"
        held = [f"{table.rows_source:,}", f"{table.rows_lake:,}"]
        if report.has_replica:
            held.append(f"{table.replica.rows:,}" if table.replica else "-")
        done = (table.inserts, table.updates, table.deletes, table.key_changes)
        verdict = "[green]equal[/]" if table.equal else f"[red]{escape(_what_differs(table))}[/]"
        shown.add_row(escape(report.name(table)), *held, *(f"{number:,}" for number in done), lag, verdict)
    return shown


def _accounts(report: RunReport) -> Table:
    shown = _columns("table", "read", "applied", "superseded", "stale", "quarantined", "files", "commits")
    for table in report.tables:
        account = table.account
        numbers = (account.read, account.applied, account.superseded, account.stale, account.quarantined)
        shown.add_row(escape(report.name(table)), *(f"{number:,}" for number in (*numbers, table.files, table.commits)))
    return shown


def _columns(first: str, *others: str) -> Table:
    """Two such tables fit a terminal of 100 columns, where one with everything would not."""
    shown = Table(box=None, pad_edge=False, header_style="bold", row_styles=("", "dim"))
    shown.add_column(first, no_wrap=True)
    for heading in others:
        shown.add_column(heading, justify="left" if heading == "verdict" else "right", no_wrap=True)
    return shown


def _what_differs(table: TableReport) -> str:
    parts = _counted(table)
    if table.replica is not None:
        parts += [f"{part} (replica)" for part in _counted(table.replica)]
    return ", ".join(parts) or "account does not add up"


def _counted(found: TableReport | ReplicaReport) -> list[str]:
    counts = ((found.missing, "missing"), (found.extra, "extra"), (found.different, "different"))
    return [f"{number:,} {word}" for number, word in counts if number]


def _show_differences(name: str, table: TableReport, console: Console) -> None:
    sides = [("lake", table.differences)] + ([("replica", table.replica.differences)] if table.replica else [])
    for side, differences in sides:
        for difference in differences[:DIFFERENCES_SHOWN]:
            where = f"{name} {difference.key}" + (f" {difference.column}" if difference.column else "")
            values = f"source {difference.source!r}, {side} {difference.lake!r}"
            console.print(f"  [red]≠[/] {escape(where)}: {escape(values)}", highlight=False)
        if len(differences) > DIFFERENCES_SHOWN:
            console.print(f"  … and {len(differences) - DIFFERENCES_SHOWN:,} more in {escape(name)}, {side}")


def _show_verdict(report: RunReport, console: Console) -> None:
    rows, plural = sum(table.rows_source for table in report.tables), "" if len(report.sources) == 1 else "s"
    kept = "The lake and the replica equal" if report.has_replica else "The lake equals"
    if report.equal:
        console.print(
            f"[bold green]{kept} the source{plural}:[/] {rows:,} rows in {len(report.tables)} tables, "
            "compared row by row and value by value.",
            highlight=False,
        )
    else:
        wrong = escape(", ".join(report.name(table) for table in report.tables if not table.equal))
        differ = "The lake or the replica differs" if report.has_replica else "The lake differs"
        console.print(f"[bold red]{differ} from the source{plural}[/] in {wrong}.", highlight=False)
