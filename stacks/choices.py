"""What settings mean in CDK's terms, for every stack alike."""

from __future__ import annotations

from aws_cdk import App, RemovalPolicy, Stack, Tags
from aws_cdk.aws_iam import ManagedPolicy, PermissionsBoundary
from aws_cdk.aws_logs import RetentionDays

from catchment.settings import Settings

NAME_TAG = "catchment"
"""On every resource that has tags, with what everything of the environment is named after."""


def stack_name(settings: Settings, construct_id: str) -> str:
    """A stack's name, for example ``catchment-dev-network``."""
    return f"{settings.name}-{construct_id.lower()}"


def metric_namespace(settings: Settings) -> str:
    """CloudWatch namespace of the app's own metrics: the environments of an account do not share one."""
    return f"{settings.stack_prefix}/{settings.environment}"


def tasks_prefix(settings: Settings) -> str:
    """Below it lie the SSM parameters that say which task replicates which source."""
    return f"/{settings.stack_prefix}/{settings.environment}"


def task_parameter(settings: Settings, source: str) -> str:
    """The SSM parameter that holds the ARN of a source's task."""
    return f"{tasks_prefix(settings)}/{source}/task-arn"


def held_parameter(settings: Settings, source: str) -> str:
    """The SSM parameter that says what a source's task holds in the source's log."""
    return f"{tasks_prefix(settings)}/{source}/held"


def data_removal(settings: Settings) -> RemovalPolicy:
    """What becomes of data when its stack goes. Destroying takes two settings that agree."""
    if settings.destroy_data and not settings.deletion_protection:
        return RemovalPolicy.DESTROY
    return RemovalPolicy.RETAIN


def database_removal(settings: Settings) -> RemovalPolicy:
    """What becomes of a database when its stack goes: unlike a bucket it can leave a snapshot, which costs less."""
    if settings.deletion_protection:
        return RemovalPolicy.RETAIN
    return RemovalPolicy.DESTROY if settings.destroy_data else RemovalPolicy.SNAPSHOT


def apply_to_all(app: App, settings: Settings) -> None:
    """What holds for every resource of every stack: its tags, and the boundary of what roles may be allowed."""
    for name, value in {NAME_TAG: settings.name, **settings.tags}.items():
        Tags.of(app).add(name, value)
    if settings.permission_boundary_arn is None:
        return
    for stack in app.node.find_all():
        if isinstance(stack, Stack):
            boundary = ManagedPolicy.from_managed_policy_arn(
                stack, "PermissionBoundary", settings.permission_boundary_arn
            )
            PermissionsBoundary.of(stack).apply(boundary)


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
