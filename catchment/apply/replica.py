"""Applying to a replica in a database. Apart from engine.py, since not everybody has the driver that it imports."""

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
from catchment.sinks.postgresql import Connection, PostgresSink
from catchment.storage import ObjectStore


@contextmanager
def open_replica_engine(
    contract: TableContract,
    landing: ObjectStore,
    lake: ObjectStore,
    budget: Budget,
    scratch: Path,
    *,
    replica: Connection,
) -> Iterator[Engine]:
    """DuckDB in this process; the table is one of a PostgreSQL database. ``lake`` has the requests to reload.

    Example: ``apply_table(…, open_engine=partial(open_replica_engine, replica=Connection("dbname=replica")))``
    """
    session = DuckSession(partial(open_duckdb, scratch, budget.memory_mb, budget.threads))
    files = scratch / "files"
    try:
        yield DuckEngine(session, PostgresSink(session, replica, contract.name, files), contract, landing, files)
    finally:
        session.close()
