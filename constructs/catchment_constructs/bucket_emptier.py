"""BucketEmptier."""

from __future__ import annotations

from aws_cdk import CustomResource
from aws_cdk.aws_lambda import Code
from aws_cdk.aws_logs import RetentionDays
from aws_cdk.aws_s3 import IBucket
from constructs import Construct

from catchment_constructs.acknowledge import objects_finding
from catchment_constructs.own_code import own_code
from catchment_constructs.python_function import PythonFunction

HANDLER = "lambda_src.empty_bucket.handler.handler"
"""In ``own_code()``."""


class BucketEmptier(Construct):
    """Empties buckets before they are deleted; CloudFormation deletes empty ones only.

    One function serves all buckets named to ``empty``. (CDK's own ``auto_delete_objects`` does the same in Node.)

    Example: ``BucketEmptier(self, "Emptier").empty("Silver", bucket)``
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        code: Code | None = None,
        handler: str = HANDLER,
        log_retention: RetentionDays = RetentionDays.THREE_MONTHS,
    ) -> None:
        super().__init__(scope, construct_id)
        self._worker = PythonFunction(
            self,
            "Worker",
            code=code or own_code(),
            handler=handler,
            memory_mb=256,
            timeout_seconds=900,
            log_retention=log_retention,
        )

    def empty(self, construct_id: str, bucket: IBucket) -> None:
        """Have the bucket emptied when the stack, or the bucket in it, is deleted."""
        self._worker.allow(actions=["s3:ListBucket"], resources=[bucket.bucket_arn])
        self._worker.allow(actions=["s3:DeleteObject"], resources=[bucket.arn_for_objects("*")])
        self._worker.acknowledge(
            {objects_finding(self, bucket): "Emptying a bucket means every object; the settings allow it by two keys."}
        )
        emptied = CustomResource(
            self,
            construct_id,
            service_token=self._worker.function.function_arn,
            resource_type="Custom::EmptiedBucket",
            properties={"BucketName": bucket.bucket_name},
        )
        emptied.node.add_dependency(self._worker.role)
