"""The laptop's sales database: its schema, and rows that are the same for the same seed and size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import resources

import psycopg
from psycopg import sql

DEFAULT_ROWS = 500_000
DEFAULT_SEED = 20_260_301

SHARES = {
    "sales.sales_people": 0.0004,
    "sales.products": 0.01,
    "sales.clients": 0.1,
    "sales.client_addresses": 0.12,
    "sales.sales": 0.25,
    "hard.composite_key": 0.01,
    "hard.no_key": 0.005,
    "hard.text_key": 0.005,
    "hard.Mixed Case": 0.0004,
    "hard.order": 0.0004,
    "hard.every_type": 0.001,
    "hard.large_values": 0.0004,
    "hard.evolving": 0.002,
    "hard.swaps": 0.0004,
}
"""What part of all rows a table gets; sales.sales_items gets what is left, about half."""

FEWEST = 40
"""No table has fewer rows, so that every hard case is there in the smallest database."""

SCRIPTS = ("seed_sales.sql", "seed_types.sql", "seed_hard.sql")


def row_counts(rows: int) -> dict[str, int]:
    """Rows per ``schema.table`` for about ``rows`` rows in all."""
    counts = {table: max(FEWEST, round(rows * share)) for table, share in SHARES.items()}
    counts["sales.sales_items"] = max(FEWEST, rows - sum(counts.values()))
    return counts


def seed(dsn: str, rows: int = DEFAULT_ROWS, seed: int = DEFAULT_SEED) -> dict[str, int]:
    """Create the schema and its rows in the empty database ``dsn``; the rows made per ``schema.table``.

    Raises psycopg.errors.DuplicateSchema where the database has been seeded before.
    """
    counts = row_counts(rows)
    with psycopg.connect(dsn) as connection:
        connection.execute("SET LOCAL synchronous_commit = off")
        connection.execute(sql.SQL(_script("schema.sql")))
        for table, statement in _statements():
            connection.execute(sql.SQL(statement), _arguments(table, counts, seed))
        connection.execute(sql.SQL(_script("keys.sql")))
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM (ANALYZE)")
        return {table: _count(connection, table) for table in counts}


def _script(name: str) -> str:
    return resources.files("local.source").joinpath("sql", name).read_text(encoding="utf-8")


def _statements() -> Iterator[tuple[str, str]]:
    for script in SCRIPTS:
        for part in _script(script).split("\n\n-- ")[1:]:
            table, _, statement = part.partition("\n")
            yield table, statement


def _arguments(table: str, counts: Mapping[str, int], seed: int) -> dict[str, int]:
    parents = {name.removeprefix("sales."): count for name, count in counts.items() if name.startswith("sales.")}
    return parents | {"rows": counts[table], "seed": seed}


def _count(connection: psycopg.Connection, table: str) -> int:
    name = sql.Identifier(*table.split(".", 1))
    row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(name)).fetchone()
    assert row is not None
    return int(row[0])
