"""The API of serverless replications: each is a task under the hood, without an instance and with states of its own."""

from __future__ import annotations

from typing import Any

from local.dms.api_model import page, select
from local.dms.faults import invalid_state, invalid_value
from local.dms.registry import Registry, new_identifier
from local.dms.tasks import TaskApi

UNITS = (1, 2, 4, 8, 16, 32, 64, 128, 192, 256, 384)
_STATES = {"ready": "created", "starting": "replication_starting"}
_FILTERS = {
    "replication-config-arn": lambda r: r["ReplicationConfigArn"],
    "replication-config-id": lambda r: r["ReplicationConfigIdentifier"],
}
_AS_TASK = {
    "ReplicationType": "MigrationType",
    "ReplicationSettings": "ReplicationTaskSettings",
    "TableMappings": "TableMappings",
    "SourceEndpointArn": "SourceEndpointArn",
    "TargetEndpointArn": "TargetEndpointArn",
}


class ReplicationApi:
    """Actions on replication configs and their replications. What they run on is this machine, whatever the units."""

    def __init__(self, registry: Registry, arn_prefix: str, tasks: TaskApi) -> None:
        self._registry, self._prefix, self._tasks = registry, arn_prefix, tasks

    def create_replication_config(self, params: dict[str, Any]) -> dict[str, Any]:
        """Make a config; its replication is not started."""
        compute = params["ComputeConfig"]
        _check_units(compute)
        if group := compute.get("ReplicationSubnetGroupId", "").lower():
            self._registry.get("subnet_group", group)
        arn = f"{self._prefix}:replication-config:{params.get('ResourceIdentifier') or new_identifier()}"
        task = {_AS_TASK[name]: value for name, value in params.items() if name in _AS_TASK}
        identity = {
            "ReplicationTaskIdentifier": params["ReplicationConfigIdentifier"],
            "Tags": params.get("Tags", []),
            "_serverless": compute,
        }
        return {"ReplicationConfig": self._config(self._tasks.add({**task, **identity}, arn))}

    def modify_replication_config(self, params: dict[str, Any]) -> dict[str, Any]:
        """Change a config whose replication stands."""
        arn = params["ReplicationConfigArn"]
        task = self._task(arn)
        if any(params.get(name, task[name]) != task[name] for name in ("SourceEndpointArn", "TargetEndpointArn")):
            raise invalid_value("other endpoints of a replication config are not emulated")
        changed = {_AS_TASK[name]: value for name, value in params.items() if name in _AS_TASK}
        if "ComputeConfig" in params:
            _check_units(params["ComputeConfig"])
        self._tasks.modify_replication_task({"ReplicationTaskArn": arn, **changed})
        if "ComputeConfig" in params:
            task["_serverless"] = params["ComputeConfig"]
            self._registry.save()
        return {"ReplicationConfig": self._config(task)}

    def delete_replication_config(self, params: dict[str, Any]) -> dict[str, Any]:
        """Remove a config whose replication stands, and, in the background, its slot and publications."""
        task = self._task(params["ReplicationConfigArn"])
        self._tasks.delete_replication_task({"ReplicationTaskArn": params["ReplicationConfigArn"]})
        return {"ReplicationConfig": self._config(task)}

    def describe_replication_configs(self, params: dict[str, Any]) -> dict[str, Any]:
        """List configs."""
        found = select([self._config(task) for task in self._all()], params, _FILTERS, "ReplicationConfigs")
        return page(found, params, "ReplicationConfigs")

    def describe_replications(self, params: dict[str, Any]) -> dict[str, Any]:
        """List replications with their states and statistics."""
        found = select([self._replication(task) for task in self._all()], params, _FILTERS, "Replications")
        return page(found, params, "Replications")

    def start_replication(self, params: dict[str, Any]) -> dict[str, Any]:
        """Start, resume or reload a replication that stands. It tries its connections by using them."""
        for name in ("CdcStartTime", "CdcStartPosition", "CdcStopPosition", "PremigrationAssessmentSettings"):
            if params.get(name):
                raise invalid_value(f"{name} is not emulated")
        arn, how = params["ReplicationConfigArn"], params["StartReplicationType"]
        self._tasks.start_replication_task({"ReplicationTaskArn": arn, "StartReplicationTaskType": how})
        return {"Replication": self._replication(self._task(arn))}

    def stop_replication(self, params: dict[str, Any]) -> dict[str, Any]:
        """Ask a running replication to write what waits and stop."""
        arn = params["ReplicationConfigArn"]
        self._tasks.stop_replication_task({"ReplicationTaskArn": arn})
        return {"Replication": self._replication(self._task(arn))}

    def reload_replication_tables(self, params: dict[str, Any]) -> dict[str, Any]:
        """Load tables of a running replication again."""
        arn = params["ReplicationConfigArn"]
        more: dict[str, Any] = {name: params[name] for name in ("TablesToReload", "ReloadOption") if name in params}
        self._tasks.reload_tables({"ReplicationTaskArn": arn, **more})
        return {"ReplicationConfigArn": arn}

    def describe_replication_table_statistics(self, params: dict[str, Any]) -> dict[str, Any]:
        """List a replication's tables."""
        arn = params["ReplicationConfigArn"]
        if self._task(arn)["Status"] == "ready":
            raise invalid_state(f"{arn} has never been started.")
        answer = self._tasks.describe_table_statistics({**params, "ReplicationTaskArn": arn})
        del answer["ReplicationTaskArn"]
        lines = answer.pop("TableStatistics")
        return {**answer, "ReplicationConfigArn": arn, "ReplicationTableStatistics": lines}

    def _all(self) -> list[dict[str, Any]]:
        return [task for task in self._registry.all("task") if "_serverless" in task]

    def _task(self, arn: str) -> dict[str, Any]:
        return self._registry.get("task", arn)

    def _config(self, task: dict[str, Any]) -> dict[str, Any]:
        shown = {name: task[of_task] for name, of_task in _AS_TASK.items()}
        return {**self._named(task), **shown, "ComputeConfig": task["_serverless"]}

    def _replication(self, task: dict[str, Any]) -> dict[str, Any]:
        shown = self._tasks.shown(task)
        found = {
            **self._named(task),
            "ReplicationType": task["MigrationType"],
            "Status": _STATES.get(shown["Status"], shown["Status"]),
            "StopReason": shown.get("StopReason"),
            "FailureMessages": [shown["LastFailureMessage"]] if shown.get("LastFailureMessage") else None,
            "ReplicationStats": shown.get("ReplicationTaskStats"),
        }
        if found["ReplicationStats"] and "ReplicationTaskStartDate" in task:
            found["ReplicationStats"]["StartDate"] = task["ReplicationTaskStartDate"]
        return {name: value for name, value in found.items() if value is not None}

    @staticmethod
    def _named(task: dict[str, Any]) -> dict[str, Any]:
        return {
            "ReplicationConfigArn": task["ReplicationTaskArn"],
            "ReplicationConfigIdentifier": task["ReplicationTaskIdentifier"],
        }


def _check_units(compute: dict[str, Any]) -> None:
    low, high = compute.get("MinCapacityUnits", 1), compute.get("MaxCapacityUnits")
    if low not in UNITS or high not in UNITS or low > high:
        raise invalid_value(f"MinCapacityUnits {low}, MaxCapacityUnits {high}: each of {UNITS}, rising")
