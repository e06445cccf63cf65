"""Custom resources that take longer than a function may run: each call looks once and may ask for another one.

A call that has to wait puts its event, with what it has to remember, into a queue that hands it back after a while. So
no function sleeps, and CloudFormation's hour is the only limit.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.exceptions import ClientError

from lambda_src.custom_resource import Handler, answer

LIMIT_SECONDS = 55 * 60
"""CloudFormation gives a custom resource an hour (ServiceTimeout); some of it is kept for the rollback's own answer."""

_THROTTLED = ("Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded")
_LOG = logging.getLogger(__name__)

Work = Callable[[dict[str, Any], dict[str, Any]], str | None]
"""Takes CloudFormation's event and what earlier calls remembered (JSON); says what is waited for, None once done."""


@dataclass
class Waiting:
    """A request that may take many calls."""

    event: dict[str, Any]
    began: float
    memory: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """As it lies in the queue."""
        return json.dumps({"event": self.event, "began": self.began, "memory": self.memory})


def into_queue(body: str) -> None:
    """Have an event handed back later: WAIT_QUEUE_URL names the queue, WAIT_SECONDS the delay."""
    boto3.client("sqs").send_message(
        QueueUrl=os.environ["WAIT_QUEUE_URL"], MessageBody=body, DelaySeconds=int(os.environ["WAIT_SECONDS"])
    )


def waiting_custom_resource(
    physical_id: Callable[[dict[str, Any]], str], *, ask_again: Callable[[str], None] = into_queue
) -> Callable[[Work], Handler]:
    """Turns ``work(event, memory)`` into a handler for CloudFormation's events and for those the queue hands back.

    ``ask_again`` takes the body of a message that comes back as a record of an SQS event.
    """

    def decorate(work: Work) -> Handler:
        def handler(event: dict[str, Any], _context: Any) -> None:
            if "Records" in event:
                for record in event["Records"]:
                    look(Waiting(**json.loads(record["body"])))
            else:
                _LOG.info("%s %s", event["RequestType"], event["LogicalResourceId"])
                look(Waiting(event, time.time()))

        def look(request: Waiting) -> None:
            event = request.event
            gone = event["RequestType"] == "Delete"
            identity = str(event.get("PhysicalResourceId") if gone else physical_id(event))
            if not _answered(work, request, identity):
                ask_again(request.to_json())

        return handler

    return decorate


def _answered(work: Work, request: Waiting, identity: str) -> bool:
    """Look once; whether CloudFormation has its answer now."""
    event = request.event
    try:
        waited_for = _look(work, request)
    except Exception as error:
        _LOG.exception("%s %s failed", event["RequestType"], event["LogicalResourceId"])
        answer(event, identity, "FAILED", f"{type(error).__name__}: {error}")
        return True
    if waited_for is None:
        answer(event, identity, "SUCCESS", "")
    elif time.time() - request.began > LIMIT_SECONDS:
        answer(event, identity, "FAILED", f"after {LIMIT_SECONDS // 60} minutes {waited_for}")
    else:
        _LOG.info("%s: %s", event["LogicalResourceId"], waited_for)
        return False
    return True


def _look(work: Work, request: Waiting) -> str | None:
    try:
        return work(request.event, request.memory)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _THROTTLED:
            raise
        return f"AWS is busy: {error}"
