"""What settings mean in CDK's terms, for every stack alike."""

from __future__ import annotations

from aws_cdk import RemovalPolicy
from aws_cdk.aws_logs import RetentionDays

from catchment.settings import Settings

METRIC_NAMESPACE = "Catchment"
"""CloudWatch namespace of the applier's own metrics."""


def stack_name(settings: Settings, construct_id: str) -> str:
    """A stack's name, for example ``catchment-dev-network``."""
    return f"catchment-{settings.environment}-{construct_id.lower()}"


def tasks_prefix(settings: Settings) -> str:
    """Below it lie the SSM parameters that say which task replicates which source."""
    return f"/catchment/{settings.environment}"


def task_parameter(settings: Settings, source: str) -> str:
    """The SSM parameter that holds the ARN of a source's task."""
    return f"{tasks_prefix(settings)}/{source}/task-arn"


def data_removal(settings: Settings) -> RemovalPolicy:
    """What becomes of data when its stack goes. Destroying takes two settings that agree."""
    if settings.destroy_data and not settings.deletion_protection:
        return RemovalPolicy.DESTROY
    return RemovalPolicy.RETAIN


def log_retention(settings: Settings) -> RetentionDays:
    """The shortest retention CloudWatch Logs offers that keeps logs as long as the settings want."""
    offered = {
        1: RetentionDays.ONE_DAY,
        3: RetentionDays.THREE_DAYS,
        7: RetentionDays.ONE_WEEK,
        14: RetentionDays.TWO_WEEKS,
        30: RetentionDays.ONE_MONTH,
        90: RetentionDays.THREE_MONTHS,
        180: RetentionDays.SIX_MONTHS,
        365: RetentionDays.ONE_YEAR,
        1096: RetentionDays.THREE_YEARS,
        3653: RetentionDays.TEN_YEARS,
    }
    return offered[min(days for days in offered if days >= settings.lake.log_days)]
