"""An alarm as it is deployed: what it reads, and the datapoints that makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.aws.monitoring.evaluation import COMPARISONS, Rule
from local.aws.monitoring.expressions import Expression

STATISTICS = ("SampleCount", "Sum", "Average", "Minimum", "Maximum")
MINUTE = 60.0


@dataclass(frozen=True)
class Sample:
    """What was put at one time (seconds since the epoch): a value, or the statistics of several."""

    time: float
    count: float
    sum: float
    minimum: float
    maximum: float


@dataclass(frozen=True)
class Metric:
    """A metric's full name; ``dimensions`` are pairs of name and value in order of names."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Query:
    """One metric as an alarm reads it: a statistic over periods of some seconds."""

    metric: Metric
    statistic: str
    period: float


Read = Callable[[Metric, float], Sequence[Sample]]
"""What was put under a metric from some time on."""


@dataclass(frozen=True)
class Alarm:
    """``queries`` and ``expressions`` by id; the datapoints of ``returned`` are what is compared."""

    rule: Rule
    queries: Mapping[str, Query]
    expressions: Mapping[str, Expression]
    returned: str

    @classmethod
    def of(cls, properties: Mapping[str, Any]) -> Alarm:
        """From the properties of AWS::CloudWatch::Alarm. Raises ValueError for what is not emulated."""
        comparison = properties["ComparisonOperator"]
        if comparison not in COMPARISONS:
            raise ValueError(f"the comparison {comparison} of an alarm is not emulated")
        periods = int(properties["EvaluationPeriods"])
        rule = Rule(
            comparison=comparison,
            threshold=float(properties["Threshold"]),
            periods=periods,
            datapoints=int(properties.get("DatapointsToAlarm") or periods),
            missing=properties.get("TreatMissingData") or "missing",
        )
        if not properties.get("Metrics"):
            return cls(rule, {"m": _query(properties, properties)}, {}, "m")
        parts = {part["Id"]: part for part in properties["Metrics"]}
        stats = {name: part["MetricStat"] for name, part in parts.items() if "MetricStat" in part}
        expressions = {name: Expression(part["Expression"]) for name, part in parts.items() if "Expression" in part}
        (returned,) = [name for name, part in parts.items() if part.get("ReturnData", True) in (True, "true")]
        queries = {name: _query(stat["Metric"], stat) for name, stat in stats.items()}
        return cls(rule, queries, expressions, returned)

    def series(self, read: Read, now: float, minute: float = MINUTE) -> list[float | None]:
        """The datapoints of the evaluation range up to ``now``, oldest first. A minute may last less than 60 s."""
        known: dict[str, list[float | None]] = {
            name: _datapoints(read, query, self.rule.range, now, minute) for name, query in self.queries.items()
        }
        waiting = dict(self.expressions)
        while waiting:
            ready = next(name for name, expression in waiting.items() if expression.names <= known.keys())
            known[ready] = waiting.pop(ready).over(known)
        return known[self.returned]


def _query(metric: Mapping[str, Any], stat: Mapping[str, Any]) -> Query:
    statistic = stat.get("Stat") or stat.get("ExtendedStatistic") or stat.get("Statistic") or "Average"
    if statistic not in STATISTICS:
        raise ValueError(f"the statistic {statistic} of an alarm is not emulated")
    dimensions = {each["Name"]: each["Value"] for each in metric.get("Dimensions") or []}
    name = Metric(metric["Namespace"], metric["MetricName"], tuple(sorted(dimensions.items())))
    return Query(name, statistic, float(stat["Period"]))


def _datapoints(read: Read, query: Query, most: int, now: float, minute: float) -> list[float | None]:
    length = query.period * minute / MINUTE
    windows: list[list[Sample]] = [[] for _ in range(most)]
    for sample in read(query.metric, now - most * length):
        age = int((now - sample.time) // length)
        if 0 <= age < most:
            windows[most - 1 - age].append(sample)
    return [_statistic(window, query.statistic) if window else None for window in windows]


def _statistic(samples: Sequence[Sample], statistic: str) -> float:
    count, total = sum(sample.count for sample in samples), sum(sample.sum for sample in samples)
    match statistic:
        case "SampleCount":
            return count
        case "Sum":
            return total
        case "Average":
            return total / count
        case "Minimum":
            return min(sample.minimum for sample in samples)
        case _:
            return max(sample.maximum for sample in samples)
