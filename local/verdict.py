"""From the comparison of every table to the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from catchment.landing.duck import open_duckdb
from catchment.reconcile.lake import lake_table
from catchment.reconcile.tables import reconcile_table
from catchment.reconcile.verdict import Difference as Found
from catchment.reconcile.verdict import Finding, TableVerdict
from local.lake_watch import lag_of
from local.replicated import ReplicatedSource
from local.report import Account, Difference, ReplicaReport, RunReport, TableReport
from local.source.workload import WorkDone

MEMORY_MB = 512


def compare(source: ReplicatedSource, scratch: Path, limit: int = 200) -> list[TableVerdict]:
    """Compare every table of the source, at one moment, with its table in the lake."""
    con = open_duckdb(scratch, memory_mb=MEMORY_MB, threads=2)
    try:
        with source.source.one_moment() as side:
            return [
                reconcile_table(
                    con,
                    side,
                    lake_table(source.lake / name.schema / name.table),
                    schema=name.schema,
                    table=name.table,
                    key=contract.key,
                    scratch=scratch,
                    limit=limit,
                )
                for name, contract in source.contracts.items()
            ]
    finally:
        con.close()


@dataclass(frozen=True)
class Outcome:
    """What became of one source: what its workload did, and what the comparison found."""

    source: ReplicatedSource
    done: WorkDone
    verdicts: Sequence[TableVerdict]
    in_replica: Sequence[TableVerdict] = ()
    """Of the replica, where the source has one."""


def report_of(
    outcomes: Sequence[Outcome],
    played: Sequence[TableReport] = (),
    *,
    loaded_rows: int,
    load_seconds: float,
    steps: Mapping[str, float],
    seconds: float,
    peak_memory_mb: int,
    spark: dict[str, int] | None,
) -> RunReport:
    """Put together what the lake's own commits say and what the comparison found.

    ``played`` are the tables of written histories.
    """
    kinds = sum((outcome.done.kinds for outcome in outcomes), Counter[str]())
    healers = [outcome.source.healer for outcome in outcomes]
    return RunReport(
        tables=(
            *(_table_report(outcome, verdict) for outcome in outcomes for verdict in outcome.verdicts),
            *played,
        ),
        loaded_rows=loaded_rows,
        load_seconds=round(load_seconds, 2),
        workload={
            "transactions": sum(outcome.done.transactions for outcome in outcomes),
            "rolled_back": sum(outcome.done.rolled_back for outcome in outcomes),
            "changes": sum(outcome.done.rows for outcome in outcomes),
            **{f"kind_{kind}": number for kind, number in sorted(kinds.items())},
        },
        workload_seconds=round(max((outcome.done.seconds for outcome in outcomes), default=0.0), 2),
        lag=lag_of([table for outcome in outcomes for table in outcome.source.watch.tables.values()]),
        steps={title: round(taken, 2) for title, taken in steps.items()},
        seconds=round(seconds, 2),
        peak_memory_mb=peak_memory_mb,
        reloads=tuple(healer.result for healer in healers if healer is not None and healer.result is not None),
        spark=spark,
    )


def _table_report(outcome: Outcome, verdict: TableVerdict) -> TableReport:
    table = outcome.source.watch.tables[verdict.table]
    replica = [_replica_report(found) for found in outcome.in_replica if found.table == verdict.table]
    worked = outcome.done.by_table().get(verdict.table, {})
    counts = table.counts
    return TableReport(
        source=outcome.source.source.name,
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
        differences=tuple(difference_of(found) for found in verdict.differences),
        narrowed=tuple(f"{narrowing.column}: {narrowing.how}" for narrowing in verdict.narrowed),
        replica=replica[0] if replica else None,
    )


def _replica_report(found: TableVerdict) -> ReplicaReport:
    return ReplicaReport(
        rows=found.rows_lake,
        missing=found.missing,
        extra=found.extra,
        different=found.different,
        differences=tuple(difference_of(each) for each in found.differences),
    )


def difference_of(found: Found) -> Difference:
    """A finding as the report says it."""
    key = ", ".join(f"{name}={value!r}" for name, value in found.key.items())
    if found.finding is Finding.DIFFERENT:
        return Difference(key, found.column, found.source, found.lake)
    present, absent = "a row", None
    source, lake = (present, absent) if found.finding is Finding.MISSING else (absent, present)
    return Difference(key, None, source, lake)
