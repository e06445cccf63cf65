"""LakeZone."""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy
from aws_cdk.aws_kms import IKey
from aws_cdk.aws_s3 import (
    BlockPublicAccess,
    Bucket,
    BucketEncryption,
    CfnBucket,
    IBucket,
    LifecycleRule,
    ObjectOwnership,
)
from constructs import Construct


class LakeZone(Construct):
    """One zone of the lake: an encrypted, TLS-only, unversioned bucket with a life cycle.

    Unversioned, because DMS lists the landing zone before it writes (old versions make that time out) and Delta
    keeps its own versions. With ``announces_objects`` every new object is told to EventBridge.

    Example: ``LakeZone(self, "Silver", key=key, access_logs=logs)``
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        key: IKey,
        access_logs: IBucket,
        expire_after_days: int | None = None,
        announces_objects: bool = False,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, construct_id)
        bucket = Bucket(
            self,
            "Bucket",
            encryption=BucketEncryption.KMS,
            encryption_key=key,
            bucket_key_enabled=True,
            block_public_access=BlockPublicAccess.BLOCK_ALL,
            object_ownership=ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            server_access_logs_bucket=access_logs,
            server_access_logs_prefix=f"{construct_id.lower()}/",
            lifecycle_rules=[_life_cycle(expire_after_days)],
            removal_policy=removal_policy,
        )
        if announces_objects:
            _announce(bucket)
        self.bucket: IBucket = bucket


def _life_cycle(expire_after_days: int | None) -> LifecycleRule:
    return LifecycleRule(
        id="life-cycle",
        abort_incomplete_multipart_upload_after=Duration.days(7),
        expiration=None if expire_after_days is None else Duration.days(expire_after_days),
    )


def _announce(bucket: Bucket) -> None:
    # Said in the bucket's own properties: the L2's event_bridge_enabled adds a function and a custom resource for it.
    resource = bucket.node.default_child
    assert isinstance(resource, CfnBucket)
    resource.notification_configuration = CfnBucket.NotificationConfigurationProperty(
        event_bridge_configuration=CfnBucket.EventBridgeConfigurationProperty(event_bridge_enabled=True)
    )
