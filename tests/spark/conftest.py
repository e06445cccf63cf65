"""One Spark session for all tests here. They run in the Spark environment: ``.venv-spark/bin/pytest tests/spark``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conformance import on_spark as spark_of_the_suite
from tests.conformance.engines import ENGINES, Engine

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

if not spark_of_the_suite.HERE:
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def spark() -> SparkSession:
    return spark_of_the_suite.session()


@pytest.fixture(scope="session")
def on_spark() -> Engine:
    """The engine, as the conformance suite takes it."""
    return ENGINES["spark"]
