"""AWS::DMS::*, through the same service that answers the DMS API."""

from __future__ import annotations

import time
from typing import Any, Protocol

from local.aws.resources.kind import Created, Properties, ResourceKind
from local.aws.resources.parameters import api_parameters

WAIT_SECONDS = 300.0

ONLY_TO_MODIFY = frozenset({"AllowMajorVersionUpgrade"})
"""Properties that CloudFormation keeps for an update: the Create call does not know them."""


class DmsHandler(Protocol):
    """The DMS service: ``handle("CreateEndpoint", {…})``; a fault is an exception with ``code`` and ``message``."""

    def handle(self, action: str, params: dict[str, Any]) -> dict[str, Any]: ...


class DmsKinds:
    """The five types, made by calls to ``service``. ``name`` makes a physical name from stack and logical id."""

    def __init__(self, service: DmsHandler, name: Any) -> None:
        self._service = service
        self._name = name

    def kinds(self) -> dict[str, ResourceKind]:
        """The types by name. What a change replaces is taken from the CloudFormation reference of each type."""
        return {
            "AWS::DMS::ReplicationSubnetGroup": ResourceKind(
                self._create_subnet_group,
                self._delete_subnet_group,
                self._update_subnet_group,
                frozenset({"ReplicationSubnetGroupIdentifier"}),
                slow=True,
            ),
            "AWS::DMS::ReplicationInstance": self._kind(
                "ReplicationInstance",
                {"AvailabilityZone", "KmsKeyId", "PubliclyAccessible", "ReplicationSubnetGroupIdentifier"},
            ),
            "AWS::DMS::Endpoint": self._kind("Endpoint", {"KmsKeyId"}),
            "AWS::DMS::ReplicationTask": self._kind(
                "ReplicationTask", {"MigrationType", "SourceEndpointArn", "TargetEndpointArn", "ReplicationInstanceArn"}
            ),
            "AWS::DMS::ReplicationConfig": self._kind("ReplicationConfig", {"ResourceIdentifier"}),
        }

    def _kind(self, noun: str, replacing: set[str]) -> ResourceKind:
        identifier = f"{noun}Identifier"
        arn_name = f"{noun}Arn"

        def create(logical_id: str, properties: Properties, stack: str) -> Created:
            named = {key: value for key, value in properties.items() if key not in ONLY_TO_MODIFY}
            given = {identifier: self._name(stack, logical_id, max_len=31), **named}
            parameters = api_parameters("dms", f"Create{noun}", given, logical_id)
            parameters[identifier] = parameters[identifier].lower()
            made = self._service.handle(f"Create{noun}", parameters)[noun]
            self._wait_until_settled(noun, made[arn_name])
            return Created(made[arn_name], _attributes(noun, made))

        def update(arn: str, old: Properties, new: Properties) -> Created:
            changed = {key: value for key, value in new.items() if old.get(key) != value and key != "Tags"}
            if changed:
                parameters = api_parameters("dms", f"Modify{noun}", {**changed, arn_name: arn}, arn)
                if noun == "ReplicationInstance":
                    parameters["ApplyImmediately"] = True
                self._service.handle(f"Modify{noun}", parameters)
                self._wait_until_settled(noun, arn)
            described = self._describe(noun, arn)
            return Created(arn, _attributes(noun, described or {}))

        def delete(arn: str, _properties: Properties) -> None:
            if self._describe(noun, arn) is None:
                return
            self._service.handle(f"Delete{noun}", {arn_name: arn})
            deadline = time.monotonic() + WAIT_SECONDS
            while self._describe(noun, arn) is not None:
                _sleep_until(deadline, f"{arn} is still being deleted")

        return ResourceKind(create, delete, update, frozenset(replacing), slow=True)

    def _create_subnet_group(self, logical_id: str, properties: Properties, stack: str) -> Created:
        given = {"ReplicationSubnetGroupIdentifier": self._name(stack, logical_id).lower(), **properties}
        parameters = api_parameters("dms", "CreateReplicationSubnetGroup", given, logical_id)
        self._service.handle("CreateReplicationSubnetGroup", parameters)
        return Created(parameters["ReplicationSubnetGroupIdentifier"].lower(), {})

    def _update_subnet_group(self, name: str, _old: Properties, new: Properties) -> Created:
        wanted = {key: value for key, value in new.items() if key != "Tags"}
        parameters = api_parameters(
            "dms", "ModifyReplicationSubnetGroup", {**wanted, "ReplicationSubnetGroupIdentifier": name}, name
        )
        self._service.handle("ModifyReplicationSubnetGroup", parameters)
        return Created(name, {})

    def _delete_subnet_group(self, name: str, _properties: Properties) -> None:
        self._service.handle("DeleteReplicationSubnetGroup", {"ReplicationSubnetGroupIdentifier": name})

    def _describe(self, noun: str, arn: str) -> dict[str, Any] | None:
        dashed = {
            "ReplicationInstance": "replication-instance",
            "ReplicationTask": "replication-task",
            "ReplicationConfig": "replication-config",
        }
        filters = [{"Name": f"{dashed.get(noun, 'endpoint')}-arn", "Values": [arn]}]
        try:
            answer = self._service.handle(f"Describe{noun}s", {"Filters": filters})
        except Exception as fault:
            if getattr(fault, "code", "") == "ResourceNotFoundFault":
                return None
            raise
        found: list[dict[str, Any]] = answer[f"{noun}s"]
        return found[0] if found else None

    def _wait_until_settled(self, noun: str, arn: str) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            described = self._describe(noun, arn) or {}
            status = described.get("ReplicationInstanceStatus") or described.get("Status")
            if status not in ("creating", "modifying"):
                return
            _sleep_until(deadline, f"{arn} is still {status}")


def _attributes(noun: str, described: dict[str, Any]) -> dict[str, Any]:
    if noun == "ReplicationInstance":
        addresses = {
            "ReplicationInstancePublicIpAddresses": described.get("ReplicationInstancePublicIpAddresses", []),
            "ReplicationInstancePrivateIpAddresses": described.get("ReplicationInstancePrivateIpAddresses", []),
        }
        return {name: ",".join(values) for name, values in addresses.items()}
    return {"ExternalId": described.get("ExternalId", "")} if noun == "Endpoint" else {}


def _sleep_until(deadline: float, late: str) -> None:
    if time.monotonic() > deadline:
        raise ValueError(f"{late} after {WAIT_SECONDS:.0f} s")
    time.sleep(0.02)
