"""A connection to SQL Server, by a driver in Python."""

from __future__ import annotations

from typing import Any

from catchment.engines.trust import CONNECT_SECONDS, RDS_CERTIFICATES, STATEMENT_SECONDS, Login, Trust


def connect(login: Login, database: str, trust: Trust | None) -> Any:
    """A connection whose statements are committed at once; ``trust`` is None where there is no TLS."""
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
