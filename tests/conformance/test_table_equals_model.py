"""Any history, any split, any order of delivery, any repetition: after every step the table is what the model says.

Scope: an engine from landing files to Delta tables, read back by independent readers.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from catchment.apply import Budget
from tests.conformance.deliveries import Delivery, deliveries
from tests.conformance.engines import Engine
from tests.conformance.histories import History, histories
from tests.conformance.others import HARMLESS
from tests.conformance.table import FORMS, Form, Table

_Case = tuple[History, Delivery]


def cases(engine: Engine) -> st.SearchStrategy[_Case]:
    """Histories that an engine can hold, with an order in which they are delivered."""
    return histories(infinities=engine.infinities).flatmap(
        lambda history: st.tuples(st.just(history), deliveries(history))
    )


budgets = st.sampled_from([1, 2, 500]).map(lambda files: Budget(commit_files=files))


def play(table: Table, history: History, delivery: Delivery, budget: Budget) -> None:
    """Deliver a history step by step, and check everything after each."""
    form = table.form
    for step, between in zip(delivery.steps, delivery.between, strict=True):
        if between and table.engine.delta and table.view.is_there():
            HARMLESS[between](table)
        landed = sum(table.land(file) for file in step)
        named = {table.shaped(file).path for file in step} if delivery.poked else None
        account = table.apply(budget=budget, named=named)
        note(f"{[file.path for file in step]}: {account}")
        table.check_account(account, landed)
        table.check_rows()
        table.view.check_types()
        table.check_repetition(account.version)
    table.check_log()
    headless = form.csv and not form.header  # says NULL of columns that are not there
    if history.final is not None and (form.sequenced or delivery.in_name_order) and not headless:
        table.check_source(dict(history.final), history.kept)


def hold(engine: Engine, examples: int) -> None:
    """Hold an engine to so many histories, or the part of them that its pace allows."""

    @settings(max_examples=engine.examples(examples), deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=cases(engine), form=st.sampled_from(FORMS), budget=budgets)
    def every(case: _Case, form: Form, budget: Budget) -> None:
        with tempfile.TemporaryDirectory() as folder:
            play(Table(Path(folder), engine, case[0].shape, form), *case, budget)

    every()


def test_table_equals_model_after_every_delivery(engine: Engine) -> None:
    hold(engine, 35)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_table_equals_model_for_many_more_histories(engine: Engine) -> None:
    hold(engine, 120)
