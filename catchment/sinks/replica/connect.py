"""Which database a URL means."""

from __future__ import annotations

from catchment.errors import SettingsError
from catchment.sinks.replica.target import Replica

_POSTGRESQL, _MYSQL = ("postgresql", "postgres"), ("mysql", "mariadb")
SCHEMES = (*_POSTGRESQL, *_MYSQL)


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
