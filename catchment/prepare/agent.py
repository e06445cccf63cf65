"""Asking the function beside the databases, which reaches what nobody else does."""

from __future__ import annotations

import json
from typing import Any

from catchment.errors import SourceAgentFailed, SourceUnreachable

_UNREACHABLE = ("SourceUnreachable", "Sandbox.Timedout")


def ask(client: Any, function: str, source: str, action: str, **said: Any) -> dict[str, Any]:
    """What the function answers about a source; ``client`` is boto3's of Lambda.

    Raises SourceUnreachable where it does not reach the source, SourceAgentFailed where it fails there.
    """
    event = {"action": action, "source": source, **said}
    answer = client.invoke(FunctionName=function, Payload=json.dumps(event).encode())
    found: dict[str, Any] = json.loads(answer["Payload"].read())
    if "FunctionError" not in answer:
        return found
    reason = f"{found.get('errorType')}: {found.get('errorMessage')}"
    if found.get("errorType") in _UNREACHABLE:
        raise SourceUnreachable(source, reason)
    raise SourceAgentFailed(source, action, reason)
