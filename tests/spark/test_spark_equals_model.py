"""The Spark engine is held to the conformance suite, and takes turns with the other engine on one table.

Scope: catchment.spark on real Spark and Delta, from landing files to tables read back by independent readers.
"""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catchment.apply import Account, apply_table
from tests.conformance.deliveries import Delivery
from tests.conformance.engines import Engine
from tests.conformance.histories import History
from tests.conformance.readers import canonical
from tests.conformance.table import FORMS, Form, Table
from tests.conformance.test_table_equals_model import budgets, cases, check

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

from catchment.apply import Budget


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(case=cases, form=st.sampled_from(FORMS), budget=budgets)
def test_spark_equals_the_model_after_every_delivery(
    on_spark: Engine, case: tuple[History, Delivery], form: Form, budget: Budget
) -> None:
    check(on_spark, *case, form, budget)


@pytest.mark.slow
@pytest.mark.timeout(3000)
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(case=cases, form=st.sampled_from(FORMS), budget=budgets)
def test_spark_equals_the_model_for_many_more_histories(
    on_spark: Engine, case: tuple[History, Delivery], form: Form, budget: Budget
) -> None:
    check(on_spark, *case, form, budget)


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(case=cases, form=st.sampled_from(FORMS), first=st.booleans())
def test_engines_take_turns_on_one_table(
    spark: SparkSession, on_spark: Engine, case: tuple[History, Delivery], form: Form, first: bool
) -> None:
    turns = itertools.cycle([on_spark.apply, apply_table] if first else [apply_table, on_spark.apply])

    def apply(**said: object) -> Account:
        return next(turns)(**said)

    history, delivery = case
    with tempfile.TemporaryDirectory() as folder:
        table = Table(Path(folder), Engine("in turns", apply), history.shape, form)
        for step in delivery.steps:
            landed = sum(table.land(file) for file in step)
            table.check_account(table.apply(), landed)
            table.check_rows()
        table.check_log()
        columns = list(history.shape.key)
        seen = spark.read.format("delta").load(str(table.path)).select(*columns).collect()
        assert canonical((row.asDict() for row in seen), columns) == [row[: len(columns)] for row in table.expected()]
