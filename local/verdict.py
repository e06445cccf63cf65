"""From the comparison of every table to the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from catchment.landing.contract import TableContract
from catchment.landing.duck import open_duckdb
from catchment.landing.names import TableName
from catchment.reconcile.lake import lake_table
from catchment.reconcile.postgresql import one_moment
from catchment.reconcile.tables import reconcile_table
from catchment.reconcile.verdict import Difference as Found
from catchment.reconcile.verdict import Finding, TableVerdict
from local.lake_watch import LakeWatch, lag_of
from local.report import Account, Difference, Reload, RunReport, TableReport
from local.source.workload import WorkDone

MEMORY_MB = 512


def compare(
    dsn: str, lake: Path, contracts: Mapping[TableName, TableContract], scratch: Path, limit: int = 200
) -> list[TableVerdict]:
    """Compare every table of the source, at one moment, with its table in the folder ``lake``."""
    con = open_duckdb(scratch, memory_mb=MEMORY_MB, threads=2)
    try:
        with one_moment(dsn) as connection:
            return [
                reconcile_table(
                    con,
                    connection,
                    lake_table(lake / name.schema / name.table),
                    schema=name.schema,
                    table=name.table,
                    key=contract.key,
                    scratch=scratch,
                    limit=limit,
                )
                for name, contract in contracts.items()
            ]
    finally:
        con.close()


def report_of(
    verdicts: Sequence[TableVerdict],
    watch: LakeWatch,
    done: WorkDone,
    *,
    loaded_rows: int,
    load_seconds: float,
    steps: Mapping[str, float],
    seconds: float,
    peak_memory_mb: int,
    reload: Reload | None,
    spark: dict[str, int] | None,
) -> RunReport:
    """Put together what the lake's own commits say and what the comparison found."""
    return RunReport(
        tables=tuple(_table_report(verdict, watch, done) for verdict in verdicts),
        loaded_rows=loaded_rows,
        load_seconds=round(load_seconds, 2),
        workload={
            "transactions": done.transactions,
            "rolled_back": done.rolled_back,
            "changes": done.rows,
            **{f"kind_{kind}": number for kind, number in sorted(done.kinds.items())},
        },
        workload_seconds=round(done.seconds, 2),
        lag=lag_of(watch.tables.values()),
        steps={title: round(taken, 2) for title, taken in steps.items()},
        seconds=round(seconds, 2),
        peak_memory_mb=peak_memory_mb,
        reload=reload,
        spark=spark,
    )


def _table_report(verdict: TableVerdict, watch: LakeWatch, done: WorkDone) -> TableReport:
    table = watch.tables[verdict.table]
    worked = done.by_table().get(verdict.table, {})
    counts = table.counts
    return TableReport(
        table=verdict.table,
        rows_source=verdict.rows_source,
        rows_lake=verdict.rows_lake,
        inserts=worked.get("inserts", 0),
        updates=worked.get("updates", 0),
        deletes=worked.get("deletes", 0),
        key_changes=worked.get("key_changes", 0),
        account=Account(counts.read, counts.applied, counts.superseded, counts.stale, counts.quarantined),
        files=len(table.files),
        commits=len(table.commits),
        lag=lag_of([table]),
        missing=verdict.missing,
        extra=verdict.extra,
        different=verdict.different,
        differences=tuple(_difference(found) for found in verdict.differences),
        narrowed=tuple(f"{narrowing.column}: {narrowing.how}" for narrowing in verdict.narrowed),
    )


def _difference(found: Found) -> Difference:
    key = ", ".join(f"{name}={value!r}" for name, value in found.key.items())
    if found.finding is Finding.DIFFERENT:
        return Difference(key, found.column, found.source, found.lake)
    present, absent = "a row", None
    source, lake = (present, absent) if found.finding is Finding.MISSING else (absent, present)
    return Difference(key, None, source, lake)
