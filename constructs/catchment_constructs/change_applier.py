"""ChangeApplier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk.aws_events import EventPattern, Rule
from aws_cdk.aws_events_targets import SqsQueue
from aws_cdk.aws_kms import IKey
from aws_cdk.aws_lambda import Code, ILayerVersion
from aws_cdk.aws_lambda_event_sources import SqsEventSource
from aws_cdk.aws_logs import RetentionDays
from aws_cdk.aws_s3 import IBucket
from constructs import Construct

from catchment_constructs.acknowledge import objects_finding
from catchment_constructs.control_table import ControlTable
from catchment_constructs.event_queue import EventQueue
from catchment_constructs.python_function import PythonFunction
from catchment_constructs.spark_job import SparkJob


@dataclass(frozen=True, kw_only=True)
class ApplierCode:
    """What the function runs."""

    code: Code
    handler: str
    layer: ILayerVersion
    environment: Mapping[str, str]
    """Besides the variables of the construct itself."""


class ChangeApplier(Construct):
    """Every new file in the landing zone pokes a queue; a function brings the tables poked up to date.

    A poke says only "look at this table": lost, doubled and reordered events do no harm. At most
    ``max_concurrency`` calls run at the same time. The function is told where things are by the environment variables
    ``LANDING_URL``, ``SILVER_URL``, ``QUARANTINE_URL``, ``CONTROL_TABLE``, ``QUEUE_URL``, ``DEAD_LETTERS_URL``,
    ``DISK_MB`` and ``TIMEOUT_SECONDS``.

    Example: ``ChangeApplier(self, "Applier", landing=landing, silver=silver, …).queue``
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        landing: IBucket,
        silver: IBucket,
        quarantine: IBucket,
        key: IKey,
        runs: ApplierCode,
        memory_mb: int,
        disk_mb: int,
        timeout_seconds: int,
        max_concurrency: int,
        batch_seconds: int,
        retry_seconds: int,
        max_receives: int,
        log_retention: RetentionDays,
    ) -> None:
        super().__init__(scope, construct_id)
        self.control = ControlTable(self, "Control").table
        queues = EventQueue(self, "Events", retry_seconds=retry_seconds, max_receives=max_receives)
        self.queue, self.dead_letters = queues.queue, queues.dead_letters
        self._build_rule(landing)
        self._worker = PythonFunction(
            self,
            "Worker",
            code=runs.code,
            handler=runs.handler,
            layers=[runs.layer],
            memory_mb=memory_mb,
            disk_mb=disk_mb,
            timeout_seconds=timeout_seconds,
            log_retention=log_retention,
            environment={
                "LANDING_URL": landing.s3_url_for_object(),
                "SILVER_URL": silver.s3_url_for_object(),
                "QUARANTINE_URL": quarantine.s3_url_for_object(),
                "CONTROL_TABLE": self.control.table_name,
                "QUEUE_URL": self.queue.queue_url,
                "DEAD_LETTERS_URL": self.dead_letters.queue_url,
                "DISK_MB": str(disk_mb),
                "TIMEOUT_SECONDS": str(timeout_seconds),
                **runs.environment,
            },
        )
        self.function, self.role = self._worker.function, self._worker.role
        self.log_group_name: str = self._worker.log_group_name
        self._zones = (landing, silver, quarantine)
        self._key = key
        self._grant(self._worker)
        # A table that is not done when the time is up is poked again; one that cannot be done is given up.
        self._worker.allow(actions=["sqs:SendMessage"], resources=[self.queue.queue_arn, self.dead_letters.queue_arn])
        self.function.add_event_source(
            SqsEventSource(
                self.queue,
                batch_size=10,
                max_batching_window=Duration.seconds(batch_seconds) if batch_seconds > 0 else None,
                max_concurrency=max_concurrency,
                report_batch_item_failures=True,
            )
        )

    def hand_to(self, job: SparkJob, *, worker_type: str, workers: int, after_minutes: int) -> None:
        """Let the function hand tables over to a job, which may do with them what the function may.

        The function is told by ``SPARK_JOB``, ``SPARK_WORKER_TYPE``, ``SPARK_WORKERS`` and ``SPARK_AFTER_MINUTES``.
        """
        self._grant(job)
        job.grant_start(self.role)
        variables = {
            "SPARK_JOB": job.job_name,
            "SPARK_WORKER_TYPE": worker_type,
            "SPARK_WORKERS": str(workers),
            "SPARK_AFTER_MINUTES": str(after_minutes),
        }
        for name, value in variables.items():
            self._worker.tell(name, value)

    def _build_rule(self, landing: IBucket) -> None:
        Rule(
            self,
            "FileLanded",
            description="A file landed: look at its table",
            # No filter on the reason: large files come by multipart upload, small ones by PutObject.
            event_pattern=EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={"bucket": {"name": [landing.bucket_name]}},
            ),
            targets=[SqsQueue(self.queue)],
        )

    def _grant(self, applier: PythonFunction | SparkJob) -> None:
        landing, silver, quarantine = self._zones
        applier.allow(actions=["s3:ListBucket"], resources=[landing.bucket_arn, silver.bucket_arn])
        applier.allow(actions=["s3:GetObject"], resources=[landing.arn_for_objects("*")])
        applier.allow(
            actions=["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"],
            resources=[silver.arn_for_objects("*")],
        )
        applier.allow(actions=["s3:PutObject"], resources=[quarantine.arn_for_objects("*")])
        applier.allow(actions=["kms:Decrypt", "kms:GenerateDataKey"], resources=[self._key.key_arn])
        applier.allow(actions=["dynamodb:UpdateItem"], resources=[self.control.table_arn])
        applier.acknowledge(
            {
                objects_finding(self, zone): "Any object of the zone is the applier's to read, or to read and write."
                for zone in self._zones
            }
        )
