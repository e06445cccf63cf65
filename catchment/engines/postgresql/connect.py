"""A connection to PostgreSQL, by a driver in Python."""

from __future__ import annotations

from typing import Any

from catchment.engines.trust import CONNECT_SECONDS, Login, Trust


def connect(login: Login, database: str, trust: Trust | None) -> Any:
    """A connection whose statements are committed at once; ``trust`` is None where there is no TLS."""
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
