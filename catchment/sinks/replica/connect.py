"""Which database a URL means."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from catchment.errors import SettingsError
from catchment.sinks.replica.target import Replica

_POSTGRESQL, _MYSQL = ("postgresql", "postgres"), ("mysql", "mariadb")
SCHEMES = (*_POSTGRESQL, *_MYSQL)
_VERIFIED = {
    **dict.fromkeys(_POSTGRESQL, ("sslmode=verify-full", "sslrootcert")),
    **dict.fromkeys(_MYSQL, ("ssl-mode=VERIFY_IDENTITY", "ssl-ca")),
}
_UNENCRYPTED = {**dict.fromkeys(_POSTGRESQL, "sslmode=disable"), **dict.fromkeys(_MYSQL, "ssl-mode=DISABLED")}


def is_replica(place: str) -> bool:
    """Whether a place is a database, and no folder."""
    return place.partition("://")[0] in SCHEMES and "://" in place


def open_replica(url: str) -> Replica:
    """The database of a URL, connected to when it is first needed. Raises SettingsError for one that is not understood.

    Example: ``open_replica("mysql://feeder@db.example.org/")``
    """
    # imported here: a driver is needed by those alone who have such a database
    scheme = url.partition("://")[0]
    if scheme in _POSTGRESQL:
        from catchment.sinks.postgresql import Connection as PostgresConnection

        return PostgresConnection(url)
    if scheme in _MYSQL:
        from catchment.sinks.mysql import Connection as MySqlConnection
        from catchment.sinks.mysql import Login

        return MySqlConnection(Login.parse(url))
    raise SettingsError("replica", "url", scheme, f"allowed are {', '.join(SCHEMES)}")


def replica_url(scheme: str, login: Mapping[str, Any], database: str, certificates: Path) -> str:
    """The URL of a database by its secret (``host``, ``port``, ``username``, ``password``).

    The server's certificate has to be signed by one of the ``certificates`` (PEM); on the loopback interface none is
    asked for.
    """
    mode, option = _VERIFIED[scheme]
    trust = f"{mode}&{option}={quote(str(certificates))}"
    if _is_here(str(login["host"])):
        trust = _UNENCRYPTED[scheme]
    user, password = (quote(str(login[name]), safe="") for name in ("username", "password"))
    return f"{scheme}://{user}:{password}@{login['host']}:{login['port']}/{quote(database, safe='')}?{trust}"


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
