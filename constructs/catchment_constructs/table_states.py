"""TableStates."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk.aws_events import Rule, Schedule
from aws_cdk.aws_events_targets import LambdaFunction
from aws_cdk.aws_lambda import Code, ILayerVersion
from aws_cdk.aws_logs import RetentionDays
from constructs import Construct

from catchment_constructs.python_function import PythonFunction


class TableStates(Construct):
    """Asks DMS on a schedule how its tables are, and writes it as metrics: DMS has none for a suspended table.

    ``role`` has to be allowed to find and to describe the tasks.

    Example: ``TableStates(self, "TableStates", every_minutes=5, code=code, handler="…", layer=layer, …).role``
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        every_minutes: int,
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
            environment=environment,
        )
        self.function, self.role = worker.function, worker.role
        Rule(
            self,
            "Schedule",
            description="Ask DMS how its tables are",
            schedule=Schedule.rate(Duration.minutes(every_minutes)),
            targets=[LambdaFunction(self.function, retry_attempts=2)],
        )
