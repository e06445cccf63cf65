"""Scope: the rows of sample systems: the same whatever their number, each within its column, each parent there."""

from datetime import date, datetime
from decimal import Decimal
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catchment.samples.columns import FEWEST
from catchment.samples.commerce import ADDRESSES, CLIENTS, commerce
from catchment.samples.people import people
from catchment.samples.tables import BATCH_ROWS, SampleSystem, SampleTable

SYSTEMS = {"commerce": commerce, "people": people}
TABLES = [pytest.param(table, id=table.name) for system in SYSTEMS.values() for table in system.tables]
PARENTS = {"client_id": "clients", "sales_person_id": "sales_people", "product_id": "products", "sale_id": "sales"}
LARGEST = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}


def rows(table: SampleTable, seed: int, first: int, last: int) -> list[tuple[object, ...]]:
    return list(chain.from_iterable(zip(*values, strict=True) for _, values in table.batches(seed, first, last)))


@pytest.mark.parametrize("table", TABLES)
@given(seed=st.integers(0, 2**40), cut=st.integers(1, 400), more=st.integers(0, 400))
@settings(max_examples=10, deadline=None)
def test_a_row_is_the_same_however_many_there_are_and_wherever_a_call_goes_on(
    table: SampleTable, seed: int, cut: int, more: int
) -> None:
    whole = rows(table, seed, 1, cut + more)
    assert rows(table, seed, 1, cut) + rows(table, seed, cut + 1, cut + more) == whole
    keys = [tuple(row[[c.name for c in table.columns].index(name)] for name in table.key) for row in whole]
    assert len(set(keys)) == len(whole) == cut + more


@pytest.mark.parametrize("table", TABLES)
def test_rows_go_on_across_batches(table: SampleTable) -> None:
    across = rows(table, 7, BATCH_ROWS - 3, BATCH_ROWS + 3)
    assert across == rows(table, 7, 1, BATCH_ROWS + 3)[-7:]


@pytest.mark.parametrize("table", TABLES)
def test_values_fit_their_columns(table: SampleTable) -> None:
    made = rows(table, 7, 1, 3000)
    for column, values in zip(table.columns, zip(*made, strict=True), strict=True):
        assert column.nullable or None not in values, column.name
        kind, _, arguments = column.type.rstrip(")").partition("(")
        for value in values:
            assert value is None or fits(kind, arguments, value), (column.name, value)


def fits(kind: str, arguments: str, value: object) -> bool:
    match kind, value:
        case ("varchar" | "char", str(text)):
            return len(text) <= int(arguments)
        case ("text" | "jsonb", str()) | ("boolean", bool()) | ("real" | "double precision", float()):
            return True
        case ("numeric", Decimal() as number):
            precision, scale = map(int, arguments.split(","))
            return number.as_tuple().exponent == -scale and abs(number) < 10 ** (precision - scale)
        case ("timestamp" | "timestamptz", datetime() as moment):
            return (moment.tzinfo is not None) == (kind == "timestamptz")
        case ("date", date()):
            return True
        case ("smallint" | "integer" | "bigint", int(number)):
            return 0 <= number <= LARGEST[kind]
    return False


@pytest.mark.parametrize("size", [0, 100, 1000, 10_000, 40_123])
def test_every_parent_is_there(size: int) -> None:
    counts = commerce.row_counts(size)
    for table in commerce.tables:
        made = rows(table, 7, 1, counts[table.name])
        for place, column in enumerate(table.columns):
            if column.name in PARENTS:
                named = {row[place] for row in made} - {None}
                assert named <= set(range(1, counts[PARENTS[column.name]] + 1)), (table.name, column.name)


@pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS)
def test_rows_add_up_to_the_size_that_was_asked_for(system: SampleSystem) -> None:
    for size in (50_000, 500_000):
        assert sum(system.row_counts(size).values()) == pytest.approx(size, rel=0.01)
    assert set(system.row_counts(0).values()) == {FEWEST}


def test_another_seed_makes_other_rows_and_the_rare_cases_are_there() -> None:
    [clients] = [table for table in commerce.tables if table.name == "clients"]
    made = rows(clients, 7, 1, 5000)
    assert made != rows(clients, 8, 1, 5000)
    by_name = dict(zip([column.name for column in clients.columns], map(set, zip(*made, strict=True)), strict=True))
    assert {None, "", 'calls back,\nsays "soon"'} == by_name["notes"]
    assert {None, ""} <= by_name["email"]
    assert by_name["active"] == {True, False}
    assert CLIENTS <= ADDRESSES, "each client has an address to come"
