"""Custom resource: a sample system in a source. Has the function beside the database write until all is there.

Nothing is taken away when the resource goes: rows belong to the database.
"""

from __future__ import annotations

import json
import logging
import os
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from lambda_src.waiting import waiting_custom_resource

LOOKS = 20
"""How often a source that cannot be reached is tried: five minutes, every 15 seconds."""

_UNREACHABLE = "SourceUnreachable"
_LOG = logging.getLogger(__name__)


class SeedingFailed(Exception):
    """The function beside the database did not write; the message is its own."""


@waiting_custom_resource(physical_id=lambda event: f"SampleData:{event['ResourceProperties']['Source']}")
def handler(event: dict[str, Any], memory: dict[str, Any]) -> str | None:
    """Have rows written for as long as some are missing."""
    if event["RequestType"] == "Delete":
        return None
    said = event["ResourceProperties"]
    asked = {"source": said["Source"], "kind": said["Kind"], "rows": int(said["Rows"]), "seed": int(said["Seed"])}
    answer = _lambda().invoke(FunctionName=os.environ["SEEDER_FUNCTION"], Payload=json.dumps(asked).encode())
    told: dict[str, Any] = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        return _failed(said["Source"], told, memory)
    rows = f"{said['Source']}: {sum(told['rows'].values()):,} rows are written"
    _LOG.info(rows)
    return None if told["done"] else rows


def _failed(source: str, told: dict[str, Any], memory: dict[str, Any]) -> str:
    reason = f"{source}: {told.get('errorType')}: {told.get('errorMessage')}"
    memory["looks"] = memory.get("looks", 0) + 1
    if told.get("errorType") != _UNREACHABLE or memory["looks"] >= LOOKS:
        raise SeedingFailed(reason)
    return reason


@cache
def _lambda() -> Any:
    # a call that is repeated by the client would be one of two that write
    return boto3.client("lambda", config=Config(read_timeout=320, retries={"total_max_attempts": 1}))
