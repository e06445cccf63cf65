"""ReplicaFeeder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk.aws_ec2 import ISecurityGroup, IVpc
from aws_cdk.aws_events import EventPattern, Match, Rule
from aws_cdk.aws_events_targets import SqsQueue
from aws_cdk.aws_kms import IKey
from aws_cdk.aws_lambda import Code, ILayerVersion
from aws_cdk.aws_lambda_event_sources import SqsEventSource
from aws_cdk.aws_logs import RetentionDays
from aws_cdk.aws_s3 import IBucket
from aws_cdk.aws_secretsmanager import ISecret
from constructs import Construct

from catchment_constructs.acknowledge import objects_finding
from catchment_constructs.control_table import ControlTable
from catchment_constructs.event_queue import EventQueue
from catchment_constructs.python_function import PythonFunction


@dataclass(frozen=True, kw_only=True)
class FeederCode:
    """What the function runs."""

    code: Code
    handler: str
    layers: Sequence[ILayerVersion]
    environment: Mapping[str, str]
    """Besides the variables of the construct itself."""


class ReplicaFeeder(Construct):
    """Every new file of a source in the landing zone pokes a queue of its own; a function brings a database up to date.

    The lake's queue and function know nothing of it: a database that is down delays the replica alone. The function
    runs in the database's network. It is told where things are by the environment variables ``LANDING_URL``,
    ``SILVER_URL`` (where requests to reload lie), ``QUARANTINE_URL``, ``CONTROL_TABLE``, ``QUEUE_URL``,
    ``DEAD_LETTERS_URL`` and ``REPLICA_SECRET``. ``secret_key`` encrypts the secret; None for Secrets Manager's own key
    of this account.

    Example: ``ReplicaFeeder(self, "Feeder", source="sales", landing=landing, …).queue``
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        source: str,
        landing: IBucket,
        silver: IBucket,
        quarantine: IBucket,
        key: IKey,
        secret: ISecret,
        secret_key: IKey | None,
        vpc: IVpc,
        security_group: ISecurityGroup,
        runs: FeederCode,
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
        self._source = source
        self._build_rule(landing)
        self._worker = PythonFunction(
            self,
            "Worker",
            code=runs.code,
            handler=runs.handler,
            layers=runs.layers,
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
                "REPLICA_SECRET": secret.secret_arn,
                **runs.environment,
            },
            vpc=vpc,
            security_group=security_group,
        )
        self.function, self.role = self._worker.function, self._worker.role
        self._grant(landing, silver, quarantine, key)
        self._let_read_secret(secret, secret_key)
        self.function.add_event_source(
            SqsEventSource(
                self.queue,
                batch_size=10,
                max_batching_window=Duration.seconds(batch_seconds) if batch_seconds > 0 else None,
                max_concurrency=max_concurrency,
                report_batch_item_failures=True,
            )
        )

    def _build_rule(self, landing: IBucket) -> None:
        Rule(
            self,
            "FileLanded",
            description="A file landed: look at its table in the replica",
            event_pattern=EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={
                    "bucket": {"name": [landing.bucket_name]},
                    "object": {"key": Match.prefix(f"{self._source}/")},
                },
            ),
            targets=[SqsQueue(self.queue)],
        )

    def _grant(self, landing: IBucket, silver: IBucket, quarantine: IBucket, key: IKey) -> None:
        allow = self._worker.allow
        objects = {
            landing: f"{self._source}/*",
            silver: f"{self._source}/*/_catchment/reload.json",
            quarantine: f"_replica/{self._source}/*",
        }
        # silver is listed so that a request that is not there is told from one that may not be read
        allow(actions=["s3:ListBucket"], resources=[landing.bucket_arn, silver.bucket_arn])
        allow(actions=["s3:GetObject"], resources=[landing.arn_for_objects(objects[landing])])
        allow(actions=["s3:GetObject"], resources=[silver.arn_for_objects(objects[silver])])
        allow(actions=["s3:PutObject"], resources=[quarantine.arn_for_objects(objects[quarantine])])
        allow(actions=["kms:Decrypt", "kms:GenerateDataKey"], resources=[key.key_arn])
        allow(actions=["dynamodb:UpdateItem"], resources=[self.control.table_arn])
        # A table that is not done when the time is up is poked again; one that cannot be done is given up.
        allow(actions=["sqs:SendMessage"], resources=[self.queue.queue_arn, self.dead_letters.queue_arn])
        self._worker.acknowledge(
            {
                objects_finding(self, zone, pattern): "Any object of the source's folder, or of the one beside it."
                for zone, pattern in objects.items()
            }
        )

    def _let_read_secret(self, secret: ISecret, secret_key: IKey | None) -> None:
        # Not by grant_read: it would write this role into the policy of a key that another stack owns.
        self._worker.allow(
            actions=["secretsmanager:GetSecretValue"],
            # A secret known by its name has six characters more in its ARN, which IAM wants to see.
            resources=[secret.secret_full_arn or f"{secret.secret_arn}-??????"],
        )
        if secret_key is not None:
            self._worker.allow(actions=["kms:Decrypt"], resources=[secret_key.key_arn])
