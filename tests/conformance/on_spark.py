"""Spark in the suite, as an engine and as a reader, where this interpreter has it: one session for the process."""

from __future__ import annotations

import atexit
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from catchment.apply import Account, apply_table

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

HERE = find_spec("pyspark") is not None
_SMALL = {
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


@cache
def session() -> SparkSession:
    """The session, started when first asked for."""
    from catchment.spark.start import start_spark

    started = start_spark("tests", _SMALL)
    started.sparkContext.setLogLevel("ERROR")
    atexit.register(started.stop)
    return started


def apply(**said: Any) -> Account:
    """As apply_table is called."""
    from catchment.spark.engine import spark_engine

    return apply_table(open_engine=spark_engine(session()), **said)


def apply_in_turns(**said: Any) -> Account:
    """The same, where each commit but Spark's own makes it Spark's turn, and each of Spark's the other engine's."""
    commits = sum(1 for _ in said["lake"].list("s/t/_delta_log"))
    return apply_table(**said) if commits % 2 else apply(**said)
