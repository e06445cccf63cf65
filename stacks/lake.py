"""The Lake stack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import ArnFormat, CfnOutput, RemovalPolicy, Stack
from aws_cdk.aws_glue import CfnDatabase
from aws_cdk.aws_iam import ServicePrincipal
from aws_cdk.aws_kms import IKey, Key
from aws_cdk.aws_s3 import Bucket, IBucket
from constructs import Construct

from catchment.settings import Settings
from catchment_constructs.access_log_bucket import AccessLogBucket
from catchment_constructs.bucket_emptier import BucketEmptier
from catchment_constructs.lake_zone import LakeZone
from catchment_constructs.query_workgroup import QueryWorkgroup
from catchment_constructs.sample_files import SampleFiles
from stacks.choices import data_removal, log_retention, stack_name
from stacks.runtime import file_writer_code, function_code, handler_of

LOG_GROUP_CONTEXT = "kms:EncryptionContext:aws:logs:arn"
"""What CloudWatch Logs tells KMS of the group it works for."""


@dataclass(frozen=True)
class Zones:
    """The zones of the lake."""

    landing: IBucket
    """Files as DMS writes them."""
    silver: IBucket
    """One Delta table for each table of a source."""
    gold: IBucket
    """What is made of silver."""
    quarantine: IBucket
    """Rows that could not be used, with their reasons."""
    artifacts: IBucket
    """What jobs leave behind besides tables: the event logs of Spark. Sample files."""
    queries: IBucket
    """Results of Athena."""


class LakeStack(Stack):
    """The zones of the lake, the key they are encrypted with, the Glue databases, and where they are queried."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings) -> None:
        super().__init__(scope, construct_id, stack_name=stack_name(settings, construct_id))
        self.key = self._build_key(settings)
        logs = self._build_access_logs(settings)
        self.zones = self._build_zones(settings, logs)
        if data_removal(settings) == RemovalPolicy.DESTROY:
            ours = {name: zone for name, zone in vars(self.zones).items() if name not in settings.lake.buckets}
            self._empty_on_delete(settings, {"AccessLogs": logs, **ours})
        self._write_samples(settings)
        for source in settings.sources:
            self._build_database(settings, source, f"Tables of the source {source}", self.zones.silver, f"{source}/")
        self._build_database(settings, "gold", "What is made of the tables of the sources", self.zones.gold)
        workgroup = QueryWorkgroup(
            self,
            "Athena",
            name=settings.name,
            results=self.zones.queries,
            key=self.key,
            scan_limit_gb=settings.lake.scan_limit_gb,
        )
        CfnOutput(self, "Workgroup", value=workgroup.name)
        for name, bucket in vars(self.zones).items():
            CfnOutput(self, f"{name.capitalize()}Bucket", value=bucket.bucket_name)

    def _build_key(self, settings: Settings) -> IKey:
        if settings.lake.key_arn is not None:
            return Key.from_key_arn(self, "Key", settings.lake.key_arn)
        key = Key(
            self,
            "Key",
            description=f"{settings.name}: the lake, its sources and its alarms",
            enable_key_rotation=True,
            removal_policy=data_removal(settings),
        )
        # An alarm is lost silently when its sender may not encrypt what it hands to the topic.
        for sender in ("budgets.amazonaws.com", "cloudwatch.amazonaws.com", "events.amazonaws.com"):
            key.grant_encrypt_decrypt(ServicePrincipal(sender))
        groups = self.format_arn(
            service="logs", resource="log-group", resource_name="*", arn_format=ArnFormat.COLON_RESOURCE_NAME
        )
        logs = ServicePrincipal("logs.amazonaws.com", conditions={"ArnLike": {LOG_GROUP_CONTEXT: groups}})
        key.grant_encrypt_decrypt(logs)
        return key

    def _build_access_logs(self, settings: Settings) -> IBucket:
        return AccessLogBucket(
            self, "AccessLogs", expire_after_days=settings.lake.log_days, removal_policy=data_removal(settings)
        ).bucket

    def _build_zones(self, settings: Settings, logs: IBucket) -> Zones:
        named: Mapping[str, str] = {str(zone): bucket for zone, bucket in settings.lake.buckets.items()}

        def zone(name: str, days: int | None, *, announces: bool = False) -> IBucket:
            if (there := named.get(name.lower())) is not None:
                return Bucket.from_bucket_name(self, name, there)
            return LakeZone(
                self,
                name,
                key=self.key,
                access_logs=logs,
                expire_after_days=days,
                announces_objects=announces,
                removal_policy=data_removal(settings),
            ).bucket

        return Zones(
            landing=zone("Landing", settings.lake.landing_days, announces=True),
            silver=zone("Silver", None),
            gold=zone("Gold", None),
            quarantine=zone("Quarantine", settings.lake.quarantine_days),
            artifacts=zone("Artifacts", settings.lake.artifact_days),
            queries=zone("Queries", settings.lake.query_days),
        )

    def _empty_on_delete(self, settings: Settings, buckets: Mapping[str, IBucket]) -> None:
        emptier = BucketEmptier(self, "Emptier", code=function_code(), log_retention=log_retention(settings))
        for name, bucket in buckets.items():
            emptier.empty(name.capitalize(), bucket)

    def _write_samples(self, settings: Settings) -> None:
        if (samples := settings.lake.samples) is not None:
            SampleFiles(
                self,
                "SampleFiles",
                bucket=self.zones.artifacts,
                prefix="samples/",
                key=self.key,
                rows=samples.rows,
                seed=samples.seed,
                code=file_writer_code(),
                handler=handler_of("sample_files"),
                log_retention=log_retention(settings),
            )

    def _build_database(self, settings: Settings, name: str, description: str, zone: IBucket, folder: str = "") -> None:
        CfnDatabase(
            self,
            f"Database-{name}",
            catalog_id=self.account,
            database_input=CfnDatabase.DatabaseInputProperty(
                # Glue takes small letters, digits and _ in the names that Athena can read.
                name=f"{settings.name}_{name}".replace("-", "_"),
                description=description,
                location_uri=zone.s3_url_for_object(folder),
            ),
        )
