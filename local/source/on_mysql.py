"""The sales database with MySQL's hard cases in a real MariaDB."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pymysql
from psycopg.types.json import Jsonb
from pymysql.connections import Connection
from pymysql.constants import CLIENT

from catchment.engines.connection import opened
from catchment.engines.mysql import samples
from catchment.engines.trust import Login, Trust
from catchment.samples.columns import FEWEST
from catchment.samples.commerce import commerce
from catchment.samples.seeding import Seeding
from local.source import mysql_work
from local.source.database import Work, WorkloadFailed
from local.source.mysql_hard import TABLES, seed_hard
from local.source.plan import Plan
from local.source.pools import Pool, Pools, Spelling, load_pools

WORK = Work(
    kinds=mysql_work.KINDS,
    definitions=mysql_work.DEFINITIONS,
    truncation=mysql_work.TRUNCATION,
    truncated=mysql_work.TRUNCATED,
)

SHARES = {"composite_key": 0.01, "no_key": 0.005, "text_key": 0.005, "every_type": 0.001, "evolving": 0.002}
"""What part of all rows a table of schema hard gets; the others get the fewest, the sample system what is left."""


@dataclass(frozen=True)
class MySqlDatabase:
    """The server that ``login`` reaches; ``database`` is the schema that the session begins in."""

    login: Login
    database: str
    work: Work = WORK

    def seed(self, rows: int, seed: int) -> dict[str, int]:
        """Create the schemas and about ``rows`` rows on the empty server; the rows made per ``schema.table``."""
        counts = {table: max(FEWEST, round(rows * SHARES.get(table, 0))) for table in TABLES}
        with opened("mysql", self.login, self.database, Trust()) as connection:
            business = max(0, rows - sum(counts.values()))
            made = Seeding(connection, samples, commerce, seed=seed).write(rows=business)
        with self._connect() as connection, connection.cursor() as cursor:
            seed_hard(cursor, counts, seed)
            connection.commit()
        business_rows = {f"{commerce.schema}.{table}": number for table, number in made.rows.items()}
        return business_rows | {f"hard.{table}": number for table, number in counts.items()}

    @contextmanager
    def session(self) -> Iterator[MySqlSession]:
        """Connect for the workload."""
        with self._connect() as connection:
            yield MySqlSession(connection)

    def _connect(self) -> Connection:
        return pymysql.connect(
            host=str(self.login["host"]),
            port=int(self.login["port"]),
            user=str(self.login["username"]),
            password=str(self.login["password"]),
            charset="utf8mb4",
            # a statement tells how many rows it has found, not how many it found otherwise than they should be
            client_flag=CLIENT.FOUND_ROWS,
            init_command="SET SESSION time_zone = '+00:00'",
            sql_mode="",  # zero dates may be written
        )


class MySqlSession:
    """Sends a transaction's statements one after the other."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def pools(self) -> Pools:
        """The keys that the workload may touch."""
        pools = load_pools(self._ask, Spelling("`", "CRC32({})"))
        pools.caseless = Pool(code for (code,) in self._ask("SELECT code FROM hard.caseless_key ORDER BY n"))
        self._connection.commit()
        return pools

    def _ask(self, query: str) -> Sequence[Sequence[Any]]:
        with self._connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchall()

    def plan(self) -> Plan:
        """A transaction in which nothing is planned yet."""
        return Plan(quote="`")

    def execute(self, plan: Plan) -> None:
        """Run the transaction, to its commit or rollback. Raises WorkloadFailed, pymysql.Error."""
        with self._connection.cursor() as cursor:
            for statement in plan.statements:
                cursor.execute(statement.query, [_as_mysql_has_it(value) for value in statement.parameters])
                if statement.rows is not None and cursor.rowcount != statement.rows:
                    raise WorkloadFailed(statement.query, statement.rows, cursor.rowcount)
        if plan.commits:
            self._connection.commit()
        else:
            self._connection.rollback()


def _as_mysql_has_it(value: Any) -> Any:
    return json.dumps(value.obj, ensure_ascii=False) if isinstance(value, Jsonb) else value
