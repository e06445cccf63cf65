"""SourceAlarms."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk.aws_cloudwatch import GraphWidget, IWidget
from aws_cdk.aws_sns import ITopic
from constructs import Construct

from catchment_constructs.watched import metric, watch


class SourceAlarms(Construct):
    """A source's DMS task: how far reading is behind the database, and writing behind reading.

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
        self.widgets: Sequence[IWidget] = [
            GraphWidget(title=f"{source}: seconds DMS is behind", left=[reading, writing], width=12),
            GraphWidget(
                title=f"{source}: changes read by DMS",
                left=[metric("AWS/DMS", "CDCIncomingChanges", of_task, "Maximum")],
                width=12,
            ),
        ]
