"""A connection to a source: of each engine by a driver in Python, over TLS that is verified.

The root certificates of RDS lie beside this module (from https://truststore.pki.rds.amazonaws.com); those of the
runtime count as well, for sources elsewhere. A server on the loopback interface is spoken to without TLS: nothing
leaves the machine.
"""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catchment.engines.base import Query
from catchment.errors import SourceUnreachable

RDS_CERTIFICATES = Path(__file__).with_name("rds-ca.pem")
CONNECT_SECONDS = 10
STATEMENT_SECONDS = 30

Login = Mapping[str, Any]
"""A secret as DMS reads it: host, port, username, password."""


@dataclass(frozen=True)
class Trust:
    """Whose certificates are taken: anybody's, or those of RDS, of the runtime's authorities and of ``certificate``."""

    verified: bool = True
    certificate: Path | None = None
    """A PEM file."""

    def context(self) -> ssl.SSLContext:
        """For a TLS connection."""
        context = ssl.create_default_context()
        context.load_verify_locations(RDS_CERTIFICATES)
        if self.certificate is not None:
            context.load_verify_locations(self.certificate)
        if not self.verified:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context


@contextmanager
def connected(engine: str, login: Login, database: str, trust: Trust) -> Iterator[Query]:
    """Statements on a source, each committed at once. Raises SourceUnreachable, and the driver's errors after that."""
    try:
        connection = _CONNECT[engine](login, database, None if _is_here(str(login["host"])) else trust)
    except Exception as error:  # each driver has a tree of its own, and sockets and TLS theirs
        raise SourceUnreachable(f"{login['host']}:{login['port']}", f"{type(error).__name__}: {error}") from error

    def query(statement: str, parameters: Sequence[object] = (), /) -> Sequence[Sequence[Any]]:
        cursor = connection.cursor()
        # without parameters a driver leaves the percent signs of a statement alone
        cursor.execute(statement, tuple(parameters)) if parameters else cursor.execute(statement)
        return list(cursor.fetchall()) if cursor.description else []

    try:
        yield query
    finally:
        connection.close()


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _postgresql(login: Login, database: str, trust: Trust | None) -> Any:
    import pg8000.dbapi

    connection = pg8000.dbapi.connect(
        host=login["host"],
        port=int(login["port"]),
        user=login["username"],
        password=login["password"],
        database=database,
        timeout=CONNECT_SECONDS,
        # False rather than None: that would be content without.
        ssl_context=trust.context() if trust else False,
        application_name="catchment",
    )
    connection.autocommit = True
    return connection


def _mysql(login: Login, database: str, trust: Trust | None) -> Any:
    import pymysql

    return pymysql.connect(
        host=login["host"],
        port=int(login["port"]),
        user=login["username"],
        password=login["password"],
        database=database,
        connect_timeout=CONNECT_SECONDS,
        read_timeout=STATEMENT_SECONDS,
        autocommit=True,
        **({"ssl": trust.context()} if trust else {"ssl_disabled": True}),
    )


def _sqlserver(login: Login, database: str, trust: Trust | None) -> Any:
    import pytds

    return pytds.connect(
        dsn=login["host"],
        port=int(login["port"]),
        user=login["username"],
        password=login["password"],
        database=database,
        login_timeout=CONNECT_SECONDS,
        timeout=STATEMENT_SECONDS,
        autocommit=True,
        # The driver cannot do without verifying, and takes one file.
        cafile=str(trust.certificate or RDS_CERTIFICATES) if trust else None,
        validate_host=True,
    )


_CONNECT: Mapping[str, Callable[[Login, str, Trust | None], Any]] = {
    "postgresql": _postgresql,
    "mysql": _mysql,
    "sqlserver": _sqlserver,
}
