"""One Spark session for all tests here. They run in the Spark environment: ``.venv-spark/bin/pytest tests/spark``."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from catchment.apply import apply_table
from tests.conformance.engines import Engine

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

HERE = find_spec("pyspark") is not None
if not HERE:
    collect_ignore_glob = ["test_*.py"]


def pytest_configure(config: pytest.Config) -> None:
    """The gateway to the JVM leaves its sockets to the garbage collector."""
    if HERE:
        config.addinivalue_line("filterwarnings", "ignore::ResourceWarning")


SMALL = {
    "spark.master": "local[2]",
    "spark.driver.memory": "1g",
    "spark.default.parallelism": "1",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.adaptive.enabled": "false",
    "spark.databricks.delta.snapshotPartitions": "1",
    # a test has few rows: compiling code for them takes longer than reading them
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.driver.extraJavaOptions": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData",
    "spark.sql.ui.retainedExecutions": "1",
}


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    from catchment.spark.start import start_spark

    session = start_spark("tests", SMALL)
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.fixture(scope="session")
def on_spark(spark: SparkSession) -> Engine:
    """The engine, as the conformance suite takes it."""
    from catchment.spark.engine import spark_engine

    return Engine("spark", partial(apply_table, open_engine=spark_engine(spark)))
