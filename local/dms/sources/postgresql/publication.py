"""What a task leaves in the source: publications for the embedded server's plugin, and DMS's DDL audit objects.

DMS itself reads test_decoding, which needs no publication; the embedded server has pgoutput only. Tables without a
key publish inserts alone: DMS does not replicate their updates and deletes, and publishing them would make the
source refuse them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from psycopg2 import sql

from local.dms.shapes import SourceTable

AUDIT_TABLE = "awsdms_ddl_audit"
AUDIT_TRIGGER = "awsdms_intercept_ddl"

_AUDIT = """
CREATE TABLE IF NOT EXISTS {audit} (
  c_key bigserial PRIMARY KEY, c_time timestamp, c_user varchar(64), c_txn varchar(16), c_tag varchar(24),
  c_oid integer, c_name varchar(64), c_schema varchar(64), c_ddlqry text);
CREATE OR REPLACE FUNCTION {function}() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  IF tg_tag IN ('CREATE TABLE', 'ALTER TABLE', 'DROP TABLE', 'CREATE TABLE AS') THEN
    INSERT INTO {audit} VALUES (DEFAULT, current_timestamp, current_user, cast(txid_current() AS varchar(16)),
      tg_tag, 0, '', current_schema, current_query());
    DELETE FROM {audit};
  END IF;
END $$;
"""


def install_ddl_capture(connection: Any, schema: str) -> None:
    """Make DMS's audit table and event trigger as CaptureDdls does (AWS DMS User Guide, PostgreSQL source)."""
    names = {"audit": sql.Identifier(schema, AUDIT_TABLE), "function": sql.Identifier(schema, AUDIT_TRIGGER)}
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_event_trigger WHERE evtname = %s", [AUDIT_TRIGGER])
        if cursor.fetchone() is None:
            cursor.execute(sql.SQL(_AUDIT).format(**names))
            cursor.execute(
                sql.SQL("CREATE EVENT TRIGGER {} ON ddl_command_end EXECUTE FUNCTION {}()").format(
                    sql.Identifier(AUDIT_TRIGGER), names["function"]
                )
            )


def publication_names(slot: str) -> tuple[str, str]:
    """The task's publications: for tables with a key, and for inserts only."""
    return f"{slot}_rows", f"{slot}_inserts"


def create_publications(connection: Any, slot: str, tables: Iterable[SourceTable], audit_schema: str) -> None:
    """Make both publications anew. They must be there before the slot is."""
    drop_publications(connection, slot)
    keyed = [t for t in tables if t.shape.key]
    keyless = [(t.shape.schema, t.shape.table) for t in tables if not t.shape.key]
    rows, inserts = publication_names(slot)
    _create(connection, rows, [(t.shape.schema, t.shape.table) for t in keyed], "insert, update, delete, truncate")
    _create(connection, inserts, [*keyless, (audit_schema, AUDIT_TABLE)], "insert, truncate")


def add_to_publications(connection: Any, slot: str, tables: Iterable[SourceTable]) -> None:
    """Let the task's publications send more tables, from now on. One that was sent before may still be."""
    rows, inserts = publication_names(slot)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT schemaname, tablename FROM pg_publication_tables WHERE pubname = ANY(%s)", [[rows, inserts]]
        )
        sent = set(cursor.fetchall())
        for table in tables:
            if (table.shape.schema, table.shape.table) in sent:
                continue
            cursor.execute(
                sql.SQL("ALTER PUBLICATION {} ADD TABLE {}").format(
                    sql.Identifier(rows if table.shape.key else inserts),
                    sql.Identifier(table.shape.schema, table.shape.table),
                )
            )


def drop_publications(connection: Any, slot: str) -> None:
    """Remove the task's publications if they are there."""
    with connection.cursor() as cursor:
        for name in publication_names(slot):
            cursor.execute(sql.SQL("DROP PUBLICATION IF EXISTS {}").format(sql.Identifier(name)))


def _create(connection: Any, name: str, tables: list[tuple[str, str]], events: str) -> None:
    options = [sql.SQL("publish = {}").format(sql.Literal(events)), sql.SQL("publish_via_partition_root = true")]
    if connection.server_version >= 180000:
        options.append(sql.SQL("publish_generated_columns = stored"))
    statement = sql.SQL("CREATE PUBLICATION {}").format(sql.Identifier(name))
    if tables:
        listed = sql.SQL(", ").join(sql.Identifier(*table) for table in tables)
        statement += sql.SQL(" FOR TABLE ") + listed
    statement += sql.SQL(" WITH (") + sql.SQL(", ").join(options) + sql.SQL(")")
    with connection.cursor() as cursor:
        cursor.execute(statement)
