"""ApplierAlarms."""

from __future__ import annotations

import math

from aws_cdk.aws_lambda import IFunction
from aws_cdk.aws_sqs import IQueue
from constructs import Construct

from catchment_constructs.function_alarms import FunctionAlarms
from catchment_constructs.watched import PERIOD, TROUBLE, Watcher

ALMOST = 0.9
"""The part of its time-out that a call may take before somebody is told."""


class ApplierAlarms(Construct):
    """The applier as a whole: messages given up, messages waiting too long, functions that fail, are slow or silent.

    ``observer`` is the function that measures how late tables are: when it is silent, nobody knows. ``agent`` is the
    one beside the databases, where there is one. They are called every so many minutes.

    Example: ``ApplierAlarms(self, "Applier", watcher=watcher, function=function, …).waiting``
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        watcher: Watcher,
        function: IFunction,
        sweep: IFunction,
        observer: IFunction,
        agent: IFunction | None,
        queue: IQueue,
        dead_letters: IQueue,
        max_age_minutes: int,
        timeout_seconds: int,
        error_percent: int,
        every_minutes: int,
        agent_minutes: int,
    ) -> None:
        super().__init__(scope, construct_id)
        self.given_up = dead_letters.metric_approximate_number_of_messages_visible(period=PERIOD, statistic="Maximum")
        self.waiting = queue.metric_approximate_age_of_oldest_message(period=PERIOD, statistic="Maximum")
        self.throttles = function.metric_throttles(period=PERIOD, statistic="Sum")
        self.duration = function.metric_duration(period=PERIOD, statistic="Maximum")
        # SQS writes nothing of a queue that nobody has used for hours: such a queue is empty.
        watcher.alarm(
            self,
            "dead-letters",
            says="A table could not be brought up to date after every attempt; its message is in the dead letters.",
            metric=self.given_up,
            above=0,
        )
        # Twice running: maintenance is held back for up to a quarter of an hour on purpose, and its age counts.
        watcher.alarm(
            self,
            "queue-age",
            says=f"Messages have waited for the apply function for more than {max_age_minutes} minutes.",
            metric=self.waiting,
            above=60 * max_age_minutes,
            periods=2,
        )
        watcher.alarm(
            self,
            "throttles",
            says="The account's concurrency has been used up for a quarter of an hour; the apply function has to wait.",
            metric=self.throttles,
            above=0,
            periods=3,
        )
        watcher.alarm(
            self,
            "slow-calls",
            says=f"A call of the apply function took over {ALMOST:.0%} of the {timeout_seconds} s that it may.",
            metric=self.duration,
            above=ALMOST * 1000 * timeout_seconds,
        )
        self._watch_watcher(watcher, observer, "table-states", "measures how late tables are", every_minutes)
        if agent is not None:
            self._watch_watcher(watcher, agent, "source-agent", "looks at the sources' logs", agent_minutes)
        watched = {"apply": function, "sweep": sweep, "table-states": observer, "source-agent": agent}
        self.functions = [
            FunctionAlarms(self, name, watcher=watcher, function=each, of=name, percent=error_percent)
            for name, each in watched.items()
            if each is not None
        ]

    def _watch_watcher(self, watcher: Watcher, function: IFunction, name: str, does: str, minutes: int) -> None:
        """Tell when a function has missed three of its calls. One without calls writes no metric at all."""
        watcher.alarm(
            Construct(self, name.title().replace("-", "")),
            "watch-silent",
            of=name,
            says=f"The function {name}, which {does} every {minutes} minutes, has missed three of its calls.",
            metric=function.metric_invocations(period=PERIOD, statistic="Sum"),
            below=1,
            periods=3 * max(1, math.ceil(minutes / PERIOD.to_minutes())),
            missing=TROUBLE,
        )
