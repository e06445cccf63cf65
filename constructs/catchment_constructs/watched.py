"""Watcher: alarms, in the one form that all of them have here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk.aws_cloudwatch import Alarm, ComparisonOperator, IMetric, MathExpression, Metric, TreatMissingData
from aws_cdk.aws_cloudwatch_actions import SnsAction
from aws_cdk.aws_sns import ITopic
from constructs import Construct

PERIOD = Duration.minutes(5)
NO_TROUBLE = TreatMissingData.NOT_BREACHING
"""For what is written only when something happens: no calls, no messages, no failures."""
UNKNOWN = TreatMissingData.MISSING
"""For what is written all the time: silence says nothing of it, and is another alarm's matter."""
TROUBLE = TreatMissingData.BREACHING
"""Where silence itself is what somebody has to be told of."""


@dataclass(frozen=True, kw_only=True)
class Watcher:
    """Makes alarms that tell ``topic``; ``name`` begins all their names, ``runbooks`` is where their pages are.

    Example: ``Watcher(topic=topic, name="catchment-dev").alarm(self, "dead-letters", metric=given_up, above=0, …)``
    """

    topic: ITopic
    name: str
    runbooks: str = "docs/runbooks"

    def alarm(
        self,
        scope: Construct,
        kind: str,
        *,
        says: str,
        metric: IMetric,
        above: float | None = None,
        below: float | None = None,
        of: str = "",
        periods: int = 1,
        missing: TreatMissingData = NO_TROUBLE,
        page: str | None = None,
    ) -> Alarm:
        """Tell when the metric is above or below a threshold in ``periods`` periods running.

        ``of`` says which of several things it is about; ``page`` is the runbook, where it is not named after ``kind``.
        """
        threshold = above if above is not None else below
        assert threshold is not None, "an alarm is above something or below"
        alarm = Alarm(
            scope,
            kind,
            alarm_name=" ".join(part for part in (self.name, of, kind) if part),
            metric=metric,
            threshold=threshold,
            comparison_operator=(
                ComparisonOperator.GREATER_THAN_THRESHOLD
                if above is not None
                else ComparisonOperator.LESS_THAN_THRESHOLD
            ),
            evaluation_periods=periods,
            treat_missing_data=missing,
            alarm_description=f"{says} {self.what_to_do(page or kind)}",
        )
        # Not told when all is well again: every alarm is, when it is made.
        alarm.add_alarm_action(SnsAction(self.topic))
        return alarm

    def what_to_do(self, page: str) -> str:
        """Where to read on."""
        return f"What to do: {self.runbooks}/{page}.md"


def metric(namespace: str, name: str, dimensions: Mapping[str, str], statistic: str) -> Metric:
    """A metric by its full name, over five minutes."""
    return Metric(
        namespace=namespace,
        metric_name=name,
        dimensions_map=dict(dimensions),
        statistic=statistic,
        period=PERIOD,
    )


def math(expression: str, label: str, **metrics: IMetric) -> MathExpression:
    """An expression of metrics by their names in it, over five minutes."""
    return MathExpression(expression=expression, label=label, using_metrics=metrics, period=PERIOD)
