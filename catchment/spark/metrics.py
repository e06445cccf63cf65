"""The Spark job's metrics: the same as the function's, put by CloudWatch's API, as a job's log is not read for them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from catchment.apply.measures import Measures

LOG = logging.getLogger(__name__)


def put_measures(namespace: str, source: str, table: str, measures: Measures) -> None:
    """Put the values of the source, and those of the table.

    Where CloudWatch does not take them the log says so: the table is done, or has failed of something else.
    """
    of_source = {"source": source}
    data = [_datum(name, value, of_source) for name, value in measures.of_source.items()]
    data += [_datum(name, value, {**of_source, "table": table}) for name, value in measures.of_table.items()]
    cloudwatch: Any = boto3.client("cloudwatch")
    try:
        cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)
    except (BotoCoreError, ClientError):
        LOG.exception("%s %s: what was measured is not in CloudWatch", source, table)


def _datum(name: str, value: float, dimensions: Mapping[str, str]) -> dict[str, object]:
    return {
        "MetricName": name,
        "Dimensions": [{"Name": each, "Value": of} for each, of in dimensions.items()],
        "Value": value,
        "Unit": "Seconds" if name.endswith("Seconds") else "Count",
    }
