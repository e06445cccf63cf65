"""A connection to MySQL, by a driver in Python."""

from __future__ import annotations

from typing import Any

from catchment.engines.trust import CONNECT_SECONDS, STATEMENT_SECONDS, Login, Trust


def connect(login: Login, database: str, trust: Trust | None) -> Any:
    """A connection whose statements are committed at once; ``trust`` is None where there is no TLS."""
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
