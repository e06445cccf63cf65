"""Scope: the seeded sales database: the same for the same seed, whole in the smallest size, fast in the usual one."""

from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from catchment.samples.columns import FEWEST
from catchment.samples.seeding import LEDGER
from catchment.settings.load import load_settings
from local.source import sales
from local.source.postgres import EmbeddedPostgres


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("sales")
    with EmbeddedPostgres.start(folder, parameters={}, user="owner", password="pw", database="first") as running:
        yield running


def database(server: EmbeddedPostgres, name: str) -> str:
    with psycopg.connect(server.dsn("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return server.dsn(name)


def content(dsn: str, tables: dict[str, int]) -> dict[str, str]:
    digest = "SELECT md5(string_agg(t::text, E'\\n' ORDER BY t::text)) FROM {} AS t"
    with psycopg.connect(dsn) as connection:
        names = {table: sql.Identifier(*table.split(".", 1)) for table in tables}
        return {table: connection.execute(sql.SQL(digest).format(name)).fetchone()[0] for table, name in names.items()}


def test_same_seed_makes_the_same_rows_and_another_seed_others(server: EmbeddedPostgres) -> None:
    dsns = [database(server, name) for name in ("one", "two", "three")]
    counts = [sales.seed(dsn, 3000, seed) for dsn, seed in zip(dsns, (1, 1, 2), strict=True)]
    one, two, three = (content(dsn, counts[0]) for dsn in dsns)
    assert counts[0] == counts[1] == counts[2]
    assert one == two
    assert one["sales.clients"] != three["sales.clients"]


def test_smallest_database_still_has_every_hard_case(server: EmbeddedPostgres) -> None:
    dsn = database(server, "small")
    counts = sales.seed(dsn, 100)
    assert min(counts.values()) >= FEWEST
    with psycopg.connect(dsn) as connection:
        (out_of_line,) = connection.execute(
            "SELECT count(*) FROM hard.large_values WHERE length(body) > 8192 AND pg_column_size(body) > 8192"
        ).fetchone()
        assert out_of_line > 0
        (keyless,) = connection.execute(
            "SELECT count(*) FROM (SELECT FROM hard.no_key AS k GROUP BY k.* HAVING count(*) > 1)"
        ).fetchone()
        assert keyless > 0
        columns = [
            name
            for (name,) in connection.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_name = 'every_type'"
            )
        ]
        for column in columns:
            query = sql.SQL("SELECT count({}), count(*) FROM hard.every_type").format(sql.Identifier(column))
            filled, rows = connection.execute(query).fetchone()
            assert filled > 0, column
            assert filled < rows or column == "id", column


def test_rows_add_up_to_what_was_asked_for() -> None:
    for rows in (10_000, 500_000):
        assert sum(sales.row_counts(rows).values()) == pytest.approx(rows, rel=0.01)


def test_laptops_settings_list_the_tables_with_the_keys_they_have(server: EmbeddedPostgres) -> None:
    dsn = database(server, "keys")
    made = sales.seed(dsn, 100)
    listed = load_settings(Path(__file__).parents[3] / "cdk.json", "laptop").sources["sales"].tables
    with psycopg.connect(dsn) as connection:
        keys = connection.execute(
            "SELECT n.nspname || '.' || c.relname, array_agg(a.attname::text ORDER BY k.place)"
            " FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
            " CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k (number, place)"
            " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number"
            " WHERE i.indisprimary AND n.nspname IN ('sales', 'hard') AND c.relname <> %s GROUP BY 1",
            [LEDGER],
        ).fetchall()
    assert {name: table.key for name, table in listed.items()} == {
        **dict.fromkeys(made, ()),
        **{name: tuple(columns) for name, columns in keys},
    }
