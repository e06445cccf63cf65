"""TableSweep."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk.aws_events import Rule, RuleTargetInput, Schedule
from aws_cdk.aws_events_targets import LambdaFunction
from aws_cdk.aws_lambda import Code, ILayerVersion
from aws_cdk.aws_logs import RetentionDays
from aws_cdk.aws_sqs import IQueue
from constructs import Construct

from catchment_constructs.python_function import PythonFunction


class TableSweep(Construct):
    """Pokes every table on a schedule, so that a file whose event was lost is found too, and on another to maintain it.

    The function is told the queue by the environment variable ``QUEUE_URL``. Where ``maintain_hours`` is
    None nothing is maintained.

    Example: ``TableSweep(self, "Sweep", queue=applier.queue, every_minutes=15, maintain_hours=24, …).function``
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        queue: IQueue,
        every_minutes: int,
        maintain_hours: int | None,
        code: Code,
        handler: str,
        layer: ILayerVersion,
        environment: Mapping[str, str],
        log_retention: RetentionDays,
    ) -> None:
        super().__init__(scope, construct_id)
        worker = PythonFunction(
            self,
            "Worker",
            code=code,
            handler=handler,
            layers=[layer],
            memory_mb=256,
            timeout_seconds=60,
            log_retention=log_retention,
            environment={"QUEUE_URL": queue.queue_url, **environment},
        )
        self.function, self.role = worker.function, worker.role
        worker.allow(actions=["sqs:SendMessage"], resources=[queue.queue_arn])
        Rule(
            self,
            "Schedule",
            description="Look at every table, whether an event told of it or not",
            schedule=Schedule.rate(Duration.minutes(every_minutes)),
            targets=[LambdaFunction(self.function, retry_attempts=2)],
        )
        if maintain_hours is not None:
            self._maintain(maintain_hours)

    def _maintain(self, every_hours: int) -> None:
        Rule(
            self,
            "Maintenance",
            description="Do for every table what keeps it cheap to read",
            schedule=Schedule.rate(Duration.hours(every_hours)),
            targets=[
                LambdaFunction(self.function, event=RuleTargetInput.from_object({"maintain": True}), retry_attempts=2)
            ],
        )
