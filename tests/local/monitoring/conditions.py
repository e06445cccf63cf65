"""What each kind of alarm is about, brought about on a deployment: for real, or by its metric alone."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql

from lambda_src.pokes import Poke
from local.aws.monitoring.alarm import Alarm
from tests.local.monitoring.deployment import MINUTE, Deployment

Until = Callable[..., Any]

BROKEN = Poke("sales", "hard", "order")
LATE = timedelta(minutes=20)

DIRECT: Mapping[str, Mapping[str, float]] = {
    "database-storage": {"FreeStorageSpace": 1e9},
    "log-headroom": {"LogHeadroomPercent": 3},
    "log-retained": {"LogRetainedBytes": 1e12},
    "queue-age": {"ApproximateAgeOfOldestMessage": 901},
    "replication-cpu": {"CPUUtilization": 99},
    "replication-memory": {"FreeableMemory": 1e8},
    "replication-storage": {"FreeStorageSpace": 1e9},
    "slow-calls": {"Duration": 27_001},
    "source-latency": {"CDCLatencySource": 301},
    "target-latency": {"CDCLatencyTarget": 301},
    "throttles": {"Throttles": 1},
    "throughput": {"CDCThroughputRowsTarget": 0, "CDCIncomingChanges": 1e6, "TablesLoading": 0},
    "zone-size": {"BucketSizeBytes": 2e12},
}
"""The metrics put in directly, by kind: a database that fills up, a quarter of an hour, a terabyte."""


def put(deployment: Deployment, alarm: Mapping[str, Any], values: Mapping[str, float]) -> None:
    """Put the values of an alarm's metrics into each of the periods it looks at, up to now."""
    definition = Alarm.of(alarm)
    now = time.time()
    for query in definition.queries.values():
        metric = query.metric
        length = query.period * MINUTE / 60
        data = [
            {
                "MetricName": metric.name,
                "Dimensions": [{"Name": name, "Value": value} for name, value in metric.dimensions],
                "Value": values[metric.name],
                "Timestamp": now - (period + 0.5) * length,
            }
            for period in range(definition.rule.periods)
        ]
        deployment.client("cloudwatch").put_metric_data(Namespace=metric.namespace, MetricData=data)


def quarantine_a_file(deployment: Deployment) -> None:
    """A file lands that is no Parquet."""
    land(deployment, "sales/clients", datetime.now(UTC))


def suspend_a_table(deployment: Deployment, until: Until) -> None:
    """DMS meets a value that it cannot carry."""
    change(deployment, sql.SQL("INSERT INTO hard.every_type (id, c_numeric) VALUES (100001, 1e22)"))
    until(lambda: deployment.look()[0]["sales"]["TablesInError"] == 1, "the suspension")


def fail_functions(deployment: Deployment) -> None:
    """The functions are handed what they cannot take."""
    for function in ("ApplyFunction", "SweepFunction", "AgentFunction"):
        assert deployment.invoke(deployment.outputs[function], [])[1] == "Unhandled"


def let_tables_wait(deployment: Deployment, tables: list[str]) -> None:
    """Nobody applies what lands, and the oldest file is older than it may be."""
    deployment.switch_applier(on=False)
    for table in tables:
        land(deployment, table.replace(".", "/", 1), datetime.now(UTC) - LATE)
    deployment.look()


def break_a_table(deployment: Deployment) -> None:
    """Somebody writes into a table's log what is no commit."""
    log = f"sales/{BROKEN.schema}/{BROKEN.table}/_delta_log/"
    bucket = deployment.outputs["SilverBucket"]
    s3 = deployment.client("s3")
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket, Prefix=log)["Contents"]]
    newest = max(int(key.removeprefix(log)[:20]) for key in keys if key.endswith(".json"))
    s3.put_object(Bucket=bucket, Key=f"{log}{newest + 1:020}.json", Body=b"no commit")
    deployment.switch_applier(on=True)


def poke_the_broken_table(deployment: Deployment) -> None:
    """It is to be brought up to date once more; and looked at."""
    deployment.client("sqs").send_message(QueueUrl=deployment.outputs["QueueUrl"], MessageBody=BROKEN.message())


def stop_the_task(deployment: Deployment) -> None:
    """Somebody stops the replication task."""
    deployment.client("dms").stop_replication_task(ReplicationTaskArn=deployment.outputs["salesTaskArn"])


def fail_the_task(deployment: Deployment, until: Until) -> None:
    """The task runs again, and meets a TRUNCATE."""
    dms, arn = deployment.client("dms"), deployment.outputs["salesTaskArn"]
    until(lambda: deployment.task_status() == "stopped", "the task to stop")
    dms.start_replication_task(ReplicationTaskArn=arn, StartReplicationTaskType="resume-processing")
    until(lambda: deployment.task_status() == "running", "the task to run")
    change(deployment, sql.SQL("TRUNCATE hard.text_key"))
    until(lambda: deployment.task_status() == "failed", "the task to fail")


def fail_a_job(deployment: Deployment) -> None:
    """A run of the Spark job is started without its arguments."""
    deployment.client("glue").start_job_run(JobName=deployment.outputs["SparkJob"])


def land(deployment: Deployment, table: str, begun: datetime) -> None:
    """Put a change file of a table (``schema/table``) that is no Parquet into the landing zone."""
    name = f"{begun:%Y%m%d-%H%M%S}{begun.microsecond // 1000:03}"
    key = f"sales/{table}/{begun:%Y/%m/%d}/{name}.parquet"
    deployment.client("s3").put_object(Bucket=deployment.outputs["LandingBucket"], Key=key, Body=b"no Parquet")


def change(deployment: Deployment, statement: sql.SQL) -> None:
    """Change the source."""
    with psycopg.connect(deployment.dsn) as connection:
        connection.execute(statement)


def told(deployment: Deployment, words: str) -> list[str]:
    """The messages with these words."""
    return [each["Message"] for each in deployment.messages() if words in json.dumps(each)]
