"""Custom resources around a DMS task: one notes what the task holds in its source, one clears up after it is gone.

``Custom::SourceHeld`` is made after the task and removed before it is stopped; what it notes lies in an SSM parameter.
``Custom::SourceCleanUp`` is made before the task and removed after it. Both ask the function beside the databases.

A source that is gone, or cannot be reached, does not keep a stack from going: after LOOKS attempts the resource is done
with, the parameter stays, and the log says what has to be looked at.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Sequence
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from catchment.errors import SourceUnreachable
from catchment.prepare.agent import ask
from catchment.reload.serverless import task_api
from lambda_src.waiting import waiting_custom_resource

LOOKS = 20
"""How often a source that cannot be reached, or that is still read, is looked at: five minutes, every 15 seconds."""

_LOG = logging.getLogger(__name__)


def _identity(event: dict[str, Any]) -> str:
    return f"{event['ResourceType'].rpartition(':')[2]}:{event['ResourceProperties']['Parameter']}"


@waiting_custom_resource(physical_id=_identity)
def handler(event: dict[str, Any], memory: dict[str, Any]) -> str | None:
    """Note what is held, whenever asked; clear up on deletion, where the settings want it."""
    properties = event["ResourceProperties"]
    if event["ResourceType"] == "Custom::SourceHeld":
        return _note(properties, memory)
    if event["RequestType"] == "Delete" and properties["CleanUp"] == "true":
        return _clean_up(properties, memory)
    return None


def _note(properties: dict[str, Any], memory: dict[str, Any]) -> str | None:
    """What was noted before stays noted: names are given once."""
    source, task = properties["Source"], properties["TaskArn"]
    try:
        held = _ask(source, "held", task=task.rpartition(":")[2])["held"]
    except SourceUnreachable as error:
        return _again(memory, f"{source}: what {task} holds is not noted: {error}")
    noted = _noted(properties["Parameter"]) or {"held": []}
    names = sorted({*noted["held"], *held} - {properties["Kept"]})
    value = json.dumps({"task": task, "held": names})
    _ssm().put_parameter(Name=properties["Parameter"], Value=value, Type="String", Overwrite=True)
    return None


def _clean_up(properties: dict[str, Any], memory: dict[str, Any]) -> str | None:
    source, parameter = properties["Source"], properties["Parameter"]
    noted = _noted(parameter)
    if noted is None:
        _LOG.warning("%s: nothing was noted of any task, nothing is cleared up", source)
        return None
    if _is_there(noted["task"]):
        _LOG.warning("%s: %s is there and may need what it holds: nothing is cleared up", source, noted["task"])
        return None
    tables = [name.partition(".")[::2] for name in properties["Tables"]]
    try:
        answer = _ask(source, "clean_up", held=noted["held"], tables=tables)
    except SourceUnreachable as error:
        return _again(memory, f"{source}: look for {_names(noted['held'])} yourself: {error}")
    _LOG.info("%s: cleared up: %s", source, _names(answer["done"]))
    if answer["left"]:
        return _again(memory, f"{source}: somebody reads {_names(answer['left'])}, which stays")
    _ssm().delete_parameter(Name=parameter)
    return None


def _again(memory: dict[str, Any], complaint: str) -> str | None:
    """Have it looked at once more; after LOOKS times leave it at the complaint."""
    memory["looks"] = memory.get("looks", 0) + 1
    if memory["looks"] < LOOKS:
        return complaint
    _LOG.error("given up: %s", complaint)
    return None


def _ask(source: str, action: str, **said: Any) -> dict[str, Any]:
    return ask(_lambda(), os.environ["AGENT_FUNCTION"], source, action, **said)


def _noted(parameter: str) -> dict[str, Any] | None:
    try:
        value = _ssm().get_parameter(Name=parameter)["Parameter"]["Value"]
    except _ssm().exceptions.ParameterNotFound:
        return None
    noted: dict[str, Any] = json.loads(value)
    return noted


def _is_there(task_arn: str) -> bool:
    dms = task_api(boto3.client("dms"), task_arn)
    only = [{"Name": "replication-task-arn", "Values": [task_arn]}]
    try:
        return bool(dms.describe_replication_tasks(Filters=only, WithoutSettings=True)["ReplicationTasks"])
    except dms.exceptions.ResourceNotFoundFault:
        return False


def _names(names: Sequence[str]) -> str:
    return ", ".join(names) or "nothing"


@cache
def _ssm() -> Any:
    return boto3.client("ssm")


@cache
def _lambda() -> Any:
    # a call that is repeated by the client would be one of many that wait for the same database
    return boto3.client("lambda", config=Config(read_timeout=320, retries={"total_max_attempts": 1}))
