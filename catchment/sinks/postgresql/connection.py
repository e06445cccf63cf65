"""One connection to a replica: opened when it is first needed, and anew after it was lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg

from catchment.changes.session import DuckSession
from catchment.errors import StorageUnavailable
from catchment.landing.names import TableName
from catchment.sinks.postgresql.target import PostgresTarget
from catchment.sinks.postgresql.types import unheld
from catchment.sinks.replica.target import Columns, Unheld

_SETTINGS = {
    "timezone": "UTC",
    "datestyle": "ISO",
    "bytea_output": "hex",
    "extra_float_digits": "3",
    "synchronous_commit": "on",
}
# what a server says that fails over, or that has waited for its client too long; psycopg calls neither operational
_PASSING = (
    psycopg.OperationalError,
    psycopg.errors.ReadOnlySqlTransaction,
    psycopg.errors.IdleInTransactionSessionTimeout,
)


class Connection:
    """A PostgreSQL database by its connection string (libpq). Not for several threads.

    A transaction waits ``lock_seconds`` for others at most, and is taken back by the server when its client has not
    been heard of for ``idle_seconds``: a holder of the table's lease that was paused does not keep others out.
    """

    def __init__(self, conninfo: str, *, lock_seconds: float = 30, idle_seconds: float = 120) -> None:
        limits = {"lock_timeout": lock_seconds, "idle_in_transaction_session_timeout": idle_seconds}
        settings = {**_SETTINGS, **{name: f"{1000 * seconds:.0f}" for name, seconds in limits.items()}}
        self._options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        self._conninfo = conninfo
        self._open: psycopg.Connection | None = None

    @contextmanager
    def transaction(self) -> Iterator[psycopg.Cursor]:
        """A cursor in a transaction, which is committed at the end and rolled back on any error.

        Raises StorageUnavailable where the server cannot be reached, is lost, or takes the transaction back for the
        sake of another one; whether a commit that was lost took effect is for the next look to find out.
        """
        try:
            with self._connected().transaction(), self._connected().cursor() as cursor:
                yield cursor
        except _PASSING as error:
            self.close()
            raise StorageUnavailable("the replica", str(error).strip()) from error

    def target(self, session: DuckSession, table: TableName, scratch: Path) -> PostgresTarget:
        """The table of that name."""
        return PostgresTarget(session, self.transaction, table, scratch)

    def unheld(self, columns: Columns, key: Sequence[str]) -> Sequence[Unheld]:
        """What of these columns' values PostgreSQL cannot hold."""
        return unheld(columns)

    def close(self) -> None:
        """Close it; the next use opens it again."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _connected(self) -> psycopg.Connection:
        if self._open is None or self._open.closed:
            self._open = psycopg.connect(self._conninfo, autocommit=True, options=self._options)
        return self._open
