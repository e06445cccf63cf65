"""The source database as a task sees it: catalog, publications, slot, replication connection."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import psycopg2
import psycopg2.errors
import psycopg2.extras
from psycopg2 import sql

from catchment.engines.dms_types import DmsType
from catchment.engines.postgresql.types import dms_type
from local.dms.address import SourceAddress
from local.dms.shapes import Column, SourceTable, TableShape
from local.dms.sources.postgresql.pgoutput import Relation

SESSION = (
    "-c timezone=UTC -c datestyle=ISO -c intervalstyle=postgres -c bytea_output=hex -c extra_float_digits=1 "
    "-c lc_monetary=C -c search_path=pg_catalog"
)
"""The spelling of values in every session of a task: what the type conversion expects."""

SLOT_SECONDS = 15.0
"""How long a slot may stay taken by a session whose client has died."""

_TABLES = """
SELECT n.nspname, c.relname, c.oid, c.relreplident, c.relkind = 'p' AS partitioned
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence = 'p'
  AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%' AND c.relname NOT LIKE 'awsdms\\_%'
ORDER BY 1, 2"""

_COLUMNS = """
SELECT attname, atttypid, atttypmod FROM pg_attribute
WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped
  AND (attgenerated = '' OR attgenerated = 's' AND current_setting('server_version_num')::int >= 180000)
ORDER BY attnum"""

_KEY = """
SELECT a.attname FROM pg_index i
CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(attnum, place)
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
WHERE i.indrelid = %s AND i.indisprimary ORDER BY k.place"""

_TYPE = """
WITH RECURSIVE base AS (
  SELECT %s::oid AS type, %s::int AS modifier, 0 AS depth
  UNION ALL
  SELECT t.typbasetype, t.typtypmod, depth + 1 FROM base JOIN pg_type t ON t.oid = base.type WHERE t.typtype = 'd')
SELECT format_type(type, modifier), t.typtype FROM base JOIN pg_type t ON t.oid = base.type
ORDER BY depth DESC LIMIT 1"""


class Catalog:
    """Reads table definitions through one connection that the caller owns."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._types: dict[tuple[int, int], DmsType] = {}

    def tables(self) -> list[tuple[str, str]]:
        """All tables a task could take, by schema and name."""
        return [(row[0], row[1]) for row in self._rows(_TABLES)]

    def read(self, schema: str, table: str) -> SourceTable | None:
        """A table's definition as of now, None if it is not there."""
        for found_schema, found_table, oid, identity, partitioned in self._rows(_TABLES):
            if (found_schema, found_table) == (schema, table):
                columns = self._rows(_COLUMNS, oid)
                return SourceTable(self._shape(schema, table, identity, columns, oid), partitioned)
        return None

    def shape_of(self, relation: Relation) -> TableShape:
        """The shape a replicated relation has from here on. The key is the catalog's: the message does not tell."""
        oid = int.from_bytes(relation.relation_id, "big")
        return self._shape(relation.schema, relation.table, relation.identity, relation.columns, oid)

    def _shape(self, schema: str, table: str, identity: str, columns: Iterable[Sequence[Any]], oid: int) -> TableShape:
        key = tuple(row[0] for row in self._rows(_KEY, oid))
        described = tuple(Column(name, self._type(kind, modifier), name in key) for name, kind, modifier in columns)
        return TableShape(schema, table, described, key, full_identity=identity == "f")

    def _type(self, oid: int, modifier: int) -> DmsType:
        known = self._types.get((oid, modifier))
        if known is None:
            rows = self._rows(_TYPE, oid, modifier)
            # a type dropped since the change was made: its values are text
            known = dms_type(*rows[0]) if rows else dms_type("unknown")
            self._types[oid, modifier] = known
        return known

    def _rows(self, query: str, *arguments: Any) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(query, arguments or None)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows


def _arguments(address: SourceAddress) -> dict[str, Any]:
    # TLS is used when the server has it: the embedded one has not
    return {
        "host": address.host,
        "port": address.port,
        "user": address.user,
        "password": address.password,
        "dbname": address.database,
        "sslmode": "prefer",
        "gssencmode": "disable",
        "options": SESSION,
        "client_encoding": "UTF8",
        "connect_timeout": 10,
        "application_name": "AWS DMS (emulated)",
    }


def connect(address: SourceAddress) -> Any:
    """An ordinary session in autocommit mode. Raises psycopg2.Error."""
    connection = psycopg2.connect(**_arguments(address))
    connection.autocommit = True
    return connection


def connect_replication(address: SourceAddress) -> Any:
    """A logical replication session. Raises psycopg2.Error."""
    return psycopg2.connect(connection_factory=psycopg2.extras.LogicalReplicationConnection, **_arguments(address))


def create_slot(connection: Any, slot: str) -> tuple[int, str]:
    """Make the slot on a replication session; its consistent point and the snapshot of that moment.

    The snapshot lives until the session does anything else.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE_REPLICATION_SLOT {sql.Identifier(slot).as_string(cursor)} LOGICAL pgoutput (SNAPSHOT 'export')"
        )
        _, point, snapshot, _ = cursor.fetchone()
    return parse_lsn(point), snapshot


def drop_slot(connection: Any, slot: str) -> None:
    """Remove the slot if it is there."""
    query = "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s"
    with connection.cursor() as cursor:
        when_free(lambda: cursor.execute(query, [slot]))


def when_free(act: Callable[[], Any]) -> None:
    """Do something with a slot, waiting while the server still serves a reader that is gone.

    Raises psycopg2's ObjectInUse after SLOT_SECONDS.
    """
    deadline = time.monotonic() + SLOT_SECONDS
    while True:
        try:
            act()
            return
        except psycopg2.errors.ObjectInUse:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def parse_lsn(text: str) -> int:
    """A log position from its ``X/Y`` form."""
    high, low = text.split("/")
    return int(high, 16) << 32 | int(low, 16)


def format_lsn(position: int) -> str:
    """A log position in its ``X/Y`` form."""
    return f"{position >> 32:X}/{position & 0xFFFFFFFF:X}"
