"""MySQL, by a MariaDB: LOAD DATA, and INSERT … ON DUPLICATE KEY UPDATE."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pymysql
from pymysql.connections import Connection

from benchmarks.apply.shapes import COLUMNS
from benchmarks.replica.data import NAMED, parts
from local.source.mariadb import EmbeddedMariaDb

DEFINITION = (
    "(id BIGINT, customer_id INT, product_id INT, qty INT, price DECIMAL(12,2), discount DECIMAL(10,4), "
    "created_at DATETIME(6), updated_at DATETIME(6), status LONGTEXT, region LONGTEXT, note LONGTEXT"
)
_ASSIGNED = ", ".join(f"{name} = VALUES({name})" for name in COLUMNS if name != "id")
_ONE = f"({', '.join(['%s'] * len(COLUMNS))})"


class MariaDb:
    """An embedded MariaDB."""

    name = "MariaDB"
    bulk_load = "LOAD DATA, then the primary key"
    bulk_change = "net changes by LOAD DATA, one DELETE, one upsert"
    upsert = "INSERT … ON DUPLICATE KEY UPDATE"

    def __init__(self, folder: Path) -> None:
        owner = {"user": "bench", "password": "bench"}
        parameters = {"innodb_buffer_pool_size": "512M"}
        self._server = EmbeddedMariaDb.start(folder, parameters=parameters, binary_log=False, **owner)

    def url(self) -> str:
        """Of its database."""
        return self._server.url("measured")

    def empty(self) -> None:
        """Make the database anew."""
        with self._server.connect() as con, con.cursor() as cursor:
            cursor.execute("DROP DATABASE IF EXISTS measured")
            cursor.execute("CREATE DATABASE measured")

    def create(self, *, key: bool) -> None:
        """Make the table."""
        with self._connect() as con, con.cursor() as cursor:
            cursor.execute(f"CREATE TABLE orders {DEFINITION}{', PRIMARY KEY (id)' if key else ''})")

    def load(self, rows: Path) -> None:
        """LOAD DATA, and then the primary key."""
        self.create(key=False)
        with self._connect() as con, con.cursor() as cursor:
            cursor.execute(_load(rows, "orders"))
            cursor.execute("ALTER TABLE orders ADD PRIMARY KEY (id)")

    def change(self, written: Path, gone: Sequence[int]) -> None:
        """Net changes by LOAD DATA, one DELETE, one upsert."""
        with self._connect() as con, con.cursor() as cursor:
            cursor.execute(f"CREATE TEMPORARY TABLE net {DEFINITION})")
            cursor.execute(_load(written, "net"))
            con.begin()
            cursor.execute(f"DELETE FROM orders WHERE id IN ({', '.join(map(str, gone))})")
            cursor.execute(f"INSERT INTO orders ({NAMED}) SELECT {NAMED} FROM net ON DUPLICATE KEY UPDATE {_ASSIGNED}")
            con.commit()

    def write(self, rows: Sequence[tuple[Any, ...]], rows_a_statement: int) -> None:
        """Upserts."""
        with self._connect() as con, con.cursor() as cursor:
            con.autocommit(rows_a_statement == 1)
            for some in parts(list(rows), rows_a_statement):
                values = ", ".join([_ONE] * len(some))
                statement = f"INSERT INTO orders ({NAMED}) VALUES {values} ON DUPLICATE KEY UPDATE {_ASSIGNED}"
                cursor.execute(statement, [value for row in some for value in row])
            con.commit()

    def delete(self, keys: Sequence[int], keys_a_statement: int) -> None:
        """Deletes."""
        with self._connect() as con, con.cursor() as cursor:
            con.autocommit(keys_a_statement == 1)
            for some in parts(list(keys), keys_a_statement):
                cursor.execute(f"DELETE FROM orders WHERE id IN ({', '.join(map(str, some))})")
            con.commit()

    def stop(self) -> None:
        """End the server."""
        self._server.stop()

    def _connect(self) -> Connection:
        server = self._server
        return pymysql.connect(
            host=server.host,
            port=server.port,
            user=server.user,
            password=server.password,
            database="measured",
            charset="utf8mb4",
            autocommit=True,
            local_infile=True,
            ssl_disabled=True,
        )


def _load(file: Path, table: str) -> str:
    return (
        f"LOAD DATA LOCAL INFILE '{file}' INTO TABLE {table} CHARACTER SET utf8mb4 "
        f"FIELDS TERMINATED BY ',' ENCLOSED BY '\"' ESCAPED BY '' LINES TERMINATED BY '\\n' ({NAMED})"
    )
