"""ApplierAlarms."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk.aws_cloudwatch import GraphWidget, IWidget
from aws_cdk.aws_lambda import IFunction
from aws_cdk.aws_sns import ITopic
from aws_cdk.aws_sqs import IQueue
from constructs import Construct

from catchment_constructs.watched import PERIOD, watch

ALMOST = 0.9
"""The part of its time-out that a call may take before somebody is told."""


class ApplierAlarms(Construct):
    """The applier as a whole: messages given up, messages waiting too long, functions that fail or are throttled.

    Example: ``ApplierAlarms(self, "Applier", topic=topic, function=function, …).widgets``
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        topic: ITopic,
        function: IFunction,
        sweep: IFunction,
        queue: IQueue,
        dead_letters: IQueue,
        max_age_minutes: int,
        timeout_seconds: int,
    ) -> None:
        super().__init__(scope, construct_id)
        given_up = dead_letters.metric_approximate_number_of_messages_visible(period=PERIOD, statistic="Maximum")
        waiting = queue.metric_approximate_age_of_oldest_message(period=PERIOD, statistic="Maximum")
        errors = function.metric_errors(period=PERIOD, statistic="Sum")
        throttles = function.metric_throttles(period=PERIOD, statistic="Sum")
        sweep_errors = sweep.metric_errors(period=PERIOD, statistic="Sum")
        watch(
            self,
            "DeadLetters",
            topic=topic,
            metric=given_up,
            above=0,
            description="A table could not be brought up to date after every attempt; its poke is in the dead letters.",
        )
        watch(
            self,
            "Waiting",
            topic=topic,
            metric=waiting,
            above=60 * max_age_minutes,
            description="A landed file waits longer than it may: the applier does not keep up.",
        )
        watch(self, "Errors", topic=topic, metric=errors, above=0, description="The apply function crashed.")
        watch(
            self,
            "Throttles",
            topic=topic,
            metric=throttles,
            above=0,
            periods=3,
            description="The account's concurrency is used up; the apply function has to wait.",
        )
        watch(
            self,
            "Slow",
            topic=topic,
            metric=function.metric_duration(period=PERIOD, statistic="Maximum"),
            above=ALMOST * 1000 * timeout_seconds,
            description="A call of the apply function took almost as long as it may: commits are too large for it.",
        )
        watch(
            self,
            "SweepErrors",
            topic=topic,
            metric=sweep_errors,
            above=0,
            description="The sweep failed: files whose events were lost stay unseen.",
        )
        self.widgets: Sequence[IWidget] = [
            GraphWidget(title="Waiting for the applier", left=[waiting], right=[given_up], width=12),
            GraphWidget(
                title="Apply function",
                left=[function.metric_duration(period=PERIOD, statistic="p95")],
                right=[errors, throttles],
                width=12,
            ),
        ]
