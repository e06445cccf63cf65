"""The laptop's sales database: the sample system, and a table per hard case beside it.

Its rows are the same for the same seed and size.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from catchment.engines.connection import opened
from catchment.engines.postgresql import samples
from catchment.engines.trust import Trust
from catchment.samples.columns import FEWEST
from catchment.samples.commerce import commerce
from catchment.samples.seeding import Seeding

DEFAULT_ROWS = 500_000
DEFAULT_SEED = 20_260_301

SHARES = {
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
"""What part of all rows a table gets; the sample system gets what is left."""

SCRIPTS = ("seed_types.sql", "seed_hard.sql")


def row_counts(rows: int) -> dict[str, int]:
    """Rows per ``schema.table`` for about ``rows`` rows in all."""
    counts = {table: max(FEWEST, round(rows * share)) for table, share in SHARES.items()}
    business = commerce.row_counts(max(0, rows - sum(counts.values())))
    return {f"{commerce.schema}.{table}": count for table, count in business.items()} | counts


TABLES = tuple(row_counts(0))
"""All of them, as ``schema.table``."""


def seed(dsn: str, rows: int = DEFAULT_ROWS, seed: int = DEFAULT_SEED) -> dict[str, int]:
    """Create the schemas and their rows in the empty database ``dsn``; the rows made per ``schema.table``.

    Raises psycopg.errors.DuplicateSchema where the database has been seeded before.
    """
    counts = row_counts(rows)
    _seed_business(dsn, rows - sum(counts[table] for table in SHARES), seed)
    with psycopg.connect(dsn) as connection:
        connection.execute("SET LOCAL synchronous_commit = off")
        connection.execute(sql.SQL(_script("schema.sql")))
        for table, statement in _statements():
            connection.execute(sql.SQL(statement), {"rows": counts[table], "seed": seed})
        connection.execute(sql.SQL(_script("keys.sql")))
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM (ANALYZE)")
        return {table: _count(connection, table) for table in counts}


def _seed_business(dsn: str, rows: int, seed: int) -> None:
    said = conninfo_to_dict(dsn)
    login = {"host": said["host"], "port": said["port"], "username": said["user"], "password": said["password"]}
    with opened("postgresql", login, str(said["dbname"]), Trust()) as connection:
        Seeding(connection, samples, commerce, seed=seed).write(rows=rows)


def _script(name: str) -> str:
    return resources.files("local.source").joinpath("sql", name).read_text(encoding="utf-8")


def _statements() -> Iterator[tuple[str, str]]:
    for script in SCRIPTS:
        for part in _script(script).split("\n\n-- ")[1:]:
            table, _, statement = part.partition("\n")
            yield table, statement


def _count(connection: psycopg.Connection, table: str) -> int:
    name = sql.Identifier(*table.split(".", 1))
    row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(name)).fetchone()
    assert row is not None
    return int(row[0])
