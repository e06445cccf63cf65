"""OverviewDashboard."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Duration, Stack
from aws_cdk.aws_cloudwatch import (
    Alarm,
    AlarmStatusWidget,
    Dashboard,
    GraphWidget,
    LogQueryVisualizationType,
    LogQueryWidget,
    Metric,
    TextWidget,
)
from aws_cdk.aws_sqs import IQueue
from constructs import Construct

from catchment_constructs.applier_alarms import ApplierAlarms

MOST_ALARMS = 100
"""What a widget of alarms takes (Amazon CloudWatch User Guide, dashboard body)."""


class OverviewDashboard(Construct):
    """One page for an environment: its alarms, the queue, the functions, what failed last, what it costs, and how to
    run again what failed.

    ``log_group`` is the apply function's. Alarms made later are not on it.

    Example: ``OverviewDashboard(self, "Overview", name="catchment-dev", applier=of_applier, alarms=alarms, …)``
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        applier: ApplierAlarms,
        alarms: Sequence[Alarm],
        dead_letters: IQueue,
        log_group: str,
        job_name: str,
    ) -> None:
        super().__init__(scope, construct_id)
        dashboard = Dashboard(self, "Dashboard", dashboard_name=name)
        dashboard.add_widgets(TextWidget(markdown=self._links(name, dead_letters, job_name), width=24, height=5))
        for start in range(0, len(alarms), MOST_ALARMS):
            shown = alarms[start : start + MOST_ALARMS]
            dashboard.add_widgets(AlarmStatusWidget(title="Alarms", alarms=list(shown), width=24, height=6))
        dashboard.add_widgets(
            GraphWidget(
                title="Oldest message, seconds; messages given up",
                left=[applier.waiting],
                right=[applier.given_up],
                width=8,
            ),
            GraphWidget(
                title="Longest call of the apply function, ms; throttled calls",
                left=[applier.duration],
                right=[applier.throttles],
                width=8,
            ),
            GraphWidget(title="Failed calls, percent", left=[each.rate for each in applier.functions], width=8),
        )
        dashboard.add_widgets(
            LogQueryWidget(
                title="What failed last in the apply function",
                log_group_names=[log_group],
                query_lines=[
                    "fields @timestamp, message, errorType, errorMessage",
                    'filter level = "ERROR"',
                    "limit 20",
                ],
                view=LogQueryVisualizationType.TABLE,
                width=16,
            ),
            GraphWidget(
                title="The account's month so far, dollars (where billing alerts are on)", left=[_spend()], width=8
            ),
        )

    def _links(self, name: str, dead_letters: IQueue, job_name: str) -> str:
        region = Stack.of(self).region
        console = f"https://{region}.console.aws.amazon.com"
        return "\n".join(
            (
                f"**{name}** · [alarms]({console}/cloudwatch/home?region={region}#alarmsV2:?search={name}) · "
                f"[runs of the Spark job]({console}/gluestudio/home?region={region}#/editor/job/{job_name}/runs) · "
                f"[queues]({console}/sqs/v3/home?region={region}#/queues) · "
                f"[costs](https://console.aws.amazon.com/costmanagement/home#/cost-explorer)",
                "",
                "Run again what was given up, once its cause is mended: "
                f"`aws sqs start-message-move-task --source-arn {dead_letters.queue_arn}`",
                "",
                "Load a table again: `catchment reload <schema>.<table>`, docs/reload.md. "
                "What an alarm means and what to do: docs/runbooks/.",
            )
        )


def _spend() -> Metric:
    return Metric(
        namespace="AWS/Billing",
        metric_name="EstimatedCharges",
        dimensions_map={"Currency": "USD"},
        statistic="Maximum",
        period=Duration.hours(6),
        region="us-east-1",  # the only one with this metric
    )
