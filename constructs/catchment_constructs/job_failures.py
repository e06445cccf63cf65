"""JobFailures."""

from __future__ import annotations

from aws_cdk.aws_events import EventField, EventPattern, Rule, RuleTargetInput
from aws_cdk.aws_events_targets import SnsTopic
from constructs import Construct

from catchment_constructs.watched import Watcher


class JobFailures(Construct):
    """Tells when a run of a Glue job fails. The key of an encrypted topic has to let EventBridge use it.

    Example: ``JobFailures(self, "SparkFailures", watcher=watcher, job_name=job.job_name)``
    """

    def __init__(self, scope: Construct, construct_id: str, *, watcher: Watcher, job_name: str) -> None:
        super().__init__(scope, construct_id)
        told = (
            f"{watcher.name}: run {EventField.from_path('$.detail.jobRunId')} of the Spark job "
            f"{EventField.from_path('$.detail.jobName')} is {EventField.from_path('$.detail.state')}: "
            f"{EventField.from_path('$.detail.message')}. "
        )
        Rule(
            self,
            "Rule",
            description="A run of the Spark job failed or was stopped",
            event_pattern=EventPattern(
                source=["aws.glue"],
                detail_type=["Glue Job State Change"],
                detail={"jobName": [job_name], "state": ["FAILED", "TIMEOUT", "ERROR", "STOPPED"]},
            ),
            targets=[
                SnsTopic(watcher.topic, message=RuleTargetInput.from_text(told + watcher.what_to_do("spark-job")))
            ],
        )
