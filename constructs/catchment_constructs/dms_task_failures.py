"""DmsTaskFailures."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk.aws_events import EventField, EventPattern, Match, Rule, RuleTargetInput
from aws_cdk.aws_events_targets import SnsTopic
from constructs import Construct

from catchment_constructs.watched import Watcher


class DmsTaskFailures(Construct):
    """Tells when a DMS task fails or stops. The key of an encrypted topic has to let EventBridge use it.

    Example: ``DmsTaskFailures(self, "TaskFailures", watcher=watcher, task_arns=[task.arn])``
    """

    def __init__(self, scope: Construct, construct_id: str, *, watcher: Watcher, task_arns: Sequence[str]) -> None:
        super().__init__(scope, construct_id)
        told = (
            f"{watcher.name}: {EventField.from_path('$.detail.eventType')}: "
            f"{EventField.from_path('$.detail.detailMessage')} ({EventField.from_path('$.resources[0]')}). "
            "A deployment that changes a task stops it, and has it go on. "
        )
        Rule(
            self,
            "Rule",
            description="A replication task failed or stopped",
            # By the type's ending: the newest samples in the AWS DMS User Guide leave the event's number out.
            event_pattern=EventPattern(
                source=["aws.dms"],
                # the second is of serverless replications
                detail_type=["DMS Replication Task State Change", "DMS Replication State Change"],
                resources=list(task_arns),
                detail={"eventType": Match.any_of(Match.suffix("FAILED"), Match.suffix("STOPPED"))},
            ),
            targets=[
                SnsTopic(watcher.topic, message=RuleTargetInput.from_text(told + watcher.what_to_do("task-stopped")))
            ],
        )
