"""MySQL and MariaDB as a source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pymysql

from local.dms.address import SourceAddress
from local.dms.faults import invalid_value
from local.dms.plan import TaskPlan
from local.dms.sources.mysql.database import connect
from local.dms.sources.mysql.source import MySqlSource

ERRORS = (pymysql.MySQLError,)
LOST = (pymysql.OperationalError, pymysql.InterfaceError)


def check(given: Mapping[str, Any]) -> None:
    """A MySQL endpoint names no database: the table mappings say which are read."""
    if given.get("DatabaseName"):
        raise invalid_value("DatabaseName must not be given for a MySQL source endpoint")


def try_connection(address: SourceAddress) -> None:
    """Connect and hang up. Raises pymysql.MySQLError."""
    connect(address).close()


def open(plan: TaskPlan, address: SourceAddress) -> MySqlSource:
    """The source for a task. Raises pymysql.MySQLError."""
    return MySqlSource(plan, address)


def clean(address: SourceAddress, slot: str, named: str | None) -> None:
    """Nothing: a task leaves nothing in MySQL."""
