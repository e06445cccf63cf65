"""DmsLakeEndpoint."""

from __future__ import annotations

from aws_cdk import Aws
from aws_cdk.aws_dms import CfnEndpoint
from aws_cdk.aws_iam import Effect, PolicyStatement, Role, ServicePrincipal
from aws_cdk.aws_kms import IKey
from aws_cdk.aws_s3 import IBucket
from constructs import Construct

from catchment_constructs.acknowledge import acknowledge, objects_finding


class DmsLakeEndpoint(Construct):
    """The target endpoint: Parquet files that can be applied exactly, in ``<bucket>/<folder>/<schema>/<table>/``.

    Every record, of full loads too, says its operation and commit time; nothing is left out (neither
    ``CdcInsertsOnly`` nor ``CdcInsertsAndUpdates``); change files lie in day folders of UTC. DMS closes a file of
    changes after ``max_batch_seconds``, or at ``min_file_kb`` (its own defaults), whichever comes first.

    Example: ``DmsLakeEndpoint(self, "Lake", bucket=landing, folder="sales", key=key, …).arn``
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        bucket: IBucket,
        folder: str,
        key: IKey,
        timestamp_column: str = "dms_ts",
        max_batch_seconds: int = 60,
        min_file_kb: int = 32_000,
    ) -> None:
        super().__init__(scope, construct_id)
        role = self._build_role(bucket, folder, key)
        endpoint = CfnEndpoint(
            self,
            "Resource",
            endpoint_type="target",
            engine_name="s3",
            s3_settings=CfnEndpoint.S3SettingsProperty(
                bucket_name=bucket.bucket_name,
                bucket_folder=folder,
                service_access_role_arn=role.role_arn,
                expected_bucket_owner=Aws.ACCOUNT_ID,
                encryption_mode="sse-kms",
                server_side_encryption_kms_key_id=key.key_arn,
                data_format="parquet",
                parquet_version="parquet-2-0",
                parquet_timestamp_in_millisecond=False,
                compression_type="none",
                enable_statistics=True,
                row_group_length=100_000,
                include_op_for_full_load=True,
                cdc_inserts_only=False,
                cdc_inserts_and_updates=False,
                timestamp_column_name=timestamp_column,
                use_task_start_time_for_full_load_timestamp=True,
                cdc_max_batch_interval=max_batch_seconds,
                cdc_min_file_size=min_file_kb,
                date_partition_enabled=True,
                date_partition_sequence="YYYYMMDD",
                date_partition_delimiter="SLASH",
                preserve_transactions=False,
                glue_catalog_generation=False,
            ),
        )
        endpoint.node.add_dependency(role)
        self.arn: str = endpoint.ref
        self.definition: object = endpoint.s3_settings
        """Differs where the endpoint does; may hold tokens."""

    def _build_role(self, bucket: IBucket, folder: str, key: IKey) -> Role:
        role = Role(
            self,
            "WriterRole",
            assumed_by=ServicePrincipal(
                "dms.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
            ),
        )
        objects = bucket.arn_for_objects(f"{folder}/*")
        # AWS DMS User Guide, CHAP_Target.S3: what the service role has to be allowed.
        role.add_to_policy(
            PolicyStatement(
                effect=Effect.ALLOW,
                actions=["s3:PutObject", "s3:DeleteObject", "s3:PutObjectTagging"],
                resources=[objects],
            )
        )
        role.add_to_policy(
            PolicyStatement(effect=Effect.ALLOW, actions=["s3:ListBucket"], resources=[bucket.bucket_arn])
        )
        role.add_to_policy(
            PolicyStatement(
                effect=Effect.ALLOW,
                actions=["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
                resources=[key.key_arn],
            )
        )
        acknowledge(
            role,
            {
                objects_finding(role, bucket, f"{folder}/*"): "DMS names the files it writes below this folder itself.",
                "AwsSolutions-IAM5[Action::kms:ReEncrypt*]": "DMS documents these permissions; they are for one key.",
                "AwsSolutions-IAM5[Action::kms:GenerateDataKey*]": (
                    "DMS documents these permissions; they are for one key."
                ),
            },
        )
        return role
