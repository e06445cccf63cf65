"""Custom resources around DMS tasks: one stops a task before it is changed, one has it run after.

CloudFormation cannot change a task that runs. ``Custom::DmsTaskHold`` is updated before anything that the task is made
of, ``Custom::DmsTaskLifecycle`` after it. Where the deployment is rolled back in between, nobody is asked to start the
task again: CloudFormation's own event tells when the rollback is over, and what is held then goes on.

A task whose password was changed is stopped and resumed.
"""

from __future__ import annotations

import json
import logging
import os
import time
from typing import Any

import boto3

from catchment.reload.serverless import task_api
from lambda_src.task_lifecycle.tasks import Task, TaskFailed
from lambda_src.waiting import LIMIT_SECONDS, into_queue, waiting_custom_resource

_LOG = logging.getLogger(__name__)


def handler(event: dict[str, Any], context: Any) -> None:
    """Answer CloudFormation's requests, also those that were waited for, and its news of a rollback that is over.

    ``{"restart": parameter}`` has the task that the SSM parameter names stopped and resumed, if it runs.
    """
    waited_for = json.loads(event["Records"][0]["body"]) if "Records" in event else event
    if event.get("source") == "aws.cloudformation" or "rolled_back" in waited_for:
        _go_on(waited_for.get("rolled_back", {}))
    elif "restart" in waited_for:
        _restart(waited_for)
    else:
        _custom_resource(event, context)


def _identity(event: dict[str, Any]) -> str:
    properties = event["ResourceProperties"]
    return str(properties["TaskArn"] if "TaskArn" in properties else properties["TaskParameter"])


@waiting_custom_resource(physical_id=_identity)
def _custom_resource(event: dict[str, Any], memory: dict[str, Any]) -> str | None:
    properties = event["ResourceProperties"]
    if event["ResourceType"] == "Custom::DmsTaskHold":
        return _hold(event["RequestType"], properties["TaskParameter"])
    task = _task(properties["TaskArn"])
    if event["RequestType"] == "Delete" or properties["Running"] == "false":
        return task.stop()
    # A serverless replication has no instance, and tries its connections whenever it starts.
    if (instance_arn := properties.get("InstanceArn")) is not None:
        waited_for = task.test_connections(instance_arn, properties["EndpointArns"], memory)
        if waited_for is not None:
            return waited_for
    before = event.get("OldResourceProperties", properties)
    reload = before["Columns"] != properties["Columns"]
    if not memory.get("running"):
        if (waited_for := task.run(memory, reload=reload)) is not None:
            return waited_for
        memory["running"] = True
    listed = properties.get("Tables", [])
    known = before.get("Tables", listed)
    return task.load([name for name in listed if name not in known], memory) if not reload else None


def _hold(request: str, parameter: str) -> str | None:
    """Stop the task before its parts are changed. When they are first made there is none in the way."""
    arn = _task_arn(parameter)
    if request != "Update" or arn is None:
        return None
    task = _task(arn)
    if task.is_running():
        task.hold()
    return task.stop()


def _go_on(memories: dict[str, dict[str, Any]]) -> None:
    """Have each task go on that a deployment, since rolled back, has stopped; one look a call."""
    waiting: dict[str, dict[str, Any]] = {}
    for parameter in os.environ["TASK_PARAMETERS"].split(","):
        memory = memories.get(parameter, {"began": time.time()})
        if not memories or parameter in memories:
            waiting |= {parameter: memory} if _waits(parameter, memory) else {}
    if waiting:
        into_queue(json.dumps({"rolled_back": waiting}))


def _waits(parameter: str, memory: dict[str, Any]) -> bool:
    """Whether a task that was held does not run again yet. An endpoint that was changed back is a new one to DMS."""
    arn = _task_arn(parameter)
    task = _task(arn) if arn is not None else None
    if task is None or not (memory.get("held") or task.is_held()):
        return False
    if time.time() - memory["began"] > LIMIT_SECONDS:
        raise TaskFailed(f"{arn} does not run again {LIMIT_SECONDS // 60} minutes after a deployment was rolled back")
    if not memory.get("held"):
        _LOG.warning("%s: the deployment that held it was rolled back; it goes on", arn)
        memory["held"] = True
    return task.go_on(memory) is not None


def _restart(request: dict[str, Any]) -> None:
    """Have a task that runs connect anew, with the password that its secret has now; one look a call."""
    arn = _task_arn(request["restart"])
    memory = request.get("memory", {"began": time.time()})
    task = _task(arn) if arn is not None else None
    if task is None or not (memory.get("stopping") or task.is_running()):
        _LOG.info("%s: nothing runs that would have to connect anew", request["restart"])
        return
    if time.time() - memory["began"] > LIMIT_SECONDS:
        raise TaskFailed(f"{arn} does not run again {LIMIT_SECONDS // 60} minutes after its password was changed")
    memory["stopping"] = True
    memory["stopped"] = memory.get("stopped") or task.stop() is None
    if not memory["stopped"] or task.run(memory) is not None:
        into_queue(json.dumps({**request, "memory": memory}))


def _task(arn: str) -> Task:
    return Task(task_api(boto3.client("dms"), arn), arn)


def _task_arn(parameter: str) -> str | None:
    ssm = boto3.client("ssm")
    try:
        return str(ssm.get_parameter(Name=parameter)["Parameter"]["Value"])
    except ssm.exceptions.ParameterNotFound:
        return None
