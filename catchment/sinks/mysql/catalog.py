"""What a replica in MySQL knows of its tables, in tables of its own.

A table made by Catchment has an id, which is its comment, and its record is what ``tables``, ``files`` and ``commits``
have of that id. So ``RENAME TABLE`` puts a new table and its record in the place of the old ones at once, though DDL in
MySQL takes part in no transaction; what else is of the same name is of no account, and is deleted.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TypeVar

from catchment.changes.relations import comma, quote
from catchment.landing.types import DeltaType
from catchment.sinks.ledger import Ledger
from catchment.sinks.mysql.session import MySqlSession
from catchment.sinks.replica.target import Known, Record

_MARK = "catchment "
_PATHS = 200
Item = TypeVar("Item")


@dataclass(frozen=True)
class Catalog:
    """The catalog in one database; ``prefix`` is what the names of its tables begin with."""

    database: str
    prefix: str
    collation: str

    def create(self, server: MySqlSession) -> None:
        """Make the catalog where it is not there."""
        server.run(f"CREATE DATABASE IF NOT EXISTS {quote(self.database)}")
        kind = f"ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE={self.collation}"
        server.run(
            f"CREATE TABLE IF NOT EXISTS {self._tables} (id CHAR(32) PRIMARY KEY, name VARCHAR(512) NOT NULL, "
            f"version BIGINT NOT NULL, row_count BIGINT NOT NULL, columns LONGTEXT NOT NULL, ledger LONGTEXT NOT NULL, "
            f"KEY (name)) {kind}"
        )
        server.run(
            f"CREATE TABLE IF NOT EXISTS {self._files} (id CHAR(32), path VARBINARY(1024), file LONGTEXT NOT NULL, "
            f"PRIMARY KEY (id, path)) {kind}"
        )
        server.run(
            f"CREATE TABLE IF NOT EXISTS {self._commits} (id CHAR(32), version BIGINT, at DATETIME(6) NOT NULL "
            "DEFAULT CURRENT_TIMESTAMP(6), watermark BIGINT NOT NULL, record LONGTEXT NOT NULL, "
            f"PRIMARY KEY (id, version)) {kind}"
        )

    def is_there(self, server: MySqlSession) -> bool:
        """Whether the catalog has been made."""
        return bool(_found(server, self.database, f"{self.prefix}commits"))

    def version(self, server: MySqlSession, table: str, identity: str, *, lock: bool = False) -> int | None:
        """The version of the table of that id; None where it is another's. ``lock``: others wait for us."""
        found = server.rows(
            f"SELECT version FROM {self._tables} WHERE id = %s AND name = %s {'FOR UPDATE' if lock else ''}",
            [identity, table],
        )
        return int(found[0][0]) if found else None

    def read(self, server: MySqlSession, identity: str) -> Known:
        """The table, which is there."""
        [(number, rows, columns, said)] = server.rows(
            f"SELECT version, row_count, columns, ledger FROM {self._tables} WHERE id = %s", [identity]
        )
        files = server.rows(f"SELECT file FROM {self._files} WHERE id = %s", [identity])
        ledger = Ledger.from_json({**json.loads(said), "files": [json.loads(file) for (file,) in files]})
        kinds = {name: DeltaType.parse(kind) for name, kind in json.loads(columns).items()}
        return Known(int(number), int(rows), kinds, ledger)

    def write(self, server: MySqlSession, table: str, identity: str, record: Record) -> None:
        """Record a commit to the table of that id."""
        known, batch = record.known, record.batch
        columns = json.dumps({name: str(kind) for name, kind in known.columns.items()})
        server.run(
            f"INSERT INTO {self._tables} (id, name, version, row_count, columns, ledger) "
            "VALUES (%s, %s, %s, %s, %s, %s) ON DUPLICATE KEY UPDATE version = VALUES(version), "
            "row_count = VALUES(row_count), columns = VALUES(columns), ledger = VALUES(ledger)",
            [identity, table, known.version, known.rows, columns, json.dumps(known.ledger.summary())],
        )
        for paths in _parts(list(record.forgotten)):
            places = comma(["%s"] * len(paths))
            server.run(f"DELETE FROM {self._files} WHERE id = %s AND path IN ({places})", [identity, *paths])
        for files in _parts(list(batch.files)):
            places = comma(["(%s, %s, %s)"] * len(files))
            values = [value for file in files for value in (identity, file.path, json.dumps(asdict(file)))]
            server.run(
                f"INSERT INTO {self._files} (id, path, file) VALUES {places} "
                "ON DUPLICATE KEY UPDATE file = VALUES(file)",
                values,
            )
        server.run(
            f"INSERT INTO {self._commits} (id, version, watermark, record) VALUES (%s, %s, %s, %s)",
            [identity, known.version, known.ledger.watermark, json.dumps(batch.record())],
        )

    def inherit(self, server: MySqlSession, identity: str, former: str) -> None:
        """Give a new table the files and commits of the one whose place it is to take."""
        server.run(
            f"INSERT INTO {self._files} (id, path, file) SELECT %s, path, file FROM {self._files} f WHERE f.id = %s",
            [identity, former],
        )
        server.run(
            f"INSERT INTO {self._commits} (id, version, at, watermark, record) "
            f"SELECT %s, version, at, watermark, record FROM {self._commits} c WHERE c.id = %s",
            [identity, former],
        )

    def forget_others(self, server: MySqlSession, table: str, identity: str | None) -> None:
        """Delete the records of tables of this name that are not this one."""
        others = server.rows(f"SELECT id FROM {self._tables} WHERE name = %s AND id <> %s", [table, identity or ""])
        for (other,) in others:
            for each in (self._files, self._commits, self._tables):
                server.run(f"DELETE FROM {each} WHERE id = %s", [other])

    def owner(self, server: MySqlSession, identity: str) -> str | None:
        """The name in the record of an id."""
        found = server.rows(f"SELECT name FROM {self._tables} WHERE id = %s", [identity])
        return str(found[0][0]) if found else None

    @property
    def _tables(self) -> str:
        return self._named("tables")

    @property
    def _files(self) -> str:
        return self._named("files")

    @property
    def _commits(self) -> str:
        return self._named("commits")

    def _named(self, name: str) -> str:
        return f"{quote(self.database)}.{quote(self.prefix + name)}"


def comment(identity: str) -> str:
    """The comment of the table of an id."""
    return f"{_MARK}{identity}"


def identify(server: MySqlSession, database: str, table: str) -> str | None:
    """The id of a table: empty where Catchment has not made it, None where there is none."""
    said = _found(server, database, table)
    if not said:
        return None
    return said[0].removeprefix(_MARK) if said[0].startswith(_MARK) else ""


def _found(server: MySqlSession, database: str, table: str) -> list[str]:
    """The comment of the table of that name, spelt as the server keeps names."""
    if server.folds_names:
        database, table = database.lower(), table.lower()
    rows = server.rows(
        "SELECT table_comment FROM information_schema.tables WHERE table_schema = %s AND table_name = %s",
        [database, table],
    )
    return [str(said) for (said,) in rows]


def _parts(items: Sequence[Item]) -> list[Sequence[Item]]:
    return [items[first : first + _PATHS] for first in range(0, len(items), _PATHS)]
