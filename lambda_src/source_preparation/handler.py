"""Custom resources about a source: one makes it ready for its task, one looks whether it is before the task starts.

``Custom::SourcePrepared`` is made before the task and removed after it; what takes the preparation back lies in the
control table. ``Custom::SourcePreflight`` fails a deployment where something keeps the task from starting. Both ask the
function beside the databases.

A source that cannot be reached fails a deployment after LOOKS attempts. It does not keep a stack from going, nor from
being rolled back: the log says what has to be looked at.
"""

from __future__ import annotations

import json
import logging
import os
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from catchment.errors import SourceNotReady, SourceUnreachable
from catchment.prepare.agent import ask
from catchment.prepare.record import ControlRecord
from lambda_src.waiting import waiting_custom_resource

LOOKS = 20
"""How often a source that cannot be reached is tried: five minutes, every 15 seconds."""

_LOG = logging.getLogger(__name__)


def _identity(event: dict[str, Any]) -> str:
    return f"{event['ResourceType'].rpartition(':')[2]}:{event['ResourceProperties']['Source']}"


@waiting_custom_resource(physical_id=_identity)
def handler(event: dict[str, Any], memory: dict[str, Any]) -> str | None:
    """Prepare, look, or take preparation back. Raises SourceNotReady, SourceUnreachable, SourceAgentFailed."""
    request, properties = event["RequestType"], event["ResourceProperties"]
    if request == "Update" and _is_rolled_back(event["StackId"]):
        _LOG.warning("%s: the deployment is rolled back, the source stays as it is", properties["Source"])
        return None
    try:
        if event["ResourceType"] == "Custom::SourcePreflight":
            _look(properties, request)
        elif request == "Delete" or properties["Prepare"] == "false":
            _take_back(properties["Source"])
        else:
            _prepare(properties)
    except SourceUnreachable as error:
        memory["looks"] = memory.get("looks", 0) + 1
        if memory["looks"] < LOOKS:
            return str(error)
        if request != "Delete":
            raise
        _LOG.error("given up, what was prepared stays: %s", error)
    return None


def _prepare(properties: dict[str, Any]) -> None:
    source, wanted = properties["Source"], json.loads(properties["Wanted"])
    record = _record(source)
    planned = _ask(source, "plan", wanted=wanted, before=record.read())
    for step in planned["steps"]:
        _LOG.info("%s: %s: %s", source, step["what"], "; ".join(step["sql"]))
    if planned["steps"]:
        # before anything is done: a statement too many is harmless then, one too few is not
        record.write(planned["undo"])
        _LOG.info("%s: done: %s", source, _ask(source, "prepare", wanted=wanted)["done"])


def _take_back(source: str) -> None:
    record = _record(source)
    statements = record.read()
    if statements:
        answer = _ask(source, "unprepare", statements=statements)
        for statement, reason in answer["failed"].items():
            _LOG.warning("%s: not taken back: %s: %s", source, statement, reason)
        _LOG.info("%s: taken back: %s", source, answer["done"])
        record.write([])


def _look(properties: dict[str, Any], request: str) -> None:
    if request == "Delete" or properties["Running"] == "false":
        return
    source = properties["Source"]
    findings = _ask(source, "preflight", wanted=json.loads(properties["Wanted"]))["findings"]
    for finding in findings:
        _LOG.warning("%s: %s: %s (%s) %s", source, finding["level"], finding["what"], finding["why"], finding["fix"])
    blocking = tuple(f"{finding['check']}: {finding['what']}" for finding in findings if finding["level"] == "blocks")
    if blocking:
        raise SourceNotReady(source, blocking)


def _is_rolled_back(stack: str) -> bool:
    [described] = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return "ROLLBACK" in described["StackStatus"]


def _ask(source: str, action: str, **said: Any) -> dict[str, Any]:
    return ask(_lambda(), os.environ["AGENT_FUNCTION"], source, action, **said)


def _record(source: str) -> ControlRecord:
    return ControlRecord(boto3.client("dynamodb"), os.environ["CONTROL_TABLE"], source)


@cache
def _lambda() -> Any:
    # a call that is repeated by the client would be one of many that wait for the same database
    return boto3.client("lambda", config=Config(read_timeout=320, retries={"total_max_attempts": 1}))
