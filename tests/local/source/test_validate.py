"""Scope: `catchment validate` between real databases and a lake: what is equal, what is not, how it is told."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from deltalake import write_deltalake

from catchment.cli.app import run
from catchment.engines import engine
from catchment.engines.connection import opened
from catchment.engines.statements import Query, query_of
from catchment.engines.trust import Trust
from catchment.landing.duck import open_duckdb
from catchment.reconcile.compare import identifier
from catchment.reconcile.source import one_moment
from catchment.samples.commerce import commerce
from catchment.samples.seeding import Seeding
from local.source.mariadb import EmbeddedMariaDb
from local.source.postgres import EmbeddedPostgres

TABLES = ("sales_people", "sales_items", "clients")


class Setup:
    """A seeded source, a lake that holds the same, and the command on both."""

    def __init__(self, name: str, login: dict[str, Any], folder: Path, query: Query) -> None:
        database = "first" if name == "postgresql" else "sales"
        self.url = f"{name}://owner:owner@127.0.0.1:{login['port']}/{database}"
        self.lake, self.query = folder / "lake", query
        self.tables = folder / "tables.yaml"
        contracts = {name: {"key": list(key)} for name, key in commerce.keys.items() if name.split(".")[1] in TABLES}
        self.tables.write_text(
            json.dumps({"landing": {"format": "parquet", "timestamp_column": "ts"}, "tables": contracts})
        )
        con = open_duckdb(folder, memory_mb=256, threads=1)
        with one_moment(name, login, database, Trust()) as side:
            for table in TABLES:
                columns = side.columns("sales", table)
                side.read(con, "sales", table, columns, "copied", folder)
                shown = [f"CAST({identifier(c.name)} AS {c.delta.duckdb}) AS {identifier(c.name)}" for c in columns]
                rows = con.sql(f"SELECT {', '.join(shown)} FROM copied").to_arrow_table()
                write_deltalake(self.lake / "sales" / table, rows)
        con.close()

    def validate(self, *more: str) -> int:
        return run(["validate", "--url", self.url, "--lake", str(self.lake), "--tables", str(self.tables), *more])


@pytest.fixture(scope="module", params=["postgresql", "mariadb"])
def setup(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setup]:
    folder = tmp_path_factory.mktemp("validate")
    login = {"host": "127.0.0.1", "username": "owner", "password": "owner"}
    samples = engine(request.param).samples
    assert samples is not None
    if request.param == "mariadb":
        server: EmbeddedMariaDb | EmbeddedPostgres = request.getfixturevalue("mariadb")
        database = "mysql"
    else:
        server = EmbeddedPostgres.start(folder / "pg", parameters={}, user="owner", password="owner", database="first")
        database = "first"
    try:
        with opened(request.param, {**login, "port": server.port}, database, Trust()) as connection:
            Seeding(connection, samples, commerce, seed=7).write(rows=1000)
            yield Setup(request.param, {**login, "port": server.port}, folder, query_of(connection))
            query_of(connection)(f"DROP SCHEMA {commerce.schema}{' CASCADE' if request.param == 'postgresql' else ''}")
    finally:
        if request.param == "postgresql":
            server.stop()


def test_sides_that_are_equal_are_said_to_be(setup: Setup, capsys: pytest.CaptureFixture[str]) -> None:
    assert setup.validate("--rows", "2") == 0
    said = capsys.readouterr().out
    assert "3 of 3 tables are equal, value by value." in said
    assert said.count("both") == 6
    assert "513" in said
    assert setup.validate("--table", "sales.clients", "--rows", "0", "--format", "json") == 0
    [found] = json.loads(capsys.readouterr().out)
    assert (found["table"], found["rows_source"], found["equal"], found["first_rows"]) == (
        "sales.clients",
        100,
        True,
        [],
    )


def test_what_differs_is_told_with_its_rows(setup: Setup, capsys: pytest.CaptureFixture[str]) -> None:
    setup.query("UPDATE sales.sales_people SET region = 'a|b' WHERE id = 2")
    setup.query("DELETE FROM sales.sales_people WHERE id = 1")
    setup.query("INSERT INTO sales.sales_people VALUES (99, 'New', 'north', '2026-01-01', 0.25)")
    try:
        assert setup.validate("--rows", "3") == 1
        said = capsys.readouterr().out
        assert "id=1: only in the target" in said
        assert "id=99: missing in the target" in said
        assert "2 of 3 tables are equal" in said

        only = ("--table", "sales.sales_people", "--rows", "3")
        assert setup.validate(*only, "--format", "json") == 1
        [found] = json.loads(capsys.readouterr().out)
        assert (found["missing"], found["extra"], found["different"]) == (1, 1, 1)
        told = [(each["finding"], each["key"]["id"]) for each in found["differences"]]
        assert told == [("extra", "1"), ("different", "2"), ("missing", "99")]
        first, second, third = found["first_rows"]
        assert first["source"] is None
        assert first["target"]["id"] == "1"
        assert second["source"]["region"] == "a|b" != second["target"]["region"]
        assert third["source"] == third["target"]

        assert setup.validate(*only, "--format", "markdown") == 1
        lines = capsys.readouterr().out.splitlines()
        assert lines[0].startswith("| table | source | target |")
        assert any(line.startswith("| source | 2 |") and r"a\|b" in line for line in lines)
    finally:
        setup.query("UPDATE sales.sales_people SET region = 'x' WHERE id = 2")


def test_a_table_that_the_source_lacks_is_told_of(setup: Setup, capsys: pytest.CaptureFixture[str]) -> None:
    tables = setup.tables.with_name("more.json")
    tables.write_text(setup.tables.read_text().replace("sales.clients", "sales.nowhere"))
    code = run(["validate", "--url", setup.url, "--lake", str(setup.lake), "--tables", str(tables), "--format", "json"])
    found = {each["table"]: each for each in json.loads(capsys.readouterr().out)}
    assert code == 1
    assert found["sales.nowhere"]["problem"] == "the source has no table sales.nowhere"
    assert found["sales.sales_items"]["equal"]


def test_the_settings_name_the_tables_where_no_file_does(setup: Setup, capsys: pytest.CaptureFixture[str]) -> None:
    """The lake lacks one of them."""
    assert (
        run(["validate", "sales", "--env", "dev", "--url", setup.url, "--lake", str(setup.lake), "--format", "json"])
        == 1
    )
    found = {each["table"]: each for each in json.loads(capsys.readouterr().out)}
    assert found["sales.clients"]["equal"]
    assert found["sales.products"]["missing"] == found["sales.products"]["rows_source"] == 40
