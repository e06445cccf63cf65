"""An alarm on a metric, in the one form all alarms here have."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk.aws_cloudwatch import Alarm, ComparisonOperator, IMetric, Metric, TreatMissingData
from aws_cdk.aws_cloudwatch_actions import SnsAction
from aws_cdk.aws_sns import ITopic
from constructs import Construct

PERIOD = Duration.minutes(5)


def watch(
    scope: Construct,
    construct_id: str,
    *,
    topic: ITopic,
    metric: IMetric,
    above: float,
    description: str,
    periods: int = 1,
    missing: TreatMissingData = TreatMissingData.NOT_BREACHING,
) -> Alarm:
    """An alarm that tells the topic when the metric is above a threshold in ``periods`` periods running.

    No data is no trouble unless ``missing`` says so: most of these metrics are written only when something happens.
    """
    alarm = Alarm(
        scope,
        construct_id,
        metric=metric,
        threshold=above,
        comparison_operator=ComparisonOperator.GREATER_THAN_THRESHOLD,
        evaluation_periods=periods,
        treat_missing_data=missing,
        alarm_description=description,
    )
    alarm.add_alarm_action(SnsAction(topic))
    return alarm


def metric(namespace: str, name: str, dimensions: dict[str, str], statistic: str) -> Metric:
    """A metric by its full name, over five minutes."""
    return Metric(namespace=namespace, metric_name=name, dimensions_map=dimensions, statistic=statistic, period=PERIOD)
