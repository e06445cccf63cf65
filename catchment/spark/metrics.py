"""The Spark job's metrics: the same as the function's, put by CloudWatch's API, as a job's log is not read for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import boto3

from catchment.apply.measures import Measures


def put_measures(namespace: str, source: str, table: str, measures: Measures) -> None:
    """Put the values of the source, and those of the table. Raises botocore's ClientError."""
    of_source = {"source": source}
    data = [_datum(name, value, of_source) for name, value in measures.of_source.items()]
    data += [_datum(name, value, {**of_source, "table": table}) for name, value in measures.of_table.items()]
    cloudwatch: Any = boto3.client("cloudwatch")
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)


def _datum(name: str, value: float, dimensions: Mapping[str, str]) -> dict[str, object]:
    return {
        "MetricName": name,
        "Dimensions": [{"Name": each, "Value": of} for each, of in dimensions.items()],
        "Value": value,
        "Unit": "Seconds" if name.endswith("Seconds") else "Count",
    }
