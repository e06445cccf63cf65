"""SourceDashboard."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk.aws_cloudwatch import Dashboard, GraphWidget, IMetric, IWidget, MathExpression, TextWidget
from constructs import Construct

from catchment_constructs.source_alarms import SourceAlarms
from catchment_constructs.watched import PERIOD, math


class SourceDashboard(Construct):
    """One page for a source and its task: how late it reads and writes, loads, tables, quarantine, the database's log.

    ``source`` gives the metrics; tables appear by themselves, as soon as they have any.

    Example: ``SourceDashboard(self, "Page", name="catchment-dev-sales", title="sales", namespace=…, source=alarms, …)``
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        title: str,
        namespace: str,
        source: SourceAlarms,
        task_arn: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self._namespace, self._title = namespace, title
        dashboard = Dashboard(self, "Dashboard", dashboard_name=name)
        dashboard.add_widgets(TextWidget(markdown=self._links(source, task_arn), width=24, height=4))
        dashboard.add_widgets(*self._replication(source))
        dashboard.add_widgets(*self._lake(source))
        dashboard.add_widgets(*self._tables(source))

    def _replication(self, source: SourceAlarms) -> list[IWidget]:
        return [
            GraphWidget(title="Seconds DMS is late", left=[source.reading, source.writing], width=8),
            GraphWidget(
                title="Changes: rows a second; waiting",
                left=[source.of_dms("CDCThroughputRowsSource", "Average"), source.written],
                right=[source.incoming],
                width=8,
            ),
            GraphWidget(
                title="The database's log: bytes kept for DMS; headroom, percent",
                left=[source.retained],
                right=[source.headroom],
                width=8,
            ),
        ]

    def _lake(self, source: SourceAlarms) -> list[IWidget]:
        applied = source.own("RowsApplied", "Sum")
        rate = math(
            "100 * quarantined / (applied + quarantined)",
            "rows quarantined, percent",
            applied=applied,
            quarantined=source.quarantined,
        )
        return [
            GraphWidget(title="Rows applied; quarantined, percent", left=[applied], right=[rate], width=8),
            GraphWidget(
                title="Seconds a call applied; failures",
                left=[source.own("ApplySeconds", "p95"), source.own("ApplySeconds", "Maximum")],
                right=[source.failures],
                width=8,
            ),
            GraphWidget(
                title="Seconds from source to lake, commit by commit; files waiting",
                left=[source.own("CommitLagSeconds", "p50"), source.own("CommitLagSeconds", "p95")],
                right=[source.own("FilesWaiting", "Maximum")],
                width=8,
            ),
        ]

    def _tables(self, source: SourceAlarms) -> list[IWidget]:
        return [
            GraphWidget(title="Seconds each table is late", left=[self._by_table("LagSeconds", "Maximum")], width=8),
            GraphWidget(
                title="Rows loaded, by table; tables loading, suspended",
                left=[self._by_table("FullLoadRows", "Maximum")],
                right=[source.loading, source.in_error],
                width=8,
            ),
            GraphWidget(
                title="Rows applied, by table; quarantined",
                left=[self._by_table("RowsApplied", "Sum")],
                right=[self._by_table("RowsQuarantined", "Sum")],
                width=8,
            ),
        ]

    def _by_table(self, metric: str, statistic: str) -> IMetric:
        search = f'{{"{self._namespace}",source,table}} MetricName="{metric}" source="{self._title}"'
        return MathExpression(
            expression=f"SEARCH('{search}', '{statistic}')", label="", using_metrics={}, period=PERIOD
        )

    def _links(self, source: SourceAlarms, task_arn: str) -> str:
        region = Stack.of(self).region
        console = f"https://{region}.console.aws.amazon.com/dms/v2/home?region={region}"
        task = source.of_task.get("ReplicationTaskIdentifier")
        if task is None:
            page, named = f"{console}#serverlessReplications", f"--replication-config-arn {task_arn}"
            resume = f"start-replication {named} --start-replication-type resume-processing"
            tables = f"describe-replication-table-statistics {named}"
        else:
            page, named = f"{console}#taskDetails/{task}", f"--replication-task-arn {task_arn}"
            resume = f"start-replication-task {named} --start-replication-task-type resume-processing"
            tables = f"describe-table-statistics {named}"
        return "\n".join(
            (
                f"**{self._title}** · [its task]({page})",
                "",
                f"Have a stopped or failed task go on: `aws dms {resume}`",
                "",
                f"Every table as DMS sees it: `aws dms {tables}`. Load one again: `catchment reload <schema>.<table>`.",
            )
        )
