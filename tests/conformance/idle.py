"""A replica's sink by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from catchment.apply.batch import make_nothing
from catchment.changes.relations import SEQUENCE, UPSERTS
from catchment.changes.session import DuckSession, nothing
from catchment.landing.names import TableName
from catchment.sinks.replica import Replica, ReplicaSink


@contextmanager
def idle_sink(replica: Replica, root: Path) -> Iterator[ReplicaSink]:
    """The table ``s.t`` of a folder's database, whose session has a batch that changes nothing."""
    session = DuckSession(duckdb.connect)
    make_nothing(session)
    session.create(UPSERTS, nothing({"~ord": "BIGINT", "code": "VARCHAR", "word": "VARCHAR", SEQUENCE: "VARCHAR"}))
    try:
        yield ReplicaSink(session, replica.target(session, TableName("s", "t"), root / "scratch"))
    finally:
        replica.close()
        session.close()
