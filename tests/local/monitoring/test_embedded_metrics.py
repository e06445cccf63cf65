"""Scope: which metrics a function's log has in it, by the embedded metric format's specification."""

from __future__ import annotations

import json

import pytest
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from local.aws.monitoring.alarm import Metric, Sample
from local.aws.monitoring.embedded import embedded_metrics


def test_what_powertools_writes_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    metrics = EphemeralMetrics(namespace="shop/dev")
    metrics.add_dimension(name="source", value="sales")
    metrics.add_metric(name="Rows", unit=MetricUnit.Count, value=2)
    metrics.add_metric(name="Rows", unit=MetricUnit.Count, value=3)
    metrics.flush_metrics()
    log = f"START RequestId: 1\n{capsys.readouterr().out}END\n"

    found = list(embedded_metrics(log))
    assert {metric for metric, _ in found} == {Metric("shop/dev", "Rows", (("source", "sales"),))}
    assert [sample.sum for _, sample in found] == [2.0, 3.0]


def test_each_set_of_dimensions_is_a_metric_of_its_own_at_the_time_it_says() -> None:
    directive = {"Namespace": "N", "Dimensions": [["b", "a"], []], "Metrics": [{"Name": "M"}]}
    line = json.dumps({"_aws": {"Timestamp": 1500, "CloudWatchMetrics": [directive]}, "a": "1", "b": "2", "M": 7})
    sample = Sample(1.5, 1.0, 7.0, 7.0, 7.0)
    assert list(embedded_metrics(line)) == [
        (Metric("N", "M", (("a", "1"), ("b", "2"))), sample),
        (Metric("N", "M", ()), sample),
    ]


@pytest.mark.parametrize(
    "line", ["", "plain", '{"level": "INFO"}', 'he said "_aws"', '{"_aws": {"Timestamp": 15', '["_aws"]']
)
def test_other_lines_have_no_metrics(line: str) -> None:
    assert list(embedded_metrics(line)) == []
