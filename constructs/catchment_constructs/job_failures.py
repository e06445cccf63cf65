"""JobFailures."""

from __future__ import annotations

from aws_cdk.aws_events import EventPattern, Rule
from aws_cdk.aws_events_targets import SnsTopic
from aws_cdk.aws_sns import ITopic
from constructs import Construct


class JobFailures(Construct):
    """Tells a topic when a run of a Glue job fails. The key of an encrypted topic has to let EventBridge use it.

    Example: ``JobFailures(self, "SparkFailures", topic=topic, job_name=job.job_name)``
    """

    def __init__(self, scope: Construct, construct_id: str, *, topic: ITopic, job_name: str) -> None:
        super().__init__(scope, construct_id)
        Rule(
            self,
            "Rule",
            description="A run of the Spark job failed",
            event_pattern=EventPattern(
                source=["aws.glue"],
                detail_type=["Glue Job State Change"],
                detail={"jobName": [job_name], "state": ["FAILED", "TIMEOUT", "ERROR"]},
            ),
            targets=[SnsTopic(topic)],
        )
