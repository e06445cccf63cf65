"""What a replica knows of its tables, in tables of its own: schema ``catchment``, in the same database.

``tables`` has a row a table: its version, which counts commits, its columns, and its ledger but for the files;
``files`` has those; ``commits`` what each commit said. They change in the transaction that changes the rows.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import psycopg

from catchment.landing.types import DeltaType
from catchment.sinks.ledger import Ledger
from catchment.sinks.replica.target import Known, Record

_SCHEMA = """
CREATE SCHEMA IF NOT EXISTS catchment;
CREATE TABLE IF NOT EXISTS catchment.tables (
  name text COLLATE "C" PRIMARY KEY, version bigint NOT NULL, rows bigint NOT NULL, columns json NOT NULL,
  ledger json NOT NULL);
CREATE TABLE IF NOT EXISTS catchment.files (
  name text COLLATE "C", path text COLLATE "C", file json NOT NULL, PRIMARY KEY (name, path));
CREATE TABLE IF NOT EXISTS catchment.commits (
  name text COLLATE "C", version bigint, at timestamp with time zone NOT NULL DEFAULT now(), watermark bigint NOT NULL,
  record json NOT NULL, PRIMARY KEY (name, version));
"""
_LOCK = 0x43617463686D656E  # the name's first letters; creating the same schema twice at once fails otherwise


def create(cursor: psycopg.Cursor) -> None:
    """Make the catalog where it is not there."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    cursor.execute(_SCHEMA)


def is_there(cursor: psycopg.Cursor) -> bool:
    """Whether the catalog has been made."""
    cursor.execute("SELECT to_regclass('catchment.commits') IS NOT NULL")
    return bool(_one(cursor)[0])


def version(cursor: psycopg.Cursor, table: str, *, lock: bool = False) -> int | None:
    """The table's version; with ``lock`` nobody else commits to it until the transaction ends."""
    cursor.execute(
        f"SELECT version FROM catchment.tables WHERE name = %s {'FOR UPDATE' if lock else ''}",
        [table],
    )
    found = cursor.fetchone()
    return None if found is None else int(found[0])


def read(cursor: psycopg.Cursor, table: str) -> Known:
    """The table, which is there."""
    cursor.execute("SELECT version, rows, columns, ledger FROM catchment.tables WHERE name = %s", [table])
    number, rows, columns, said = _one(cursor)
    cursor.execute("SELECT file FROM catchment.files WHERE name = %s", [table])
    ledger = Ledger.from_json({**said, "files": [file for (file,) in cursor.fetchall()]})
    return Known(number, rows, {name: DeltaType.parse(kind) for name, kind in columns.items()}, ledger)


def write(cursor: psycopg.Cursor, table: str, record: Record) -> bool:
    """Record a commit. False where somebody else has made the table meanwhile."""
    known, batch = record.known, record.batch
    columns = json.dumps({name: str(kind) for name, kind in known.columns.items()})
    row = [known.version, known.rows, columns, json.dumps(known.ledger.summary()), table]
    if known.version == 0:
        cursor.execute(
            "INSERT INTO catchment.tables (version, rows, columns, ledger, name) VALUES (%s, %s, %s, %s, %s) "
            "ON CONFLICT DO NOTHING",
            row,
        )
    else:
        cursor.execute(
            "UPDATE catchment.tables SET version = %s, rows = %s, columns = %s, ledger = %s WHERE name = %s", row
        )
    if cursor.rowcount == 0:
        return False
    cursor.execute("DELETE FROM catchment.files WHERE name = %s AND path = ANY(%s)", [table, list(record.forgotten)])
    cursor.executemany(
        "INSERT INTO catchment.files (name, path, file) VALUES (%s, %s, %s) "
        "ON CONFLICT (name, path) DO UPDATE SET file = EXCLUDED.file",
        [[table, file.path, json.dumps(asdict(file))] for file in batch.files],
    )
    cursor.execute(
        "INSERT INTO catchment.commits (name, version, watermark, record) VALUES (%s, %s, %s, %s)",
        [table, known.version, known.ledger.watermark, json.dumps(batch.record())],
    )
    return True


def _one(cursor: psycopg.Cursor) -> tuple[Any, ...]:
    row = cursor.fetchone()
    assert row is not None
    return row
