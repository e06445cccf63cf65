"""What may happen to a table besides applying: maintenance, ours and other writers'. None of it changes a row."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
from deltalake import CommitProperties, DeltaTable

from catchment.apply import Budget
from catchment.leases import Lease
from catchment.maintenance import Policy, Report, maintain_table
from catchment.sinks.delta_files import live_parts
from catchment.sinks.delta_table import DeltaLog
from catchment.sinks.delta_write import PartReader, write_part
from catchment.sinks.partitions import without
from tests.conformance.calls import Calls
from tests.conformance.leases import ExpiringLease
from tests.conformance.table import Table

_FILES = 3


def maintain(table: Table, calls: Calls | None = None, lease: Lease | None = None, *, days: float = 0) -> Report:
    """One call of maintenance, for which everything is too small, as if ``days`` had passed."""
    watched = calls or Calls()
    return maintain_table(
        contract=table.contract,
        lake=watched.store("lake", table.store("lake")),
        lease=watched.lease(lease or ExpiringLease()),
        budget=Budget(threads=1),
        now=lambda: datetime.now(UTC) + timedelta(days=days),
        policy=Policy(small_files=2, masked_share=0.01, commits=1),
    )


def compact(table: Table) -> None:
    """OPTIMIZE by delta-rs."""
    DeltaTable(table.path).optimize.compact(commit_properties=CommitProperties(max_commit_retries=0))


def vacuum(table: Table) -> None:
    """VACUUM by delta-rs."""
    DeltaTable(table.path).vacuum(dry_run=False)


def checkpoint(table: Table) -> None:
    """A checkpoint by delta-rs."""
    DeltaTable(table.path).create_checkpoint()


def scatter(table: Table) -> None:
    """Lay the rows of each partition anew in files that overlap, as an OPTIMIZE by another order may."""
    store = table.store("lake")
    log = DeltaLog(store, "s/t", "s.t")
    found = log.refresh()
    if found is None or not found.adds:
        return
    written = []
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        for partition in dict.fromkeys(tuple(add.partition_values.items()) for add in found.adds.values()):
            parts = [part for part in live_parts(found.adds.values()) if part.add.partition_values == dict(partition)]
            columns = without(found.columns, dict(partition))
            reader = PartReader(con, store, "s/t", Path(folder), parts)
            con.execute(f"CREATE OR REPLACE TABLE found AS SELECT {reader.columns(columns)} FROM {reader.scan}")
            for i in range(_FILES):
                query = f"SELECT * FROM found WHERE rowid % {_FILES} = {i}"
                written.append(write_part(con, store, "s/t", Path(folder), query, columns, dict(partition)))
    moment = int(time.time() * 1000)
    removes = [add.removed(moment, data_change=False) for add in found.adds.values()]
    adds = [replace(add, data_change=False) for add in written if add is not None]
    log.commit([*removes, *adds], operation="OPTIMIZE", parameters={}, metrics={})


HARMLESS: Mapping[str, Callable[[Table], object]] = {
    "maintenance": maintain,
    "compaction": compact,
    "vacuum": vacuum,
    "checkpoint": checkpoint,
    "scattering": scatter,
}
