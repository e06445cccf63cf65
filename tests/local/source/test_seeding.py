"""Scope: sample systems in real databases: the rows are those that were made, once, wherever a call was cut short."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from catchment.engines import engine
from catchment.engines.base import Query, Samples
from catchment.engines.connection import opened
from catchment.engines.statements import query_of
from catchment.engines.trust import Trust
from catchment.errors import SampleRefused
from catchment.samples.commerce import commerce
from catchment.samples.people import people
from catchment.samples.seeding import LEDGER, Seeded, Seeding
from catchment.samples.tables import SampleSystem, SampleTable
from catchment.samples.zoo import SCHEMA, type_zoo
from local.source.mariadb import EmbeddedMariaDb
from local.source.postgres import EmbeddedPostgres

SMALL, ROWS = 400, 25_000


class Source:
    """A database to seed."""

    def __init__(self, connection: Any, samples: Samples) -> None:
        self.connection, self.samples = connection, samples
        self.query: Query = query_of(connection)

    def seed(self, rows: int, seed: int = 7, system: SampleSystem = commerce, **how: Any) -> Seeded:
        return Seeding(self.connection, self.samples, system, seed=seed).write(rows=rows, **how)

    def name(self, table: str, schema: str = commerce.schema) -> str:
        return self.samples.quoted(schema, table)

    def counts(self) -> dict[str, int]:
        return {
            table.name: self.query(f"SELECT count(*) FROM {self.name(table.name)}")[0][0] for table in commerce.tables
        }

    def drop(self) -> None:
        for schema in (commerce.schema, people.schema, SCHEMA):
            self.query(f"DROP SCHEMA IF EXISTS {self.samples.quoted(schema)}{self._with_all}")

    @property
    def _with_all(self) -> str:
        return "" if self.samples is engine("mysql").samples else " CASCADE"


@pytest.fixture(scope="module", params=["postgresql", "mariadb"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Source]:
    login = {"host": "127.0.0.1", "username": "owner", "password": "owner"}
    samples = engine(request.param).samples
    assert samples is not None
    if request.param == "mariadb":
        server: EmbeddedMariaDb = request.getfixturevalue("mariadb")
        with opened(request.param, {**login, "port": server.port}, "mysql", Trust()) as connection:
            yield Source(connection, samples)
        return
    folder = tmp_path_factory.mktemp("seeding")
    with (
        EmbeddedPostgres.start(folder, parameters={}, user="owner", password="owner", database="first") as postgres,
        opened(request.param, {**login, "port": postgres.port}, "first", Trust()) as connection,
    ):
        yield Source(connection, samples)


@pytest.fixture
def source(database: Source) -> Iterator[Source]:
    database.drop()
    yield database
    database.drop()


def made(table: SampleTable, last: int) -> list[tuple[Any, ...]]:
    return [row for _, values in table.batches(7, 1, last) for row in zip(*values, strict=True)]


def as_made(table: SampleTable, row: Sequence[Any]) -> tuple[Any, ...]:
    """A row that was read, in the values that were made."""
    return tuple(_as_made(column.type, value) for column, value in zip(table.columns, row, strict=True))


def _as_made(kind: str, value: Any) -> Any:
    if value is None:
        return None
    match kind.partition("(")[0]:
        case "boolean":
            return bool(value)
        case "char":
            return value.rstrip()
        case "timestamptz":
            moment: datetime = value
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return value


def test_the_rows_are_those_that_were_made(source: Source) -> None:
    assert source.seed(SMALL) == Seeded(dict(commerce.row_counts(SMALL)), done=True)
    for table in commerce.tables:
        # a document is read as one by some drivers, a real is shown with fewer digits than it has by some servers
        columns = [column for column in table.columns if column.type not in ("jsonb", "real")]
        names = ", ".join(source.samples.quoted(column.name) for column in columns)
        order = ", ".join(map(source.samples.quoted, table.key))
        found = source.query(f"SELECT {names} FROM {source.name(table.name)} ORDER BY {order}")
        kept = SampleTable(table.name, tuple(columns), table.key, table.share)
        assert [as_made(kept, row) for row in found] == made(kept, commerce.row_counts(SMALL)[table.name])


def test_documents_are_stored_as_such(source: Source) -> None:
    source.seed(SMALL)
    expression = "JSON_UNQUOTE(JSON_EXTRACT(attributes, '$.colour'))"
    if source.samples is engine("postgresql").samples:
        expression = "attributes ->> 'colour'"
    found = source.query(f"SELECT DISTINCT {expression} FROM {source.name('products')} WHERE attributes IS NOT NULL")
    assert {colour for (colour,) in found} == {"red", "grün", "blue", "black"}


def test_a_second_call_writes_nothing_and_a_bigger_size_the_rest(source: Source) -> None:
    source.seed(SMALL)
    source.query(f"DELETE FROM {source.name('clients')} WHERE id = 3")
    before = source.counts()
    source.seed(SMALL)
    source.seed(SMALL // 2)
    assert source.counts() == before, "what somebody has deleted stays so"
    source.seed(2 * SMALL)
    grown = {name: rows - (name == "clients") for name, rows in commerce.row_counts(2 * SMALL).items()}
    assert source.counts() == grown


def test_a_call_that_was_cut_short_is_gone_on_with(source: Source) -> None:
    calls = 0

    def after_two() -> bool:
        nonlocal calls
        calls += 1
        return calls % 3 == 0

    seen = [source.seed(ROWS, enough=after_two)]
    while not seen[-1].done:
        seen.append(source.seed(ROWS, enough=after_two))
    assert len(seen) > 2
    assert seen[-1].rows == source.counts() == commerce.row_counts(ROWS)


def test_a_batch_that_fails_leaves_nothing_of_it(source: Source) -> None:
    source.seed(SMALL)
    last = commerce.row_counts(SMALL)["clients"]
    source.query(f"UPDATE {source.name('clients')} SET id = %s WHERE id = 1", [last + 5])
    with pytest.raises(Exception, match=r"(?i)duplicate"):
        source.seed(2 * SMALL)
    assert source.counts()["clients"] == last
    [(noted,)] = source.query(f"SELECT written FROM {source.name(LEDGER)} WHERE table_name = 'clients'")
    assert noted == last


class Died(Exception):
    """What ends a call."""


def test_a_call_that_dies_between_rows_and_note_leaves_nothing_of_the_batch(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.seed(SMALL)
    before, insert = source.counts(), source.samples.insert

    def insert_and_die(*arguments: Any) -> None:
        insert(*arguments)
        raise Died

    monkeypatch.setattr(source.samples, "insert", insert_and_die)
    with pytest.raises(Died):
        source.seed(2 * SMALL)
    monkeypatch.undo()
    assert source.counts() == before
    source.seed(2 * SMALL)
    assert source.counts() == commerce.row_counts(2 * SMALL)


def test_tables_of_somebody_else_are_left_alone(source: Source) -> None:
    source.samples.open_schema(source.query, commerce.schema)
    source.query(f"CREATE TABLE {source.name('clients')} (id int)")
    with pytest.raises(SampleRefused, match="clients"):
        source.seed(SMALL)
    assert source.query(f"SELECT * FROM {source.name('clients')}") == []
    source.drop()
    source.seed(SMALL)
    source.query(f"CREATE TABLE {source.name('invoices')} (id int)")
    assert source.seed(SMALL).done, "a table that came later is the user's own matter"
    with pytest.raises(SampleRefused, match="seed 7"):
        source.seed(SMALL, seed=8)


def test_a_table_that_was_noted_and_not_made_is_made(source: Source) -> None:
    source.seed(SMALL)
    source.query(f"UPDATE {source.name(LEDGER)} SET written = 0 WHERE table_name = 'sales_items'")
    source.query(f"DROP TABLE {source.name('sales_items')}")
    source.seed(SMALL)
    assert source.counts() == commerce.row_counts(SMALL)


def test_people_are_made_on_every_engine(source: Source) -> None:
    source.seed(50, system=people)
    [(rows, ages)] = source.query(f"SELECT count(*), count(DISTINCT age) FROM {source.name('people', people.schema)}")
    assert rows == 50
    assert ages > 10


def test_the_zoo_has_every_edge_value(source: Source) -> None:
    """The servers take them all, and hold as many of each column as were given."""
    whole = type_zoo(source.samples.zoo)
    # the embedded PostgreSQL parses no XML and has no extensions
    tables = tuple(table for table in whole.tables if table.name not in ("xml", "extensions"))
    assert source.seed(0, system=replace(whole, tables=tables, setup=())).done
    for table in tables:
        counted = ", ".join(f"count({source.samples.quoted(column.name)})" for column in table.columns)
        [found] = source.query(f"SELECT {counted} FROM {source.name(table.name, SCHEMA)}")
        [(_, values)] = table.batches(7, 1, table.rows or 0)
        assert list(found) == [len([value for value in column if value is not None]) for column in values]
