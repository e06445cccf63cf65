"""QueryWorkgroup."""

from __future__ import annotations

from aws_cdk.aws_athena import CfnWorkGroup
from aws_cdk.aws_iam import Grant, IGrantable
from aws_cdk.aws_kms import IKey
from aws_cdk.aws_s3 import IBucket
from constructs import Construct

_GB = 1024**3
_QUERYING = (
    "athena:GetQueryExecution",
    "athena:GetQueryResults",
    "athena:GetWorkGroup",
    "athena:StartQueryExecution",
    "athena:StopQueryExecution",
)


class QueryWorkgroup(Construct):
    """An Athena workgroup whose queries cannot say where results go, nor scan more than they may.

    Results are encrypted and written to ``results``, whose life cycle throws them away. A query that has scanned
    ``scan_limit_gb`` is cancelled, and billed up to there (Amazon Athena User Guide, "Per-query data usage control").

    Example: ``QueryWorkgroup(self, "Queries", name="lake", results=bucket, key=key, scan_limit_gb=100)``
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        results: IBucket,
        key: IKey,
        scan_limit_gb: int,
        description: str | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._results, self._key = results, key
        workgroup = CfnWorkGroup(
            self,
            "Resource",
            name=name,
            description=description,
            # what is left in it are queries and their history, which go with their stack
            recursive_delete_option=True,
            work_group_configuration=CfnWorkGroup.WorkGroupConfigurationProperty(
                enforce_work_group_configuration=True,
                publish_cloud_watch_metrics_enabled=True,
                bytes_scanned_cutoff_per_query=scan_limit_gb * _GB,
                engine_version=CfnWorkGroup.EngineVersionProperty(selected_engine_version="Athena engine version 3"),
                result_configuration=CfnWorkGroup.ResultConfigurationProperty(
                    output_location=results.s3_url_for_object(),
                    encryption_configuration=CfnWorkGroup.EncryptionConfigurationProperty(
                        encryption_option="SSE_KMS", kms_key=key.key_arn
                    ),
                ),
            ),
        )
        self.name: str = workgroup.ref
        self._arn = self._of(workgroup)

    def grant_query(self, grantee: IGrantable) -> Grant:
        """Let somebody run queries and read their results. What may be queried is for catalog and buckets to grant."""
        self._results.grant_read_write(grantee)
        self._key.grant_encrypt_decrypt(grantee)
        return Grant.add_to_principal(grantee=grantee, actions=list(_QUERYING), resource_arns=[self._arn])

    @staticmethod
    def _of(workgroup: CfnWorkGroup) -> str:
        return workgroup.stack.format_arn(service="athena", resource="workgroup", resource_name=workgroup.ref)
