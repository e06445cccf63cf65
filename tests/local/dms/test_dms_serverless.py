"""The DMS API of serverless replications, over a real source."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from local.dms.faults import DmsFault
from tests.local.dms.test_dms_service import Dms, dms

__all__ = ["dms"]

UNITS = {"MinCapacityUnits": 1, "MaxCapacityUnits": 4}


def _create(dms: Dms, mappings: list[Any], **changed: Any) -> str:
    params = {
        "ReplicationConfigIdentifier": "orders-serverless",
        "SourceEndpointArn": dms.source,
        "TargetEndpointArn": dms.target,
        "ReplicationType": "full-load-and-cdc",
        "TableMappings": json.dumps({"rules": mappings}),
        "ComputeConfig": UNITS,
    }
    made = dms.call("CreateReplicationConfig", **{**params, **changed})["ReplicationConfig"]
    return str(made["ReplicationConfigArn"])


def _status(dms: Dms) -> str:
    (found,) = dms.call("DescribeReplications")["Replications"]
    return str(found["Status"])


def test_a_replication_runs_without_an_instance_and_is_changed_while_it_stands(
    dms: Dms, mappings: list[Any], wait_for: Callable[..., Any]
) -> None:
    arn = _create(dms, mappings)
    assert _status(dms) == "created"
    assert [each["ReplicationTaskArn"] for each in dms.call("DescribeReplicationTasks")["ReplicationTasks"]] == [
        dms.task
    ]
    dms.call("StartReplication", ReplicationConfigArn=arn, StartReplicationType="start-replication")
    wait_for(lambda: _status(dms) == "running", "the replication to run")

    def lines() -> list[dict[str, Any]]:
        asked = {"ReplicationConfigArn": arn}
        return list(dms.call("DescribeReplicationTableStatistics", **asked)["ReplicationTableStatistics"])

    wait_for(lambda: [line["TableState"] for line in lines()] == ["Table completed"], "the load")
    assert lines()[0]["FullLoadRows"] == 2
    with pytest.raises(DmsFault, match="cannot be modified"):
        dms.call("ModifyReplicationConfig", ReplicationConfigArn=arn, ComputeConfig={"MaxCapacityUnits": 8})
    with pytest.raises(DmsFault, match="cannot be deleted"):
        dms.call("DeleteReplicationConfig", ReplicationConfigArn=arn)
    dms.call("StopReplication", ReplicationConfigArn=arn)
    wait_for(lambda: _status(dms) == "stopped", "the replication to stop")
    dms.call("ModifyReplicationConfig", ReplicationConfigArn=arn, ComputeConfig={"MaxCapacityUnits": 8})
    (config,) = dms.call("DescribeReplicationConfigs")["ReplicationConfigs"]
    assert config["ComputeConfig"] == {"MaxCapacityUnits": 8}
    dms.call("DeleteReplicationConfig", ReplicationConfigArn=arn)
    wait_for(lambda: not dms.call("DescribeReplications")["Replications"], "the replication to go")
    told = {(event["DetailType"], json.loads(event["Detail"])["eventType"]) for event in dms.events}
    assert ("DMS Replication State Change", "REPLICATION_STOPPED") in told


@pytest.mark.parametrize("units", [{"MaxCapacityUnits": 3}, {"MinCapacityUnits": 8, "MaxCapacityUnits": 4}, {}])
def test_capacity_that_dms_does_not_have_is_refused(dms: Dms, mappings: list[Any], units: dict[str, int]) -> None:
    with pytest.raises(DmsFault, match="rising"):
        _create(dms, mappings, ComputeConfig=units)


def test_no_start_from_a_position_is_emulated(dms: Dms, mappings: list[Any]) -> None:
    asked = {"StartReplicationType": "start-replication", "CdcStartPosition": "4AF/B0"}
    with pytest.raises(DmsFault, match="CdcStartPosition is not emulated"):
        dms.call("StartReplication", ReplicationConfigArn=_create(dms, mappings), **asked)


def test_an_instance_goes_though_there_are_serverless_replications(
    dms: Dms, mappings: list[Any], wait_for: Callable[..., Any]
) -> None:
    _create(dms, mappings)
    dms.call("DeleteReplicationTask", ReplicationTaskArn=dms.task)
    wait_for(lambda: not dms.call("DescribeReplicationTasks")["ReplicationTasks"], "the task to go")
    dms.call("DeleteReplicationInstance", ReplicationInstanceArn=dms.instance)
    assert dms.call("DescribeReplicationInstances")["ReplicationInstances"] == []
