"""CloudWatch: alarms with metric math, their states, and the metrics of services that tell them at intervals."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import cloudwatch, lambda_svc, s3, sqs
from ministack.services.cloudformation import provisioners

from local.aws.account import ACCOUNT, REGION
from local.aws.ministack_seam.topics import may_publish
from local.aws.monitoring.alarm import Alarm, Metric, Sample
from local.aws.monitoring.evaluation import State

logger = logging.getLogger("local.aws")

ACTIONS: dict[State, str] = {
    "ALARM": "AlarmActions",
    "OK": "OKActions",
    "INSUFFICIENT_DATA": "InsufficientDataActions",
}


def evaluate_alarms_ourselves() -> None:
    """Take alarms of metric math as well; have ministack evaluate none: it looks at a metric's name alone."""
    record = provisioners._cw_metric_alarm_record

    def with_math(name: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        Alarm.of(properties)
        queries = properties.get("Metrics")
        if not queries:
            return dict(record(name, properties))
        stand_in = {**properties, "Metrics": None, "MetricName": "-", "Namespace": "-"}
        made = record(name, stand_in)
        unused = ("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Period", "Dimensions", "Unit")
        kept = {field: value for field, value in made.items() if field not in unused}
        return {**kept, "Metrics": [_typed(query) for query in queries]}

    provisioners._cw_metric_alarm_record = with_math
    cloudwatch._evaluate_alarm = lambda alarm: None
    # ministack counts only what the Lambda API is asked directly; ours counts each call
    lambda_svc._emit_lambda_metrics = _count_throttles


def _typed(query: Mapping[str, Any]) -> dict[str, Any]:
    """A template may say numbers and truth values as text."""
    typed = {**query, "ReturnData": query.get("ReturnData", True) in (True, "true")}
    if "MetricStat" in typed:
        typed["MetricStat"] = {**typed["MetricStat"], "Period": int(typed["MetricStat"]["Period"])}
    return typed


def read_samples(metric: Metric, since: float) -> Sequence[Sample]:
    """What was put under a metric for the time after ``since``, in seconds since the epoch."""
    with request_scope(ACCOUNT, REGION):
        points = cloudwatch._metrics.get(_key(metric)) or []
    samples = []
    for point in [each for each in list(points) if each["Timestamp"] > since]:
        count, total, least, most = cloudwatch._point_stats(point)
        if count:
            samples.append(Sample(point["Timestamp"], count, total, least, most))
    return samples


def put_samples(pairs: Iterable[tuple[Metric, Sample]]) -> None:
    """Put single values."""
    with request_scope(ACCOUNT, REGION):
        for metric, sample in pairs:
            cloudwatch._metric_bucket(_key(metric)).append(
                {
                    "Timestamp": sample.time,
                    "Value": sample.sum,
                    "Unit": "None",
                    "Dimensions": dict(metric.dimensions),
                }
            )


def _key(metric: Metric) -> tuple[str, str, str]:
    return metric.namespace, metric.name, cloudwatch._dims_key(dict(metric.dimensions))


def publish_gauges() -> None:
    """Put what SQS and S3 tell of themselves (each its metrics that alarms read)."""
    now = time.time()
    with request_scope(ACCOUNT, REGION):
        queues = list(sqs._queues.values())
        buckets = {name: list(bucket["objects"].values()) for name, bucket in s3._buckets.items()}
    for queue in queues:
        sqs._refresh_counts(queue)
        visible = int(queue["attributes"]["ApproximateNumberOfMessages"])
        ages = [now - message["sent_at"] for message in list(queue["messages"])]
        of_queue = {"QueueName": queue["name"]}
        _put("AWS/SQS", of_queue, now, "ApproximateNumberOfMessagesVisible", visible)
        _put("AWS/SQS", of_queue, now, "ApproximateAgeOfOldestMessage", max(ages, default=0.0))
    for name, objects in buckets.items():
        size = sum(each["size"] for each in objects)
        of_bucket = {"BucketName": name, "StorageType": "StandardStorage"}
        _put("AWS/S3", of_bucket, now, "BucketSizeBytes", size)


def count_call(function: str, *, seconds: float, failed: bool) -> None:
    """Put what Lambda tells of a call."""
    now, of_function = time.time(), {"FunctionName": function}
    _put("AWS/Lambda", of_function, now, "Invocations", 1)
    _put("AWS/Lambda", of_function, now, "Errors", int(failed))
    _put("AWS/Lambda", of_function, now, "Throttles", 0)
    _put("AWS/Lambda", of_function, now, "Duration", 1000 * seconds)


def _count_throttles(name: str, duration_ms: float, error: bool, throttle: bool) -> None:
    if throttle:
        _put("AWS/Lambda", {"FunctionName": name}, time.time(), "Throttles", 1)


def _put(namespace: str, dimensions: Mapping[str, str], now: float, name: str, value: float) -> None:
    metric = Metric(namespace, name, tuple(sorted(dimensions.items())))
    put_samples([(metric, Sample(now, 1.0, float(value), float(value), float(value)))])


class StackAlarms:
    """The alarms of the account."""

    def all(self) -> list[tuple[str, Mapping[str, Any], State]]:
        """Name, properties and state of each."""
        with request_scope(ACCOUNT, REGION):
            return [(name, alarm, alarm["StateValue"]) for name, alarm in cloudwatch._alarms.items()]

    def change(self, name: str, state: State, reason: str) -> None:
        """Give an alarm another state, and tell its topics: those whose policy and key let CloudWatch."""
        with request_scope(ACCOUNT, REGION):
            alarm = cloudwatch._alarms.get(name)
            if alarm is None:  # deleted since it was looked at
                return
            before = alarm["StateValue"]
            alarm.update(StateValue=state, StateReason=reason, StateUpdatedTimestamp=int(time.time()))
            cloudwatch._record_history(name, before, state, reason)
            reached = [topic for topic in alarm[ACTIONS[state]] if _reaches(alarm, topic)]
            cloudwatch._dispatch_alarm_actions({**alarm, ACTIONS[state]: reached}, before, state, reason)


def _reaches(alarm: Mapping[str, Any], topic: str) -> bool:
    refusal = may_publish(topic, "cloudwatch.amazonaws.com", alarm["AlarmArn"])
    if refusal is not None:
        # as on AWS, where it is written into the alarm's history
        logger.error("alarm %s cannot tell %s: %s", alarm["AlarmName"], topic, refusal)
    return refusal is None
