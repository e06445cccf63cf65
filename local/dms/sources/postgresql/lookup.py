"""Reading a large value at the source, as DMS does for LOBs: it may be newer than the change it is written with."""

from __future__ import annotations

from typing import Any

from psycopg2 import sql

from local.dms.rows import Lookup
from local.dms.shapes import Column, TableShape


def lookup_at(connection: Any) -> Lookup:
    """A lookup through ``connection``. A row that is gone gives NULL, like DMS's "Failed to get lob data"."""

    def lookup(shape: TableShape, column: Column, keys: list[dict[str, str]]) -> list[str | None]:
        where = sql.SQL(" AND ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in shape.key)
        query = sql.SQL("SELECT {}::text FROM {} WHERE {}").format(
            sql.Identifier(column.name), sql.Identifier(shape.schema, shape.table), where
        )
        found: list[str | None] = []
        with connection.cursor() as cursor:
            for key in keys:
                cursor.execute(query, [key[name] for name in shape.key])
                row = cursor.fetchone()
                found.append(row[0] if row else None)
        return found

    return lookup
