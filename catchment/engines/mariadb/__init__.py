"""MariaDB as a source: MySQL, but for what RDS and DMS call it."""

from __future__ import annotations

from dataclasses import replace

from catchment.engines import mysql
from catchment.engines.base import Rds
from catchment.engines.mariadb import clients
from catchment.engines.mysql import (
    capture,
    connect,
    preflight,
    preparation,
    reconciliation,
    replica,
    samples,
    types,
    upkeep,
)

__all__ = [
    "capture",
    "clients",
    "connect",
    "infrastructure",
    "preflight",
    "preparation",
    "reconciliation",
    "replica",
    "samples",
    "types",
    "upkeep",
]

_OF_MYSQL = mysql.infrastructure.rds
assert _OF_MYSQL is not None, "RDS runs MySQL"

infrastructure = replace(
    mysql.infrastructure,
    dms_engine="mariadb",
    rds=Rds(
        engine="mariadb",
        # CHAP_Introduction.Sources: 10.11 is the newest that DMS reads.
        engine_version="10.11.9",
        major_version=lambda version: ".".join(version.split(".")[:2]),
        parameters=_OF_MYSQL.parameters,
        log_exports=_OF_MYSQL.log_exports,
    ),
)
