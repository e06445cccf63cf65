"""TableStates."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk.aws_events import Rule, Schedule
from aws_cdk.aws_events_targets import LambdaFunction
from aws_cdk.aws_kms import IKey
from aws_cdk.aws_lambda import Code, ILayerVersion
from aws_cdk.aws_logs import RetentionDays
from aws_cdk.aws_s3 import IBucket
from constructs import Construct

from catchment_constructs.acknowledge import objects_finding
from catchment_constructs.python_function import PythonFunction


class TableStates(Construct):
    """Looks at every source on a schedule from outside, and writes metrics: how DMS says its task and its tables are
    (CloudWatch has none for a suspended table), and how long landed files have waited to be in the lake.

    The function is told where things are by ``LANDING_URL`` and ``SILVER_URL``. ``role`` has to be allowed to find the
    tasks and to ask for the statistics of their tables.

    Example: ``TableStates(self, "TableStates", every_minutes=5, landing=landing, silver=silver, …).role``
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        every_minutes: int,
        landing: IBucket,
        silver: IBucket,
        key: IKey,
        code: Code,
        handler: str,
        layer: ILayerVersion,
        environment: Mapping[str, str],
        log_retention: RetentionDays,
    ) -> None:
        super().__init__(scope, construct_id)
        worker = PythonFunction(
            self,
            "Worker",
            code=code,
            handler=handler,
            layers=[layer],
            memory_mb=512,
            timeout_seconds=300,
            log_retention=log_retention,
            environment={
                "LANDING_URL": landing.s3_url_for_object(),
                "SILVER_URL": silver.s3_url_for_object(),
                **environment,
            },
        )
        self.function, self.role = worker.function, worker.role
        worker.allow(actions=["s3:ListBucket"], resources=[landing.bucket_arn, silver.bucket_arn])
        worker.allow(actions=["s3:GetObject"], resources=[silver.arn_for_objects("*")])
        worker.allow(actions=["kms:Decrypt"], resources=[key.key_arn])
        worker.allow(actions=["dms:DescribeReplicationTasks", "dms:DescribeReplications"], resources=["*"])
        worker.acknowledge(
            {
                objects_finding(self, silver): "Any table's log is its to read.",
                "AwsSolutions-IAM5[Resource::*]": "DMS describes tasks for all of an account or for none.",
            }
        )
        Rule(
            self,
            "Schedule",
            description="Ask DMS how its tables are, and the lake how late they are",
            schedule=Schedule.rate(Duration.minutes(every_minutes)),
            targets=[LambdaFunction(self.function, retry_attempts=2)],
        )
