"""A fence: a point in the source's stream of changes that has to lie behind a comparison.

PostgreSQL only. The fence is the position of a message written into the write-ahead log by a transaction of its own:
every commit before it has a lower position, and the stream passes it even when nothing else happens.
"""

from __future__ import annotations

import time

import psycopg

POLL_SECONDS = 0.05


def set_fence(dsn: str) -> str:
    """Write a fence after all that is committed by now; its log sequence number, as text."""
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT pg_logical_emit_message(true, 'catchment', 'fence')::text").fetchone()
        assert row is not None
        return str(row[0])


def fence_passed(connection: psycopg.Connection, slot: str, fence: str) -> bool:
    """Whether the reader of ``slot`` has confirmed everything up to the fence. Raises LookupError without the slot."""
    row = connection.execute(
        "SELECT confirmed_flush_lsn >= %s::pg_lsn FROM pg_replication_slots WHERE slot_name = %s", [fence, slot]
    ).fetchone()
    if row is None:
        raise LookupError(f"the source has no replication slot {slot!r}")
    return bool(row[0])


def wait_for_fence(dsn: str, slot: str, fence: str, timeout_seconds: float) -> bool:
    """Wait until the slot's reader has confirmed the fence; False when the time is over."""
    deadline = time.monotonic() + timeout_seconds
    with psycopg.connect(dsn, autocommit=True) as connection:
        while not fence_passed(connection, slot, fence):
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_SECONDS)
    return True
