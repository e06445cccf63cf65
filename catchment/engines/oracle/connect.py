"""A connection to Oracle, by its driver in Python (thin mode: no client library)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

from catchment.engines.trust import CONNECT_SECONDS, STATEMENT_SECONDS, Login, Trust

_NO_SUCH_SERVICE = ("DPY-6001", "ORA-12514")
"""What a listener that knows a database by its SID says of a service of that name."""


def connect(login: Login, database: str, trust: Trust | None) -> Any:
    """A connection whose statements are committed at once; ``trust`` is None where there is no TLS.

    ``database`` is the name of a service, or else a SID.
    """
    import oracledb

    oracledb.defaults.fetch_lobs = False  # large values as text and bytes, not as places to read them from
    said = {
        "user": login["username"],
        "password": login["password"],
        "host": login["host"],
        "port": int(login["port"]),
        "tcp_connect_timeout": CONNECT_SECONDS,
        "program": "catchment",
        **({"protocol": "tcps", "ssl_context": trust.context()} if trust else {}),
    }
    try:
        opened = oracledb.connect(**said, service_name=database)
    except oracledb.DatabaseError as error:
        if not any(code in str(error) for code in _NO_SUCH_SERVICE):
            raise
        opened = oracledb.connect(**said, sid=database)
    opened.autocommit = True
    opened.call_timeout = 1000 * STATEMENT_SECONDS
    return Connection(opened)


class Connection:
    """A connection whose statements name their parameters ``%s``, as those of the other drivers do.

    ``opened`` is one of the driver's, which wants them numbered.
    """

    def __init__(self, opened: Any) -> None:
        self._opened = opened

    def cursor(self) -> Cursor:
        """A cursor as in DB API 2.0."""
        return Cursor(self._opened.cursor())

    def close(self) -> None:
        """Close it."""
        self._opened.close()


class Cursor:
    """As much of a cursor as statements need."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    @property
    def description(self) -> Any:
        """Of the columns; None where there are no rows."""
        return self._cursor.description

    def execute(self, statement: str, parameters: Sequence[object] = ()) -> None:
        """Run one statement."""
        self._cursor.execute(numbered(statement) if parameters else statement, list(parameters))

    def fetchall(self) -> list[Any]:
        """The rows."""
        return list(self._cursor.fetchall())

    def fetchmany(self, size: int) -> list[Any]:
        """The next rows, at most so many."""
        return list(self._cursor.fetchmany(size))


def numbered(statement: str) -> str:
    """The statement with ``:1``, ``:2`` … for its ``%s``; ``%%`` is a percent sign.

    Example: ``numbered("SELECT 1 FROM dual WHERE 'a' = %s") == "SELECT 1 FROM dual WHERE 'a' = :1"``
    """
    numbers = count(1)
    head, *rest = statement.split("%s")
    return (head + "".join(f":{next(numbers)}{part}" for part in rest)).replace("%%", "%")
