"""What replication leaves in a PostgreSQL source: slots, publications, the objects of DDL capture."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import boto3

from catchment.engines.postgresql.upkeep import SLOTS, clean_up


@dataclass(frozen=True)
class Slots:
    """Names of replication slots: all of the database, and those that somebody reads."""

    all: frozenset[str]
    active: frozenset[str]


class PostgresSource:
    """A source database, as its secret names it. Its user has to be allowed to drop what is dropped.

    Raises psycopg.OperationalError where it cannot be reached from here.
    """

    def __init__(self, secret_arn: str) -> None:
        import psycopg

        secret = json.loads(boto3.client("secretsmanager").get_secret_value(SecretId=secret_arn)["SecretString"])
        self._connection = psycopg.connect(
            host=secret["host"], port=secret["port"], user=secret["username"], password=secret["password"],
            dbname=secret["dbname"], connect_timeout=5, autocommit=True,
        )  # fmt: skip

    def slots(self) -> Slots:
        """The slots of this database now."""
        rows = self._query(SLOTS)
        return Slots(frozenset(name for name, _ in rows), frozenset(name for name, active in rows if active))

    def clean(self, slots: Sequence[str]) -> list[str]:
        """Drop these slots where nobody reads them, with what else DMS left; what was dropped, in words."""
        return clean_up(self._query, slots, [])

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _query(self, statement: str, parameters: Sequence[object] = (), /) -> list[tuple[Any, ...]]:
        cursor = self._connection.execute(statement.encode(), parameters or None)
        return cursor.fetchall() if cursor.description else []
