"""StorageAlarms."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk.aws_cloudwatch import Metric
from aws_cdk.aws_s3 import IBucket
from constructs import Construct

from catchment_constructs.watched import UNKNOWN, Watcher, metric

GIB = 1024**3
GB = 1000**3


class StorageAlarms(Construct):
    """What fills up: a database's disk, the replication instance, a zone of the lake.

    Example: ``StorageAlarms(self, "Storage", watcher=watcher).of_database("sales", identifier, storage_gb=50, …)``
    """

    def __init__(self, scope: Construct, construct_id: str, *, watcher: Watcher) -> None:
        super().__init__(scope, construct_id)
        self._watcher = watcher

    def of_database(self, source: str, identifier: str, *, storage_gb: int, free_percent: int) -> None:
        """Tell when an RDS instance has less than ``free_percent`` of its storage left."""
        self._watcher.alarm(
            Construct(self, f"Database-{source}"),
            "database-storage",
            of=source,
            says=f"{source}: less than {free_percent} % of the database's {storage_gb} GB are free.",
            metric=metric("AWS/RDS", "FreeStorageSpace", {"DBInstanceIdentifier": identifier}, "Minimum"),
            below=storage_gb * GIB * free_percent / 100,
            missing=UNKNOWN,
        )

    def of_replication(self, instance: str, *, storage_gb: int, free_percent: int) -> None:
        """Tell when a replication instance runs out of storage, memory (under 200 MB free) or processor (over 90 %)."""
        of_instance = {"ReplicationInstanceIdentifier": instance}
        self._watcher.alarm(
            self,
            "replication-storage",
            says=f"Less than {free_percent} % of the replication instance's {storage_gb} GB are free.",
            metric=metric("AWS/DMS", "FreeStorageSpace", of_instance, "Minimum"),
            below=storage_gb * GIB * free_percent / 100,
            missing=UNKNOWN,
            page="replication-instance",
        )
        self._watcher.alarm(
            self,
            "replication-memory",
            says="The replication instance has less than 200 MB of memory left.",
            metric=metric("AWS/DMS", "FreeableMemory", of_instance, "Minimum"),
            below=200 * 1000**2,
            periods=3,
            missing=UNKNOWN,
            page="replication-instance",
        )
        self._watcher.alarm(
            self,
            "replication-cpu",
            says="The replication instance's processor has been over 90 % busy for a quarter of an hour.",
            metric=metric("AWS/DMS", "CPUUtilization", of_instance, "Average"),
            above=90,
            periods=3,
            missing=UNKNOWN,
            page="replication-instance",
        )

    def of_zone(self, name: str, bucket: IBucket, *, most_gb: int) -> None:
        """Tell when a zone holds more than ``most_gb``; S3 counts once a day."""
        size = Metric(
            namespace="AWS/S3",
            metric_name="BucketSizeBytes",
            dimensions_map={"BucketName": bucket.bucket_name, "StorageType": "StandardStorage"},
            statistic="Maximum",
            period=Duration.days(1),
        )
        self._watcher.alarm(
            Construct(self, f"Zone-{name}"),
            "zone-size",
            of=name,
            says=f"The zone {name} holds more than {most_gb:,} GB.",
            metric=size,
            above=most_gb * GB,
            missing=UNKNOWN,
        )
