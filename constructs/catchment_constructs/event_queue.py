"""EventQueue."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk.aws_sqs import DeadLetterQueue, IQueue, Queue, QueueEncryption
from constructs import Construct


class EventQueue(Construct):
    """A TLS-only, encrypted queue with a dead-letter queue behind it.

    A message that was received and not dealt with comes back after ``retry_seconds``, ``max_receives`` times at most.

    Example: ``EventQueue(self, "Queue", retry_seconds=660, max_receives=5).queue``
    """

    def __init__(self, scope: Construct, construct_id: str, *, retry_seconds: int, max_receives: int) -> None:
        super().__init__(scope, construct_id)
        dead_letters = Queue(
            self,
            "DeadLetters",
            encryption=QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        self.dead_letters: IQueue = dead_letters
        self.queue: IQueue = Queue(
            self,
            "Queue",
            encryption=QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            visibility_timeout=Duration.seconds(retry_seconds),
            dead_letter_queue=DeadLetterQueue(queue=dead_letters, max_receive_count=max_receives),
        )
