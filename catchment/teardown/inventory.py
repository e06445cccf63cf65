"""What of an environment is in the account: stacks in the order they go, tasks, and what will stay."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from catchment.errors import SettingsError

ORDER = ("delivery", "monitoring", "replication", "replica", "apply", "sources", "network", "lake")
"""Stacks as they go: each before those that it reads from. One with another name goes first."""

_ENGINE = "SourceEngine"
_TASKS = ("AWS::DMS::ReplicationTask", "AWS::DMS::ReplicationConfig")
_STAYS = ("Retain", "RetainExceptOnCreate", "Snapshot")
_COSTS = {
    "AWS::DynamoDB::Table": "its storage, by the GB and month",
    "AWS::EC2::SecurityGroup": "nothing",
    "AWS::EC2::Subnet": "nothing",
    "AWS::EC2::VPC": "nothing",
    "AWS::IAM::Role": "nothing",
    "AWS::KMS::Key": "about 1 $ a month",
    "AWS::Logs::LogGroup": "its storage, by the GB and month",
    "AWS::RDS::DBParameterGroup": "nothing",
    "AWS::RDS::DBSubnetGroup": "nothing",
    "AWS::RDS::OptionGroup": "nothing",
    "AWS::RDS::DBInstance": "instance hours and storage, or the storage of its snapshot",
    "AWS::S3::Bucket": "its storage, by the GB and month",
    "AWS::SecretsManager::Secret": "about 0.40 $ a month",
    "AWS::SecretsManager::SecretTargetAttachment": "nothing",
}
"""List prices of us-east-1, November 2026."""


@dataclass(frozen=True)
class Kept:
    """A resource that outlives its stack, and what it goes on costing."""

    stack: str
    type: str
    id: str
    how: str
    costs: str


@dataclass(frozen=True)
class StackFound:
    """A stack that is there: its status, its resources' physical ids by logical id, its outputs."""

    name: str
    status: str
    resources: Mapping[str, tuple[str, str]]
    """Type and physical id by logical id."""
    outputs: Mapping[str, str]
    kept: Sequence[Kept]
    emptied: Sequence[str]
    """Buckets that are emptied because both keys allow it."""

    @property
    def tasks(self) -> list[str]:
        """ARNs of its replication tasks and serverless replications."""
        return [found for kind, found in self.resources.values() if kind in _TASKS]

    @property
    def notes(self) -> dict[str, str]:
        """By source, the SSM parameter that says what its task holds; it is gone once that is cleared up."""
        names = [found for kind, found in self.resources.values() if kind == "Custom::SourceCleanUp"]
        parameters = [name.partition(":")[2] for name in names]
        return {parameter.split("/")[-2]: parameter for parameter in parameters}


@dataclass(frozen=True)
class Inventory:
    """An environment as it is deployed; ``stacks`` in the order in which they go."""

    environment: str
    stacks: Sequence[StackFound]

    @property
    def tasks(self) -> list[str]:
        """ARNs of all replication tasks."""
        return [task for stack in self.stacks for task in stack.tasks]

    @property
    def kept(self) -> list[Kept]:
        """What will be left in the account."""
        return [kept for stack in self.stacks for kept in stack.kept]

    def sources(self) -> dict[str, tuple[str, str]]:
        """Each source's engine and the ARN of its secret."""
        outputs = {name: value for stack in self.stacks for name, value in stack.outputs.items()}
        engines = {name.removesuffix(_ENGINE): value for name, value in outputs.items() if name.endswith(_ENGINE)}
        return {name: (engine, outputs[f"{name}SecretArn"]) for name, engine in engines.items()}


def take_inventory(environment: str, stack_prefix: str) -> Inventory:
    """Look at the account and region of the caller's credentials for ``<stack_prefix>-<environment>-…``.

    Raises SettingsError where the stacks cannot be listed.
    """
    formation = boto3.client("cloudformation")
    prefix = f"{stack_prefix}-{environment}-"
    try:
        found = [
            stack
            for page in formation.get_paginator("describe_stacks").paginate()
            for stack in page["Stacks"]
            if stack["StackName"].startswith(prefix) and stack["StackStatus"] != "DELETE_COMPLETE"
        ]
    except (ClientError, BotoCoreError) as error:
        raise SettingsError("teardown", "credentials", environment, f"the stacks cannot be listed: {error}") from error
    found.sort(key=lambda stack: _place(stack["StackName"].removeprefix(prefix)))
    return Inventory(environment, [_look(formation, stack) for stack in found])


def _place(name: str) -> int:
    return ORDER.index(name) if name in ORDER else -1


def _look(formation: Any, stack: Mapping[str, Any]) -> StackFound:
    name = stack["StackName"]
    body = formation.get_template(StackName=name)["TemplateBody"]
    template = json.loads(body) if isinstance(body, str) else body
    resources = {
        each["LogicalResourceId"]: (each["ResourceType"], each.get("PhysicalResourceId", ""))
        for each in formation.describe_stack_resources(StackName=name)["StackResources"]
        if each["ResourceStatus"] != "DELETE_COMPLETE"
    }
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}
    kept = list(_kept(name, template["Resources"], resources))
    emptied = [
        physical
        for logical_id, (kind, physical) in resources.items()
        if kind == "Custom::EmptiedBucket" and logical_id in template["Resources"]
    ]
    return StackFound(name, stack["StackStatus"], resources, outputs, kept, emptied)


def _kept(stack: str, template: Mapping[str, Any], resources: Mapping[str, tuple[str, str]]) -> Iterator[Kept]:
    for logical_id, (kind, physical) in resources.items():
        policy = template.get(logical_id, {}).get("DeletionPolicy", "Delete")
        if policy in _STAYS:
            how = "a snapshot of it stays" if policy == "Snapshot" else "it stays"
            yield Kept(stack, kind, physical, how, _COSTS.get(kind, "see the service's price list"))
