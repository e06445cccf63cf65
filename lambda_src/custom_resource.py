"""Answering CloudFormation for a custom resource: whatever happens, it is told, or it waits for an hour.

Protocol: AWS CloudFormation User Guide, "Custom resource request and response".
"""

from __future__ import annotations

import json
import logging
import urllib.request
from collections.abc import Callable
from typing import Any

Handler = Callable[[dict[str, Any], Any], None]

_LOG = logging.getLogger(__name__)


def custom_resource(physical_id: Callable[[dict[str, Any]], str]) -> Callable[[Callable[..., None]], Handler]:
    """Turns ``work(event, context)`` into a function's handler that answers success, or failure with the reason.

    ``physical_id`` takes the event to the identity of the resource: another one after an update makes CloudFormation
    delete the former. It is called for failures too, so that CloudFormation can clean up after them.
    """

    def decorate(work: Callable[..., None]) -> Handler:
        def handler(event: dict[str, Any], context: Any) -> None:
            _LOG.info("%s %s", event["RequestType"], event["LogicalResourceId"])
            identity = event.get("PhysicalResourceId") if event["RequestType"] == "Delete" else physical_id(event)
            try:
                work(event, context)
            except Exception as error:
                _LOG.exception("%s %s failed", event["RequestType"], event["LogicalResourceId"])
                answer(event, str(identity), "FAILED", f"{type(error).__name__}: {error}")
            else:
                answer(event, str(identity), "SUCCESS", "")

        return handler

    return decorate


def answer(event: dict[str, Any], physical_id: str, status: str, reason: str) -> None:
    """Tell CloudFormation what became of its request: ``SUCCESS``, or ``FAILED`` with the reason."""
    body = {
        "Status": status,
        "Reason": reason[:1000],
        "PhysicalResourceId": physical_id,
        **{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
    }
    # A pre-signed URL: no content type, for that is not part of its signature.
    request = urllib.request.Request(  # noqa: S310 - CloudFormation names the URL
        event["ResponseURL"], data=json.dumps(body).encode(), method="PUT", headers={"Content-Type": ""}
    )
    with urllib.request.urlopen(request, timeout=30):  # noqa: S310
        return
