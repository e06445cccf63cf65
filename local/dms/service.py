"""The DMS service: actions of its API in, answers or faults out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from local.dms.access import AwsAccess
from local.dms.api_model import check
from local.dms.behaviour import Behaviour
from local.dms.endpoints import EndpointApi
from local.dms.events import PutEvent
from local.dms.faults import DmsFault
from local.dms.instances import InstanceApi
from local.dms.registry import Registry
from local.dms.replications import ReplicationApi
from local.dms.tasks import TaskApi

Handler = Callable[[dict[str, Any]], dict[str, Any]]


class DmsService:
    """AWS DMS of one account and region.

    ``state`` keeps resources and tasks over restarts; ``endpoint_url`` is the AWS that endpoints live in (S3, Secrets
    Manager, STS, CloudWatch). ``chaos_seed`` makes tasks adversaries, ``behaviour`` decides what nobody documents,
    ``folder_targets`` makes buckets folders below it, for use without any AWS. ``put_event`` is told of tasks that
    start, stop and fail, in a thread of its own. Answers carry times as seconds since
    1970. Nothing here waits for the endpoint: what has to, goes on in the background. Thread-safe.

    Example: ``DmsService(folder, endpoint, "123456789012", "us-east-1").handle("DescribeEndpoints", {})``
    """

    def __init__(
        self,
        state: Path,
        endpoint_url: str,
        account: str,
        region: str,
        *,
        chaos_seed: int | None = None,
        behaviour: Behaviour | None = None,
        folder_targets: Path | None = None,
        put_event: PutEvent | None = None,
    ) -> None:
        self._registry = Registry(state / "resources.json")
        # the local AWS lets the account's number in as its root user
        access = AwsAccess(endpoint_url, region, account, "local")
        prefix = f"arn:aws:dms:{region}:{account}"

        def target_url(bucket: str) -> str:
            return f"s3://{bucket}" if folder_targets is None else (folder_targets / bucket).resolve().as_uri()

        instances = InstanceApi(self._registry, prefix, region)
        endpoints = EndpointApi(self._registry, prefix, access, target_url)
        self._tasks = TaskApi(
            self._registry,
            prefix,
            access,
            endpoints,
            state / "tasks",
            target_url,
            behaviour or Behaviour(),
            chaos_seed,
            put_event,
        )
        serverless = ReplicationApi(self._registry, prefix, self._tasks)
        self._handlers: dict[str, Handler] = {
            "CreateReplicationSubnetGroup": instances.create_replication_subnet_group,
            "ModifyReplicationSubnetGroup": instances.modify_replication_subnet_group,
            "DeleteReplicationSubnetGroup": instances.delete_replication_subnet_group,
            "DescribeReplicationSubnetGroups": instances.describe_replication_subnet_groups,
            "CreateReplicationInstance": instances.create_replication_instance,
            "ModifyReplicationInstance": instances.modify_replication_instance,
            "DeleteReplicationInstance": instances.delete_replication_instance,
            "DescribeReplicationInstances": instances.describe_replication_instances,
            "CreateEndpoint": endpoints.create_endpoint,
            "ModifyEndpoint": endpoints.modify_endpoint,
            "DeleteEndpoint": endpoints.delete_endpoint,
            "DescribeEndpoints": endpoints.describe_endpoints,
            "TestConnection": endpoints.test_connection,
            "DescribeConnections": endpoints.describe_connections,
            "DeleteConnection": endpoints.delete_connection,
            "CreateReplicationTask": self._tasks.create_replication_task,
            "ModifyReplicationTask": self._tasks.modify_replication_task,
            "DeleteReplicationTask": self._tasks.delete_replication_task,
            "DescribeReplicationTasks": self._tasks.describe_replication_tasks,
            "StartReplicationTask": self._tasks.start_replication_task,
            "StopReplicationTask": self._tasks.stop_replication_task,
            "ReloadTables": self._tasks.reload_tables,
            "DescribeTableStatistics": self._tasks.describe_table_statistics,
            "CreateReplicationConfig": serverless.create_replication_config,
            "ModifyReplicationConfig": serverless.modify_replication_config,
            "DeleteReplicationConfig": serverless.delete_replication_config,
            "DescribeReplicationConfigs": serverless.describe_replication_configs,
            "DescribeReplications": serverless.describe_replications,
            "StartReplication": serverless.start_replication,
            "StopReplication": serverless.stop_replication,
            "ReloadReplicationTables": serverless.reload_replication_tables,
            "DescribeReplicationTableStatistics": serverless.describe_replication_table_statistics,
            "AddTagsToResource": self._add_tags,
            "RemoveTagsFromResource": self._remove_tags,
            "ListTagsForResource": self._list_tags,
        }

    def handle(self, action: str, params: dict[str, Any]) -> dict[str, Any]:
        """Do one action. Raises DmsFault with the code and message of the API."""
        check(action, params)
        handler = self._handlers.get(action)
        if handler is None:
            raise DmsFault("UnknownOperationException", f"{action} is not emulated")
        with self._registry.lock:
            return handler(params)

    def close(self) -> None:
        """Stop every task in an orderly way and wait for it."""
        self._tasks.close()

    def _add_tags(self, params: dict[str, Any]) -> dict[str, Any]:
        record = self._registry.find(params["ResourceArn"])
        added = {tag["Key"]: tag for tag in [*record.get("Tags", []), *params["Tags"]]}
        record["Tags"] = list(added.values())
        self._registry.save()
        return {}

    def _remove_tags(self, params: dict[str, Any]) -> dict[str, Any]:
        record = self._registry.find(params["ResourceArn"])
        record["Tags"] = [tag for tag in record.get("Tags", []) if tag["Key"] not in params["TagKeys"]]
        self._registry.save()
        return {}

    def _list_tags(self, params: dict[str, Any]) -> dict[str, Any]:
        arns = [params["ResourceArn"]] if "ResourceArn" in params else params.get("ResourceArnList", [])
        return {"TagList": [{**tag, "ResourceArn": a} for a in arns for tag in self._registry.find(a).get("Tags", [])]}
