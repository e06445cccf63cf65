"""SourceAlarms."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk.aws_cloudwatch import GraphWidget, IWidget
from aws_cdk.aws_sns import ITopic
from constructs import Construct

from catchment_constructs.watched import metric, watch


class SourceAlarms(Construct):
    """A source's DMS task: how far reading is behind the database, writing behind reading, and tables left behind.

    Example: ``SourceAlarms(self, "Sales", topic=topic, source="sales", instance=…, task=…, …).widgets``
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        topic: ITopic,
        source: str,
        instance: str,
        task: str,
        namespace: str,
        source_latency_minutes: int,
        target_latency_minutes: int,
    ) -> None:
        super().__init__(scope, construct_id)
        of_task = {"ReplicationInstanceIdentifier": instance, "ReplicationTaskIdentifier": task}
        reading = metric("AWS/DMS", "CDCLatencySource", of_task, "Maximum")
        writing = metric("AWS/DMS", "CDCLatencyTarget", of_task, "Maximum")
        watch(
            self,
            "SourceLatency",
            topic=topic,
            metric=reading,
            above=60 * source_latency_minutes,
            periods=2,
            description=f"{source}: DMS reads changes later than it may.",
        )
        watch(
            self,
            "TargetLatency",
            topic=topic,
            metric=writing,
            above=60 * target_latency_minutes,
            periods=2,
            description=f"{source}: DMS writes files later than it may.",
        )
        in_error = metric(namespace, "TablesInError", {"source": source}, "Maximum")
        watch(
            self,
            "TablesInError",
            topic=topic,
            metric=in_error,
            above=0,
            description=f"{source}: DMS has suspended a table; the others go on. The log of the function TableStates "
            "names it. Mend the cause and load the table again: docs/reload.md.",
        )
        self.widgets: Sequence[IWidget] = [
            GraphWidget(title=f"{source}: seconds DMS is behind", left=[reading, writing], width=12),
            GraphWidget(
                title=f"{source}: changes read by DMS",
                left=[metric("AWS/DMS", "CDCIncomingChanges", of_task, "Maximum")],
                width=12,
            ),
            GraphWidget(
                title=f"{source}: tables suspended or loading",
                left=[in_error, metric(namespace, "TablesLoading", {"source": source}, "Maximum")],
                width=12,
            ),
        ]
