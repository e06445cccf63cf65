"""AWS::EC2 types that ministack's API has and its CloudFormation lacks. Networks are records: nothing is routed."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

from local.aws.resources.kind import Created, Properties, ResourceKind

Call = Callable[[str, dict[str, Any]], Callable[[str], str]]
"""An EC2 action with query parameters; gives a reader of the answer's elements. Raises ValueError."""


def kinds(call: Call) -> dict[str, ResourceKind]:
    """The types by name."""
    return {
        "AWS::EC2::FlowLog": _flow_log(call),
        "AWS::EC2::SecurityGroupIngress": _security_group_rule(call, "Ingress"),
        "AWS::EC2::SecurityGroupEgress": _security_group_rule(call, "Egress"),
    }


def _flow_log(call: Call) -> ResourceKind:
    def create(_logical_id: str, properties: Properties, _stack: str) -> Created:
        parameters = {
            "ResourceId.1": properties["ResourceId"],
            "ResourceType": properties["ResourceType"],
            "TrafficType": properties.get("TrafficType", "ALL"),
            "LogDestinationType": properties.get("LogDestinationType", "cloud-watch-logs"),
            "LogDestination": properties.get("LogDestination", ""),
            "LogGroupName": properties.get("LogGroupName", ""),
        }
        identifier = call("CreateFlowLogs", parameters)("item")
        return Created(identifier, {"Id": identifier})

    def delete(identifier: str, _properties: Properties) -> None:
        call("DeleteFlowLogs", {"FlowLogId.1": identifier})

    return ResourceKind(create, delete)


def _security_group_rule(call: Call, direction: str) -> ResourceKind:
    def create(_logical_id: str, properties: Properties, _stack: str) -> Created:
        call(f"AuthorizeSecurityGroup{direction}", dict(_permission(properties)))
        identifier = f"sgr-{uuid.uuid4().hex[:17]}"
        return Created(identifier, {"Id": identifier})

    def delete(_identifier: str, properties: Properties) -> None:
        call(f"RevokeSecurityGroup{direction}", dict(_permission(properties)))

    return ResourceKind(create, delete)


def _permission(properties: Properties) -> Iterator[tuple[str, Any]]:
    yield "GroupId", properties["GroupId"]
    first = "IpPermissions.1"
    yield f"{first}.IpProtocol", properties["IpProtocol"]
    for name in ("FromPort", "ToPort"):
        if name in properties:
            yield f"{first}.{name}", properties[name]
    if "CidrIp" in properties:
        yield f"{first}.IpRanges.1.CidrIp", properties["CidrIp"]
    if "CidrIpv6" in properties:
        yield f"{first}.Ipv6Ranges.1.CidrIpv6", properties["CidrIpv6"]
    for name in ("SourceSecurityGroupId", "DestinationSecurityGroupId"):
        if name in properties:
            yield f"{first}.Groups.1.GroupId", properties[name]
