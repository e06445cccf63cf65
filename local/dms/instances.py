"""The API of replication instances and subnet groups. They are records only: tasks run as local processes."""

from __future__ import annotations

import time
from typing import Any

from local.dms.api_model import page, select
from local.dms.faults import invalid_state
from local.dms.registry import Registry, new_identifier, public

_INSTANCE_FILTERS = {
    "replication-instance-arn": lambda r: r["ReplicationInstanceArn"],
    "replication-instance-id": lambda r: r["ReplicationInstanceIdentifier"],
    "replication-instance-class": lambda r: r["ReplicationInstanceClass"],
    "engine-version": lambda r: r["EngineVersion"],
}
_GROUP_FILTERS = {"replication-subnet-group-id": lambda r: r["ReplicationSubnetGroupIdentifier"]}

DEFAULT_ENGINE_VERSION = "3.6.1"


class InstanceApi:
    """Actions on instances and subnet groups. ``arn_prefix`` is ``arn:aws:dms:region:account``."""

    def __init__(self, registry: Registry, arn_prefix: str, region: str) -> None:
        self._registry, self._prefix, self._region = registry, arn_prefix, region

    def create_replication_subnet_group(self, params: dict[str, Any]) -> dict[str, Any]:
        """Make a subnet group."""
        name = params["ReplicationSubnetGroupIdentifier"].lower()
        record = {
            "ReplicationSubnetGroupIdentifier": name,
            "ReplicationSubnetGroupDescription": params["ReplicationSubnetGroupDescription"],
            "SubnetGroupStatus": "Complete",
            "Subnets": [{"SubnetIdentifier": s, "SubnetStatus": "Active"} for s in params["SubnetIds"]],
            "Tags": params.get("Tags", []),
            "_arn": f"{self._prefix}:subgrp:{name}",
        }
        self._registry.add("subnet_group", name, record, name="ReplicationSubnetGroupIdentifier")
        return {"ReplicationSubnetGroup": public(record)}

    def modify_replication_subnet_group(self, params: dict[str, Any]) -> dict[str, Any]:
        """Change a subnet group."""
        record = self._registry.get("subnet_group", params["ReplicationSubnetGroupIdentifier"].lower())
        record["Subnets"] = [{"SubnetIdentifier": s, "SubnetStatus": "Active"} for s in params["SubnetIds"]]
        if "ReplicationSubnetGroupDescription" in params:
            record["ReplicationSubnetGroupDescription"] = params["ReplicationSubnetGroupDescription"]
        self._registry.save()
        return {"ReplicationSubnetGroup": public(record)}

    def delete_replication_subnet_group(self, params: dict[str, Any]) -> dict[str, Any]:
        """Remove a subnet group that no instance uses."""
        name = params["ReplicationSubnetGroupIdentifier"].lower()
        self._registry.get("subnet_group", name)
        if any(instance["_subnet_group"] == name for instance in self._registry.all("instance")):
            raise invalid_state(f"Replication subnet group {name} is used by a replication instance.")
        self._registry.remove("subnet_group", name)
        return {}

    def describe_replication_subnet_groups(self, params: dict[str, Any]) -> dict[str, Any]:
        """List subnet groups."""
        found = select(self._registry.all("subnet_group"), params, _GROUP_FILTERS, "ReplicationSubnetGroups")
        return page([public(record) for record in found], params, "ReplicationSubnetGroups")

    def create_replication_instance(self, params: dict[str, Any]) -> dict[str, Any]:
        """Make an instance; it is available at once."""
        group = (params.get("ReplicationSubnetGroupIdentifier") or "").lower()
        if group:
            self._registry.get("subnet_group", group)
        arn = f"{self._prefix}:rep:{params.get('ResourceIdentifier') or new_identifier()}"
        record = {
            **_settable(params),
            "ReplicationInstanceIdentifier": params["ReplicationInstanceIdentifier"].lower(),
            "ReplicationInstanceArn": arn,
            "ReplicationInstanceStatus": "available",
            "AllocatedStorage": params.get("AllocatedStorage", 50),
            "EngineVersion": params.get("EngineVersion", DEFAULT_ENGINE_VERSION),
            "MultiAZ": params.get("MultiAZ", False),
            "PubliclyAccessible": params.get("PubliclyAccessible", True),
            "AutoMinorVersionUpgrade": params.get("AutoMinorVersionUpgrade", True),
            "AvailabilityZone": params.get("AvailabilityZone", f"{self._region}a"),
            "InstanceCreateTime": time.time(),
            "ReplicationInstancePrivateIpAddresses": ["127.0.0.1"],
            "ReplicationInstancePublicIpAddresses": [],
            "Tags": params.get("Tags", []),
            "_arn": arn,
            "_subnet_group": group,
        }
        self._registry.add("instance", arn, record, name="ReplicationInstanceIdentifier")
        return {"ReplicationInstance": {**self._shown(record), "ReplicationInstanceStatus": "creating"}}

    def modify_replication_instance(self, params: dict[str, Any]) -> dict[str, Any]:
        """Change an instance, at once."""
        record = self._registry.get("instance", params["ReplicationInstanceArn"])
        record.update(_settable(params))
        for name in ("AllocatedStorage", "EngineVersion", "MultiAZ", "AutoMinorVersionUpgrade"):
            if name in params:
                record[name] = params[name]
        self._registry.save()
        return {"ReplicationInstance": self._shown(record)}

    def delete_replication_instance(self, params: dict[str, Any]) -> dict[str, Any]:
        """Remove an instance that has no task."""
        record = self._registry.get("instance", params["ReplicationInstanceArn"])
        arn = record["ReplicationInstanceArn"]
        if any(task.get("ReplicationInstanceArn") == arn for task in self._registry.all("task")):
            raise invalid_state(f"Replication instance {arn} has replication tasks.")
        self._registry.remove("instance", arn)
        for connection in self._registry.all("connection"):
            if connection["ReplicationInstanceArn"] == arn:
                self._registry.remove("connection", connection["_key"])
        return {"ReplicationInstance": {**self._shown(record), "ReplicationInstanceStatus": "deleting"}}

    def describe_replication_instances(self, params: dict[str, Any]) -> dict[str, Any]:
        """List instances."""
        found = select(self._registry.all("instance"), params, _INSTANCE_FILTERS, "ReplicationInstances")
        return page([self._shown(record) for record in found], params, "ReplicationInstances")

    def _shown(self, record: dict[str, Any]) -> dict[str, Any]:
        shown = public(record)
        if record["_subnet_group"]:
            shown["ReplicationSubnetGroup"] = public(self._registry.get("subnet_group", record["_subnet_group"]))
        return shown


def _settable(params: dict[str, Any]) -> dict[str, Any]:
    chosen: dict[str, Any] = {
        name: params[name]
        for name in ("ReplicationInstanceClass", "PreferredMaintenanceWindow", "KmsKeyId", "NetworkType")
        if name in params
    }
    if "VpcSecurityGroupIds" in params:
        chosen["VpcSecurityGroups"] = [
            {"VpcSecurityGroupId": group, "Status": "active"} for group in params["VpcSecurityGroupIds"]
        ]
    return chosen
