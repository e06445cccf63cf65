"""Scope: deployed alarms go off and are told, by their own definitions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.local.monitoring.conftest import Deployment


def test_dead_letters_are_told(deployment: Deployment, until: Callable[..., Any]) -> None:
    metrics = {alarm.get("MetricName"): name for name, alarm in deployment.alarms().items()}
    deployment.client("sqs").send_message(QueueUrl=deployment.outputs["DeadLetterUrl"], MessageBody="x")

    until(lambda: metrics["ApproximateNumberOfMessagesVisible"] in deployment.fired(), "the alarm")
