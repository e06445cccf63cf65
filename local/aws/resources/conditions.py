"""Policy condition keys, beyond those ministack fills in: read from the request they restrict."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

EVALUATED = (
    "aws:PrincipalAccount",
    "aws:PrincipalArn",
    "aws:RequestedRegion",
    "aws:ResourceAccount",
    "aws:SecureTransport",
    "aws:SourceAccount",
    "cloudwatch:namespace",
    "dynamodb:LeadingKeys",
    "iam:PolicyARN",
    "lambda:SourceFunctionArn",
    "s3:prefix",
)
"""Keys whose value is known when a call is judged. Any other is refused in the policies of a template."""


def is_evaluated(key: str) -> bool:
    """Whether ``key`` (case does not matter) is one of EVALUATED."""
    return key.lower() in {known.lower() for known in EVALUATED}


def request_context(service: str, body: bytes) -> dict[str, Any]:
    """Values of the condition keys that a request's body decides."""
    if service == "dynamodb":
        keys = leading_keys(json.loads(body or b"{}"))
        return {"dynamodb:LeadingKeys": keys} if keys else {}
    if service in ("monitoring", "cloudwatch"):
        namespace = _namespace(body)
        return {"cloudwatch:namespace": namespace} if namespace else {}
    if service == "iam":
        policies = parse_qs(body.decode(errors="replace")).get("PolicyArn", [])
        return {"iam:PolicyARN": policies[0]} if policies else {}
    return {}


def leading_keys(request: dict[str, Any]) -> list[str]:
    """Values of the key attributes that a DynamoDB item call names.

    The table's schema is not looked at: for a table with a sort key, whose values then stand here as well, a
    policy may refuse what AWS allows, never the other way round.
    """
    keys = [request[name] for name in ("Key",) if isinstance(request.get(name), dict)]
    return [str(value) for key in keys for attribute in key.values() for value in attribute.values()]


def _namespace(body: bytes) -> str:
    text = body.decode(errors="replace")
    if text.startswith("{"):
        return str(json.loads(text).get("Namespace", ""))
    return parse_qs(text).get("Namespace", [""])[0]
