"""PostgreSQL as a source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg2

from local.dms.address import SourceAddress
from local.dms.faults import invalid_value
from local.dms.plan import TaskPlan
from local.dms.sources.postgresql.database import connect, drop_slot
from local.dms.sources.postgresql.publication import drop_publications
from local.dms.sources.postgresql.source import PostgresSource

ERRORS = (psycopg2.Error,)
LOST = (psycopg2.OperationalError,)


def check(given: Mapping[str, Any]) -> None:
    """A PostgreSQL endpoint names a database."""
    if not given.get("DatabaseName"):
        raise invalid_value("DatabaseName must be given for a PostgreSQL endpoint")


def try_connection(address: SourceAddress) -> None:
    """Connect and hang up. Raises psycopg2.Error."""
    connect(address).close()


def open(plan: TaskPlan, address: SourceAddress) -> PostgresSource:
    """The source for a task. Raises psycopg2.Error."""
    return PostgresSource(plan, address)


def clean(address: SourceAddress, slot: str, named: str | None) -> None:
    """Remove a deleted task's publications and slot. Raises psycopg2.Error."""
    session = connect(address)
    try:
        drop_publications(session, named or slot)
        # a slot that the endpoint's SlotName brought along has another name and stays
        drop_slot(session, slot)
    finally:
        session.close()
