"""WaitingFunction."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import CustomResource
from aws_cdk.aws_lambda import Code
from aws_cdk.aws_lambda_event_sources import SqsEventSource
from aws_cdk.aws_logs import RetentionDays
from constructs import Construct

from catchment_constructs.event_queue import EventQueue
from catchment_constructs.own_code import own_code
from catchment_constructs.python_function import PythonFunction


class WaitingFunction(PythonFunction):
    """A function behind custom resources that may take longer than a call: up to the hour that CloudFormation waits.

    A call that has to wait puts its request into a queue of the function's own, which hands it back after
    ``wait_seconds``; nothing sleeps. The function finds the queue by ``WAIT_QUEUE_URL`` and ``WAIT_SECONDS``. Its code
    is ``own_code()`` unless another is given.

    Example: ``WaitingFunction(self, "Worker", handler="…", …).resource(self, "Roles", "Custom::Roles", {"Names": …})``
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        code: Code | None,
        handler: str,
        log_retention: RetentionDays,
        wait_seconds: int,
        call_seconds: int = 60,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        waiting = EventQueue(scope, "Waiting", retry_seconds=2 * call_seconds, max_receives=5)
        super().__init__(
            scope,
            construct_id,
            code=code or own_code(),
            handler=handler,
            memory_mb=256,
            timeout_seconds=call_seconds,
            log_retention=log_retention,
            environment={
                **(environment or {}),
                "WAIT_QUEUE_URL": waiting.queue.queue_url,
                "WAIT_SECONDS": str(wait_seconds),
            },
        )
        waiting.queue.grant_send_messages(self.role)
        self.function.add_event_source(SqsEventSource(waiting.queue, batch_size=1))

    def resource(
        self, scope: Construct, construct_id: str, resource_type: str, properties: Mapping[str, object]
    ) -> CustomResource:
        """A custom resource that this function makes, changes and deletes."""
        made = CustomResource(
            scope,
            construct_id,
            service_token=self.function.function_arn,
            resource_type=resource_type,
            properties=dict(properties),
        )
        # With what it may do, and what hands its requests back: a request that waits must not wait for ever.
        made.node.add_dependency(self)
        return made
