"""A connection to MySQL as the replica uses it: its settings, and files that are sent to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pymysql
from pymysql.converters import encoders
from pymysql.cursors import SSCursor
from pymysql.protocol import LoadLocalPacketWrapper

from catchment.changes.relations import text
from catchment.sinks.mysql.login import Login

_COLLATIONS = ("utf8mb4_0900_bin", "utf8mb4_nopad_bin")  # MySQL 8.0.17, MariaDB 10.2
# "a" is an identifier, a backslash a backslash, and a value that does not fit an error
_MODE = "ANSI_QUOTES,NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION"
_PATIENT = 28_800
"""Seconds that the server waits for a client that holds no lock: its own default."""


class RowsRefused(Exception):
    """The server would have changed a value, or left out a row."""


class ToOneFile(pymysql.connections.Connection):
    """A connection that sends the one file that it was told to send, whatever the server asks for."""

    sending: str | None = None

    def _read_packet(self, *arguments: Any) -> Any:
        packet = super()._read_packet(*arguments)  # type: ignore[no-untyped-call]
        if self.sending is not None and packet.is_load_local_packet():
            asked = LoadLocalPacketWrapper(packet).filename.decode()
            if asked != self.sending:
                raise pymysql.OperationalError(f"the server asks for the file {asked}, which is not the one to be sent")
        return packet


class MySqlSession:
    """A connection of its own; every statement is committed at once but in ``transaction``.

    ``lock_seconds`` is how long it waits for others at most. Raises pymysql.Error, and RowsRefused where the server is
    too old.
    """

    def __init__(self, login: Login, *, lock_seconds: float) -> None:
        self._connection = cast(Any, ToOneFile)(
            host=login.host,
            port=login.port,
            user=login.user,
            password=login.password,
            ssl=login.tls(),
            ssl_disabled=login.ssl_mode == "DISABLED",
            charset="utf8mb4",
            autocommit=True,
            local_infile=True,  # says that it could; it does so while it is told to
            conv=dict[Any, Any](encoders),  # values come as the server writes them
            connect_timeout=10,
        )
        self._connection._local_infile = False
        seconds = max(1, round(lock_seconds))
        self.run("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
        self.run(
            f"SET SESSION sql_mode = '{_MODE}', time_zone = '+00:00', foreign_key_checks = 0, "
            f"innodb_lock_wait_timeout = {seconds}, lock_wait_timeout = {seconds}, wait_timeout = {_PATIENT}"
        )
        named = ", ".join(f"'{name}'" for name in _COLLATIONS)
        found = self.rows(
            "SELECT @@local_infile, @@lower_case_table_names, collation_name FROM information_schema.collations "
            f"WHERE collation_name IN ({named})"
        )
        if not found:
            self.close()
            raise RowsRefused("a replica needs MySQL 8.0.17, MariaDB 10.2 or newer: text is compared byte by byte")
        loads, folding, self.collation = found[0]
        self.loads_files, self.folds_names = loads == "1", folding != "0"

    @property
    def is_open(self) -> bool:
        """Whether it can be used, as far as is known here."""
        return bool(self._connection.open)

    def close(self) -> None:
        """End it; what it had locked is free then."""
        self._connection._force_close()

    def run(self, statement: str, values: Sequence[object] | None = None) -> int:
        """Execute a statement; returns the number of rows it concerned."""
        with self._connection.cursor() as cursor:
            return int(cursor.execute(statement, values))

    def rows(self, query: str, values: Sequence[object] | None = None) -> list[tuple[Any, ...]]:
        """All rows of a query that gives few, as the server writes them."""
        with self._connection.cursor() as cursor:
            cursor.execute(query, values)
            return list(cursor.fetchall())

    def texts(self, query: str, block: int) -> Iterator[list[tuple[str | None, ...]]]:
        """The rows of a query in blocks, as the server writes them."""
        with self._connection.cursor(SSCursor) as cursor:
            cursor.execute(query)
            while rows := cursor.fetchmany(block):
                yield list(rows)

    def load(self, path: Path, into: str) -> int:
        """Send a file by LOAD DATA LOCAL INFILE; returns the number of rows. Raises RowsRefused for any warning."""
        connection = self._connection
        connection.sending, connection._local_infile = str(path), True
        try:
            loaded = self.run(f"LOAD DATA LOCAL INFILE {text(str(path))} {into}")
        finally:
            connection.sending, connection._local_infile = None, False
        # with LOCAL the server makes of each error a warning, and goes on
        if warnings := self.rows("SHOW WARNINGS LIMIT 3"):
            raise RowsRefused("; ".join(said for _, _, said in warnings))
        return loaded

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Statements that take effect together at the end, or not at all."""
        self.begin()
        yield
        self.commit()

    def begin(self) -> None:
        """Begin a transaction."""
        self._connection.begin()

    def commit(self) -> None:
        """Commit it."""
        self._connection.commit()

    @contextmanager
    def alone(self, name: str, lock_seconds: float, idle_seconds: float) -> Iterator[bool]:
        """Hold the server's lock of that name (64 characters at most); False where somebody else holds it.

        After ``idle_seconds`` without a word from here the server ends the connection, and the lock is free.
        """
        self.run(f"SET SESSION wait_timeout = {max(1, round(idle_seconds))}")
        [(got,)] = self.rows("SELECT GET_LOCK(%s, %s)", [name, lock_seconds])
        yield got == "1"
        self.run("DO RELEASE_LOCK(%s)", [name])
        self.run(f"SET SESSION wait_timeout = {_PATIENT}")
