"""SampleFiles."""

from __future__ import annotations

from aws_cdk import CustomResource
from aws_cdk.aws_kms import IKey
from aws_cdk.aws_lambda import Code
from aws_cdk.aws_logs import RetentionDays
from aws_cdk.aws_s3 import IBucket
from constructs import Construct

from catchment_constructs.acknowledge import objects_finding
from catchment_constructs.python_function import PythonFunction


class SampleFiles(Construct):
    """Sample files in a bucket, below a prefix; ``key`` encrypts the bucket.

    Example: ``SampleFiles(self, "Samples", bucket=bucket, prefix="samples/", rows=1000, seed=7, …)``
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        bucket: IBucket,
        prefix: str,
        key: IKey,
        rows: int,
        seed: int,
        code: Code,
        handler: str,
        log_retention: RetentionDays,
    ) -> None:
        super().__init__(scope, construct_id)
        worker = PythonFunction(
            self,
            "Worker",
            code=code,
            handler=handler,
            memory_mb=512,
            timeout_seconds=300,
            log_retention=log_retention,
        )
        worker.allow(actions=["s3:PutObject"], resources=[bucket.arn_for_objects(f"{prefix}*")])
        worker.allow(actions=["kms:GenerateDataKey"], resources=[key.key_arn])
        worker.acknowledge({objects_finding(self, bucket, f"{prefix}*"): "Files below one prefix, by their names."})
        written = CustomResource(
            self,
            "Files",
            service_token=worker.function.function_arn,
            resource_type="Custom::SampleFiles",
            properties={"BucketName": bucket.bucket_name, "Prefix": prefix, "Rows": str(rows), "Seed": str(seed)},
        )
        written.node.add_dependency(worker.role)
