"""Deploy a cloud assembly to the local AWS, update it, destroy it: what ``cdk deploy`` does, without Node."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local.aws.assembly import Assembly, Stack
from local.aws.bootstrap import asset_bucket
from local.aws.host import LocalAws

STACK_SECONDS = 600.0
LONGEST_REASON = 2000
_CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]

OnEvent = Callable[[str, str, float], None]
"""Called with a stack's name, its status and the seconds since its deployment began."""


class DeploymentFailed(RuntimeError):
    """A stack did not get where it should; says which resource stopped it, and why."""

    def __init__(self, stack: str, status: str, resource: str, kind: str, reason: str) -> None:
        reason = reason[:LONGEST_REASON]  # CloudFormation may quote the whole template
        super().__init__(stack, status, resource, kind, reason)
        self.stack, self.status, self.resource, self.kind, self.reason = stack, status, resource, kind, reason

    def __str__(self) -> str:
        return f"stack {self.stack} is {self.status}: {self.resource} ({self.kind}): {self.reason}"


def deploy(
    aws: LocalAws,
    assembly: Path,
    stacks: Sequence[str] | None = None,
    on_event: OnEvent = lambda stack, status, seconds: None,
) -> dict[str, dict[str, str]]:
    """Create or update the stacks of ``assembly`` (cdk.out), in their order, each by a change set.

    Returns the outputs by stack name. Raises DeploymentFailed; CloudFormation has rolled that stack back by then.
    """
    read = Assembly(assembly, aws.account, aws.region)
    publish_assets(aws, read)
    cloudformation = aws.client("cloudformation")
    outputs = {}
    for stack in read.stacks(None if stacks is None else set(stacks)):
        started = time.monotonic()
        on_event(stack.name, "IN_PROGRESS", 0.0)
        status = _deploy_stack(cloudformation, stack, _publish_template(aws, stack))
        on_event(stack.name, status, time.monotonic() - started)
        outputs[stack.name] = _outputs(cloudformation, stack.name)
    return outputs


def destroy(aws: LocalAws, assembly: Path, stacks: Sequence[str] | None = None) -> None:
    """Delete the stacks, those that need others first. Raises DeploymentFailed."""
    read = Assembly(assembly, aws.account, aws.region)
    chosen = read.stacks() if stacks is None else [s for s in read.stacks() if {s.name, s.id} & set(stacks)]
    cloudformation = aws.client("cloudformation")
    for stack in reversed(chosen):
        known = _describe(cloudformation, stack.name)
        if known is None:
            continue
        cloudformation.delete_stack(StackName=stack.name)
        _wait(cloudformation, known["StackId"], ("DELETE_COMPLETE",))


def publish_assets(aws: LocalAws, assembly: Assembly) -> None:
    """Put the assets where the templates expect them, but for those that are there already."""
    s3 = aws.client("s3")
    for asset in assembly.assets():
        if not _exists(s3, asset.bucket, asset.key):
            s3.put_object(Bucket=asset.bucket, Key=asset.key, Body=asset.content())


def _exists(s3: Any, bucket: str, key: str) -> bool:
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return False
        raise
    return True


def _publish_template(aws: LocalAws, stack: Stack) -> str:
    # by its address: a template handed over in the request may have no more than 51,200 bytes
    bucket, key = asset_bucket(aws.account, aws.region), f"templates/{stack.name}.json"
    aws.client("s3").put_object(Bucket=bucket, Key=key, Body=stack.template.read_bytes())
    return f"{aws.endpoint}/{bucket}/{key}"


def _deploy_stack(cloudformation: Any, stack: Stack, template_url: str) -> str:
    known = _describe(cloudformation, stack.name)
    kind = "CREATE" if known is None or known["StackStatus"] == "REVIEW_IN_PROGRESS" else "UPDATE"
    name = f"deploy-{uuid.uuid4().hex}"
    try:
        change = cloudformation.create_change_set(
            StackName=stack.name,
            ChangeSetName=name,
            ChangeSetType=kind,
            TemplateURL=template_url,
            Capabilities=_CAPABILITIES,
        )
    except ClientError as error:
        raise DeploymentFailed(
            stack.name, "REFUSED", "template", "template", error.response["Error"]["Message"]
        ) from error
    described = _wait_for_change_set(cloudformation, change["Id"])
    if described["Status"] == "FAILED":
        reason = described.get("StatusReason", "")
        cloudformation.delete_change_set(ChangeSetName=change["Id"])
        if "didn't contain changes" in reason or "No updates are to be performed" in reason:
            return "UNCHANGED"
        raise DeploymentFailed(stack.name, "FAILED", "change set", "change set", reason)
    cloudformation.execute_change_set(ChangeSetName=change["Id"])
    return _wait(cloudformation, change["StackId"], (f"{kind}_COMPLETE",))


def _wait_for_change_set(cloudformation: Any, change_set: str) -> dict[str, Any]:
    deadline = time.monotonic() + STACK_SECONDS
    while True:
        described: dict[str, Any] = cloudformation.describe_change_set(ChangeSetName=change_set)
        if described["Status"] in ("CREATE_COMPLETE", "FAILED") or time.monotonic() > deadline:
            return described
        time.sleep(0.02)


def _wait(cloudformation: Any, stack_id: str, wanted: tuple[str, ...]) -> str:
    deadline = time.monotonic() + STACK_SECONDS
    pause = 0.01
    while True:
        stack = cloudformation.describe_stacks(StackName=stack_id)["Stacks"][0]
        status: str = stack["StackStatus"]
        over = not status.endswith("_IN_PROGRESS")
        if over and status in wanted:
            return status
        if over or time.monotonic() > deadline:
            raise _failure(cloudformation, stack_id, stack["StackName"], status, stack.get("StackStatusReason", ""))
        time.sleep(pause)
        pause = min(pause * 1.5, 0.25)


def _failure(cloudformation: Any, stack_id: str, name: str, status: str, reason: str) -> DeploymentFailed:
    events = cloudformation.describe_stack_events(StackName=stack_id)["StackEvents"]
    failed = [event for event in events if event["ResourceStatus"].endswith("_FAILED")]
    causes = [event for event in failed if "cancelled" not in event.get("ResourceStatusReason", "")] or failed
    if not causes:
        return DeploymentFailed(name, status, "stack", "AWS::CloudFormation::Stack", reason)
    first = causes[-1]  # events come newest first
    return DeploymentFailed(
        name, status, first["LogicalResourceId"], first["ResourceType"], first.get("ResourceStatusReason", reason)
    )


def _describe(cloudformation: Any, name: str) -> dict[str, Any] | None:
    try:
        described: dict[str, Any] = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in error.response["Error"]["Message"]:
            return None
        raise
    return described


def _outputs(cloudformation: Any, name: str) -> dict[str, str]:
    stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
