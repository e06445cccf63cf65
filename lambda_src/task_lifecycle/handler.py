"""Custom resource: a DMS task that runs as long as it is deployed."""

from __future__ import annotations

from typing import Any

import boto3

from lambda_src.custom_resource import custom_resource
from lambda_src.deadline import Deadline
from lambda_src.task_lifecycle.tasks import Task


@custom_resource(physical_id=lambda event: str(event["ResourceProperties"]["TaskArn"]))
def handler(event: dict[str, Any], context: Any) -> None:
    """Create and update start the task (or resume it), delete stops it."""
    properties = event["ResourceProperties"]
    task = Task(boto3.client("dms"), properties["TaskArn"], Deadline(context))
    if event["RequestType"] == "Delete":
        task.stop()
        return
    task.test_connections(properties["InstanceArn"], properties["EndpointArns"])
    task.start()
