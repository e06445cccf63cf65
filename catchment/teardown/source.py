"""What replication leaves in a PostgreSQL source: slots, publications, the objects of DDL capture."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import boto3

_SLOTS = "SELECT slot_name, active FROM pg_replication_slots WHERE database = current_database() ORDER BY 1"
_PUBLICATIONS = r"SELECT pubname FROM pg_publication WHERE pubname LIKE 'awsdms\_%' ORDER BY 1"
# AWS DMS User Guide, "Removing AWS DMS artifacts from a PostgreSQL source database".
_DDL_CAPTURE = (
    ("event trigger", "SELECT 1 FROM pg_event_trigger WHERE evtname = 'awsdms_intercept_ddl'",
     "DROP EVENT TRIGGER awsdms_intercept_ddl"),
    ("function", "SELECT 1 FROM pg_proc WHERE proname = 'awsdms_intercept_ddl'",
     "DROP FUNCTION awsdms_intercept_ddl()"),
    ("table", "SELECT 1 FROM pg_class WHERE relname = 'awsdms_ddl_audit' AND relkind = 'r'",
     "DROP TABLE awsdms_ddl_audit"),
)  # fmt: skip


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
        rows = self._rows(_SLOTS)
        return Slots(frozenset(name for name, _ in rows), frozenset(name for name, active in rows if active))

    def clean(self, slots: Sequence[str]) -> list[str]:
        """Drop these slots where nobody reads them, DMS's publications and DDL capture; what was dropped, in words."""
        here = self.slots()
        dropped = []
        for name in slots:
            if name in here.all - here.active:
                self._connection.execute("SELECT pg_drop_replication_slot(%s)", [name])
                dropped.append(f"slot {name}")
        for (name,) in self._rows(_PUBLICATIONS):
            self._connection.execute(f'DROP PUBLICATION "{name}"')
            dropped.append(f"publication {name}")
        for noun, question, statement in _DDL_CAPTURE:
            if self._rows(question):
                self._connection.execute(statement)
                dropped.append(f"{noun} {statement.split()[-1]}")
        return dropped

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        return list(self._connection.execute(query).fetchall())
