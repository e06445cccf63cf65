"""Applying to a replica in a database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from catchment.apply.budget import Budget
from catchment.apply.engine import DuckEngine, Engine
from catchment.changes.session import DuckSession
from catchment.landing.contract import TableContract
from catchment.landing.duck import open_duckdb
from catchment.sinks.replica import Replica, ReplicaSink
from catchment.storage import ObjectStore


@contextmanager
def open_replica_engine(
    contract: TableContract,
    landing: ObjectStore,
    lake: ObjectStore,
    budget: Budget,
    scratch: Path,
    *,
    replica: Replica,
) -> Iterator[Engine]:
    """DuckDB in this process; the table is one of a database. ``lake`` has the requests to reload.

    Example: ``apply_table(…, open_engine=partial(open_replica_engine, replica=open_replica(url)))``
    """
    session = DuckSession(partial(open_duckdb, scratch, budget.memory_mb, budget.threads))
    files = scratch / "files"
    sink = ReplicaSink(session, replica.target(session, contract.name, files))
    try:
        yield DuckEngine(session, sink, contract, landing, files, replica.unheld)
    finally:
        session.close()
