"""AccessLogBucket."""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy
from aws_cdk.aws_s3 import BlockPublicAccess, Bucket, BucketEncryption, IBucket, LifecycleRule, ObjectOwnership
from constructs import Construct

from catchment_constructs.acknowledge import acknowledge


class AccessLogBucket(Construct):
    """Receives the server access logs of other buckets.

    Example: ``AccessLogBucket(self, "AccessLogs", expire_after_days=90)``
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        expire_after_days: int,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, construct_id)
        # Whatever the app's flags are: without it CDK writes an ACL, which a bucket that its owner alone owns has not.
        self.node.set_context("@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy", True)
        bucket = Bucket(
            self,
            "Bucket",
            # S3 delivers access logs to buckets encrypted with its own keys only.
            encryption=BucketEncryption.S3_MANAGED,
            block_public_access=BlockPublicAccess.BLOCK_ALL,
            object_ownership=ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            lifecycle_rules=[LifecycleRule(id="life-cycle", expiration=Duration.days(expire_after_days))],
            removal_policy=removal_policy,
        )
        acknowledge(bucket, {"AwsSolutions-S1": "It holds access logs; logging access to them would never end."})
        self.bucket: IBucket = bucket
