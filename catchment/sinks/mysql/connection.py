"""One connection to a replica in MySQL: opened when it is first needed, and anew after it was lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pymysql

from catchment.changes.session import DuckSession
from catchment.errors import ReplicaRefused, StorageUnavailable
from catchment.landing.names import TableName
from catchment.sinks.mysql.login import Login
from catchment.sinks.mysql.session import MySqlSession, RowsRefused
from catchment.sinks.mysql.target import MySqlTarget
from catchment.sinks.mysql.types import unheld
from catchment.sinks.replica.target import Columns, Unheld

# MySQL and MariaDB, Server Error Message Reference: the server is busy, full, shutting down, failing over (read-only),
# or ended what it was asked; from 2000 on the client has lost it.
_PASSING = {
    *(1021, 1040, 1053, 1077, 1078, 1079, 1114, 1152, 1158, 1159, 1160, 1161, 1184, 1203, 1205, 1213, 1226, 1290),
    *(1317, 1412, 1836, 1927, 1969, 3024, 3058, 3100, 3101, 3169, 3170, 3572, 4031),
}


class Connection:
    """A MySQL or MariaDB server. Not for several threads.

    A statement waits ``lock_seconds`` for others at most. Who commits to a table and has not been heard of for
    ``idle_seconds`` loses its connection, and with it what it had locked.
    """

    def __init__(self, login: Login, *, lock_seconds: float = 30, idle_seconds: float = 120) -> None:
        self._login, self._lock_seconds, self._idle_seconds = login, lock_seconds, idle_seconds
        self._open: MySqlSession | None = None

    def target(self, session: DuckSession, table: TableName, scratch: Path) -> MySqlTarget:
        """The table of that name."""
        return MySqlTarget(
            session,
            self.working,
            table,
            scratch,
            database=self._login.database,
            lock_seconds=self._lock_seconds,
            idle_seconds=self._idle_seconds,
        )

    def unheld(self, columns: Columns, key: Sequence[str]) -> Sequence[Unheld]:
        """What of these columns' values MySQL cannot hold."""
        return unheld(columns, key)

    @contextmanager
    def working(self, table: str) -> Iterator[MySqlSession]:
        """The connection for some statements on a table; any error closes it, and so takes back what is not committed.

        Raises StorageUnavailable where the server cannot be reached, is lost, or takes work back for the sake of
        others; whether a commit that was lost took effect is for the next look to find out. Raises ReplicaRefused.
        """
        try:
            yield self._connected()
        except RowsRefused as error:
            self.close()
            raise ReplicaRefused(table, str(error)) from error
        except pymysql.Error as error:
            self.close()
            if _passes(error):
                raise StorageUnavailable("the replica", _said(error)) from error
            raise ReplicaRefused(table, _said(error)) from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close it; the next use opens it again."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _connected(self) -> MySqlSession:
        if self._open is None or not self._open.is_open:
            try:
                self._open = MySqlSession(self._login, lock_seconds=self._lock_seconds)
            except (pymysql.Error, OSError) as error:
                raise StorageUnavailable("the replica", _said(error)) from error
        return self._open


def _passes(error: pymysql.Error) -> bool:
    code = error.args[0] if error.args else 0
    return isinstance(error, pymysql.InterfaceError) or (
        isinstance(code, int) and (code in _PASSING or 2000 <= code < 3000)
    )


def _said(error: Exception) -> str:
    return str(error.args[1] if len(error.args) > 1 else error).strip()
