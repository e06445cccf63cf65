"""Metrics in the function's own log, from which CloudWatch takes them (embedded metric format)."""

from __future__ import annotations

from collections.abc import Mapping

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

UNITS = {"Seconds": MetricUnit.Seconds, "Bytes": MetricUnit.Bytes}
"""Units by what a metric's name contains; all others are counts."""


def write_metrics(namespace: str, dimensions: Mapping[str, str], values: Mapping[str, float]) -> None:
    """Write values by metric name, for one set of dimensions; nothing where there are none.

    A metric costs for each hour in which it is written, so those that are mostly 0 are written when they are not.
    """
    if not values:
        return
    metrics = EphemeralMetrics(namespace=namespace)
    for dimension, of in dimensions.items():
        metrics.add_dimension(name=dimension, value=of)
    for name, value in values.items():
        unit = next((unit for part, unit in UNITS.items() if part in name), MetricUnit.Count)
        metrics.add_metric(name=name, unit=unit, value=value)
    metrics.flush_metrics()
