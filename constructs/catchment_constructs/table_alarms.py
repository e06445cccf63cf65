"""TableAlarms."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk.aws_cloudwatch import GraphWidget, IWidget
from aws_cdk.aws_sns import ITopic
from constructs import Construct

from catchment_constructs.watched import metric, watch


class TableAlarms(Construct):
    """One table of the lake: rows in quarantine, calls that failed, commits that came too late.

    The metrics are the applier's own, with the dimensions ``source`` and ``table``.

    Example: ``TableAlarms(self, "sales.clients", topic=topic, namespace="Catchment", source="sales", …)``
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        topic: ITopic,
        namespace: str,
        source: str,
        table: str,
        lag_minutes: int,
    ) -> None:
        super().__init__(scope, construct_id)
        of_table = {"source": source, "table": table}
        self.applied = metric(namespace, "RowsApplied", of_table, "Sum")
        self.quarantined = metric(namespace, "RowsQuarantined", of_table, "Sum")
        self.lag = metric(namespace, "LagSeconds", of_table, "Maximum")
        watch(
            self,
            "Quarantined",
            topic=topic,
            metric=self.quarantined,
            above=0,
            description=f"{source} {table}: rows could not be applied and lie in quarantine.",
        )
        watch(
            self,
            "Failed",
            topic=topic,
            metric=metric(namespace, "Failures", of_table, "Sum"),
            above=0,
            periods=2,
            description=f"{source} {table}: the table cannot be brought up to date.",
        )
        watch(
            self,
            "Lag",
            topic=topic,
            metric=self.lag,
            above=60 * lag_minutes,
            periods=2,
            description=f"{source} {table}: changes reach the lake later than they may.",
        )

    @staticmethod
    def widgets(tables: Sequence[TableAlarms]) -> list[IWidget]:
        """What the dashboard shows of the tables of a source, side by side."""
        return [
            GraphWidget(
                title="Rows applied, and quarantined",
                left=[each.applied for each in tables],
                right=[each.quarantined for each in tables],
                width=12,
            ),
            GraphWidget(title="Seconds from source to lake", left=[each.lag for each in tables], width=12),
        ]
