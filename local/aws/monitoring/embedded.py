"""Metrics that functions write into their logs (CloudWatch embedded metric format)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from local.aws.monitoring.alarm import Metric, Sample


def embedded_metrics(log: str) -> Iterator[tuple[Metric, Sample]]:
    """What CloudWatch makes of a log: every metric of every line in the format, once for each set of dimensions."""
    for line in log.splitlines():
        if '"_aws"' not in line:
            continue
        try:
            document = json.loads(line)
        except json.JSONDecodeError:  # a line that speaks of the format, or was cut off when the function was killed
            continue
        if isinstance(document, dict) and isinstance(document.get("_aws"), dict):
            yield from _metrics(document)


def _metrics(document: dict[str, Any]) -> Iterator[tuple[Metric, Sample]]:
    time = float(document["_aws"]["Timestamp"]) / 1000
    for directive in document["_aws"]["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            dimensions = tuple(sorted((name, str(document[name])) for name in names))
            for each in directive["Metrics"]:
                value = document[each["Name"]]
                metric = Metric(directive["Namespace"], each["Name"], dimensions)
                for number in value if isinstance(value, list) else [value]:
                    yield metric, Sample(time, 1.0, float(number), float(number), float(number))
