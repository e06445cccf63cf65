"""DmsTaskFailures."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk.aws_events import EventPattern, Match, Rule
from aws_cdk.aws_events_targets import SnsTopic
from aws_cdk.aws_sns import ITopic
from constructs import Construct


class DmsTaskFailures(Construct):
    """Tells a topic when a DMS task fails. The key of an encrypted topic has to let EventBridge use it.

    Example: ``DmsTaskFailures(self, "TaskFailures", topic=topic, task_arns=[task.arn])``
    """

    def __init__(self, scope: Construct, construct_id: str, *, topic: ITopic, task_arns: Sequence[str]) -> None:
        super().__init__(scope, construct_id)
        Rule(
            self,
            "Rule",
            description="A replication task failed",
            # By the type's ending: the newest samples in the AWS DMS User Guide leave the event's number out.
            event_pattern=EventPattern(
                source=["aws.dms"],
                detail_type=["DMS Replication Task State Change"],
                resources=list(task_arns),
                detail={"eventType": Match.suffix("FAILED")},
            ),
            targets=[SnsTopic(topic)],
        )
