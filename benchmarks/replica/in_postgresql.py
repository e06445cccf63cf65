"""PostgreSQL: COPY, and INSERT … ON CONFLICT."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.apply.shapes import COLUMNS
from benchmarks.replica.data import NAMED, parts
from local.source.postgres import EmbeddedPostgres

DEFINITION = (
    "(id bigint, customer_id integer, product_id integer, qty integer, price numeric(12,2), discount numeric(10,4), "
    "created_at timestamptz, updated_at timestamptz, status text, region text, note text"
)
ASSIGNED = ", ".join(f"{name} = EXCLUDED.{name}" for name in COLUMNS if name != "id")
_ONE = f"({', '.join(['%s'] * len(COLUMNS))})"


class PostgreSql:
    """An embedded PostgreSQL."""

    name = "PostgreSQL"
    bulk_load = "COPY, then the primary key"
    bulk_change = "net changes by COPY, one DELETE, one upsert"
    upsert = "INSERT … ON CONFLICT"

    def __init__(self, folder: Path) -> None:
        owner = {"user": "bench", "password": "bench"}
        self._server = EmbeddedPostgres.start(folder, parameters={}, database="first", **owner)

    def url(self) -> str:
        """Of its database."""
        return f"postgresql://bench:bench@{self._server.host}:{self._server.port}/measured?sslmode=disable"

    def empty(self) -> None:
        """Make the database anew."""
        with psycopg.connect(self._server.dsn("first"), autocommit=True) as con:
            con.execute("DROP DATABASE IF EXISTS measured WITH (FORCE)")
            con.execute("CREATE DATABASE measured")

    def create(self, *, key: bool) -> None:
        """Make the table."""
        with self._connect() as con:
            con.execute(f"CREATE TABLE orders {DEFINITION}{', PRIMARY KEY (id)' if key else ''})")

    def load(self, rows: Path) -> None:
        """COPY, and then the primary key."""
        self.create(key=False)
        with self._connect() as con:
            _copy(con, rows, "orders")
            con.execute("ALTER TABLE orders ADD PRIMARY KEY (id)")

    def change(self, written: Path, gone: Sequence[int]) -> None:
        """Net changes by COPY, one DELETE, one upsert."""
        with self._connect() as con:
            con.execute(f"CREATE TEMP TABLE net {DEFINITION})")
            _copy(con, written, "net")
            con.execute("ANALYZE net")
            con.execute("DELETE FROM orders WHERE id = ANY(%s)", [list(gone)])
            con.execute(
                f"INSERT INTO orders ({NAMED}) SELECT {NAMED} FROM net ON CONFLICT (id) DO UPDATE SET {ASSIGNED}"
            )

    def write(self, rows: Sequence[tuple[Any, ...]], rows_a_statement: int) -> None:
        """Upserts."""
        with self._connect() as con:
            for some in parts(list(rows), rows_a_statement):
                values = ", ".join([_ONE] * len(some))
                statement = f"INSERT INTO orders ({NAMED}) VALUES {values} ON CONFLICT (id) DO UPDATE SET {ASSIGNED}"
                con.execute(statement, [value for row in some for value in row])
                if rows_a_statement == 1:
                    con.commit()

    def delete(self, keys: Sequence[int], keys_a_statement: int) -> None:
        """Deletes."""
        with self._connect() as con:
            for some in parts(list(keys), keys_a_statement):
                con.execute("DELETE FROM orders WHERE id = ANY(%s)", [some])
                if keys_a_statement == 1:
                    con.commit()

    def stop(self) -> None:
        """End the server."""
        self._server.stop()

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(self._server.dsn("measured"), options="-c timezone=UTC")


def _copy(con: psycopg.Connection, file: Path, table: str) -> None:
    statement = f"COPY {table} ({NAMED}) FROM STDIN (FORMAT csv, NULL 'NULL')"
    with file.open("rb") as source, con.cursor().copy(statement) as copy:
        while block := source.read(1 << 20):
            copy.write(block)
