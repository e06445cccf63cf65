"""Counts the tables of each source by what DMS says of them.

A table that DMS suspends (a value it cannot carry, a large value that is too long) stays behind while its task runs on,
and CloudWatch has no metric for it. AWS DMS API Reference, DescribeTableStatistics.
"""

from __future__ import annotations

import logging
from os import environ
from typing import Any

import boto3
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

IN_ERROR = ("Table error", "Table cancelled", "Table does not exist", "Error")
LOADING = ("Before load", "Full load", "Table is being reloaded")

_LOG = logging.getLogger(__name__)


def handler(_event: object, _context: object) -> dict[str, dict[str, int]]:
    """Look at every source's task; what was counted, by source. Sources without a task yet are left out."""
    counted = {}
    for source in environ["SOURCES"].split(","):
        arn = _task(f"{environ['TASKS_PREFIX']}/{source}/task-arn")
        if arn is not None:
            counted[source] = _count(source, arn)
    return counted


def _count(source: str, arn: str) -> dict[str, int]:
    """Write the metrics of one source, and name each table that is not as it should be in the log."""
    found = {"TablesInError": 0, "TablesLoading": 0, "Tables": 0}
    pages = boto3.client("dms").get_paginator("describe_table_statistics").paginate(ReplicationTaskArn=arn)
    for line in (line for page in pages for line in page["TableStatistics"]):
        state = line.get("TableState", "")
        found["Tables"] += 1
        found["TablesLoading"] += state in LOADING
        if state in IN_ERROR:
            found["TablesInError"] += 1
            _LOG.error("%s: %s.%s: %s", source, line["SchemaName"], line["TableName"], state)
    metrics = EphemeralMetrics(namespace=environ["METRIC_NAMESPACE"])
    metrics.add_dimension(name="source", value=source)
    for name, value in found.items():
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
    metrics.flush_metrics()
    return found


def _task(parameter: str) -> str | None:
    ssm: Any = boto3.client("ssm")
    try:
        return str(ssm.get_parameter(Name=parameter)["Parameter"]["Value"])
    except ssm.exceptions.ParameterNotFound:
        return None
