"""A connection to a source: of each engine by a driver in Python, over TLS that is verified.

A server on the loopback interface is spoken to without TLS: nothing
leaves the machine.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from catchment.engines import engine
from catchment.engines.statements import Query, query_of
from catchment.engines.trust import Login, Trust
from catchment.errors import SourceUnreachable


@contextmanager
def opened(engine_name: str, login: Login, database: str, trust: Trust) -> Iterator[Any]:
    """A connection (DB API 2.0) to a source, which commits each statement at once. Raises SourceUnreachable."""
    try:
        connection = engine(engine_name).connect(login, database, None if is_here(str(login["host"])) else trust)
    except Exception as error:  # each driver has a tree of its own, and sockets and TLS theirs
        raise SourceUnreachable(f"{login['host']}:{login['port']}", f"{type(error).__name__}: {error}") from error
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def connected(engine_name: str, login: Login, database: str, trust: Trust) -> Iterator[Query]:
    """Statements on a source, each committed at once. Raises SourceUnreachable, and the driver's errors after that."""
    with opened(engine_name, login, database, trust) as connection:
        yield query_of(connection)


def is_here(host: str) -> bool:
    """Whether a host is this machine, so that nothing leaves it."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
