"""DMS behind the local AWS: the same service answers the API and CloudFormation."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws import DeploymentFailed, LocalAws, deploy, destroy

SELECT = {
    "rules": [
        {
            "rule-type": "selection",
            "rule-id": "1",
            "rule-name": "1",
            "object-locator": {"schema-name": "sales", "table-name": "clients"},
            "rule-action": "explicit",
        }
    ]
}


def replication(interval: int = 60, **instance: Any) -> dict[str, Any]:
    return {
        "Resources": {
            "Subnets": {
                "Type": "AWS::DMS::ReplicationSubnetGroup",
                "Properties": {"ReplicationSubnetGroupDescription": "d", "SubnetIds": ["subnet-1", "subnet-2"]},
            },
            "Instance": {
                "Type": "AWS::DMS::ReplicationInstance",
                "Properties": {
                    "ReplicationInstanceClass": "dms.t3.medium",
                    "ReplicationSubnetGroupIdentifier": {"Ref": "Subnets"},
                    "PubliclyAccessible": False,
                    **instance,
                },
            },
            "Source": {
                "Type": "AWS::DMS::Endpoint",
                "Properties": {
                    "EndpointType": "source",
                    "EngineName": "postgres",
                    "DatabaseName": "sales",
                    "ServerName": "127.0.0.1",
                    "Port": 5432,
                    "Username": "u",
                    "Password": "p",
                    "PostgreSqlSettings": {"PluginName": "test-decoding", "HeartbeatEnable": "true"},
                },
            },
            "Target": {
                "Type": "AWS::DMS::Endpoint",
                "Properties": {
                    "EndpointType": "target",
                    "EngineName": "s3",
                    "S3Settings": {
                        "BucketName": "landing",
                        "DataFormat": "parquet",
                        "CdcMaxBatchInterval": interval,
                        "ServiceAccessRoleArn": "arn:aws:iam::123456789012:role/dms",
                    },
                },
            },
            "Task": {
                "Type": "AWS::DMS::ReplicationTask",
                "Properties": {
                    "MigrationType": "full-load-and-cdc",
                    "ReplicationInstanceArn": {"Ref": "Instance"},
                    "SourceEndpointArn": {"Ref": "Source"},
                    "TargetEndpointArn": {"Ref": "Target"},
                    "TableMappings": json.dumps(SELECT),
                    "ReplicationTaskSettings": json.dumps({"TargetMetadata": {"LobMaxSize": 64}}),
                },
            },
        },
        "Outputs": {name: {"Value": {"Ref": name}} for name in ("Instance", "Source", "Target", "Task")},
    }


def interval_of(aws: LocalAws, endpoint: str) -> int:
    only = [{"Name": "endpoint-arn", "Values": [endpoint]}]
    described = aws.client("dms").describe_endpoints(Filters=only)["Endpoints"][0]
    return int(described["S3Settings"]["CdcMaxBatchInterval"])


def test_a_replication_is_made_changed_and_deleted(aws: LocalAws, assembly: Callable[..., Path]) -> None:
    dms = aws.client("dms")
    made = deploy(aws, assembly(replication=replication()))["replication"]
    task = dms.describe_replication_tasks()["ReplicationTasks"][0]
    assert (task["ReplicationTaskArn"], task["Status"]) == (made["Task"], "ready")
    assert (task["SourceEndpointArn"], task["TargetEndpointArn"]) == (made["Source"], made["Target"])
    assert interval_of(aws, made["Target"]) == 60

    assert deploy(aws, assembly(replication=replication(interval=5)))["replication"] == made
    assert interval_of(aws, made["Target"]) == 5

    destroy(aws, assembly(replication=replication()))
    for describe in ("describe_replication_tasks", "describe_endpoints", "describe_replication_instances"):
        answer = getattr(dms, describe)()
        assert [value for key, value in answer.items() if key not in ("ResponseMetadata", "Marker")] == [[]]


def test_a_property_dms_does_not_know_is_refused(aws: LocalAws, assembly: Callable[..., Path]) -> None:
    with pytest.raises(DeploymentFailed, match="Colour is not known"):
        deploy(aws, assembly(coloured=replication(Colour="red")))


def test_a_fault_comes_with_its_code(aws: LocalAws) -> None:
    arn = f"arn:aws:dms:{aws.region}:{aws.account}:task:NONE"
    with pytest.raises(ClientError) as fault:
        aws.client("dms").start_replication_task(ReplicationTaskArn=arn, StartReplicationTaskType="start-replication")

    assert fault.value.response["Error"]["Code"] == "ResourceNotFoundFault"


def test_a_function_may_start_the_task_it_was_granted_and_no_other(
    function: Callable[..., str], invoke: Callable[..., tuple[Any, str | None]], aws: LocalAws
) -> None:
    mine, other = (f"arn:aws:dms:{aws.region}:{aws.account}:task:{name}" for name in ("MINE", "OTHER"))
    name = function(
        "starting",
        "import boto3\n"
        "from botocore.exceptions import ClientError\n"
        "def handler(event, context):\n"
        "    start = boto3.client('dms').start_replication_task\n"
        "    try:\n"
        "        start(ReplicationTaskArn=event['task'], StartReplicationTaskType='start-replication')\n"
        "    except ClientError as error:\n"
        "        return error.response['Error']['Code']\n",
        statements=[{"Effect": "Allow", "Action": "dms:StartReplicationTask", "Resource": mine}],
    )

    assert invoke(name, task=mine)[0] == "ResourceNotFoundFault"
    assert "AccessDenied" in invoke(name, task=other)[0]


def test_a_role_that_trusts_another_service_is_not_assumed_for_dms(aws: LocalAws) -> None:
    iam, sts = aws.client("iam"), aws.client("sts")
    for service in ("dms", "lambda"):
        trust = {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": f"{service}.amazonaws.com"},
            "Condition": {"StringEquals": {"aws:SourceAccount": aws.account}},
        }
        iam.create_role(RoleName=f"trusts-{service}", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
    role = f"arn:aws:iam::{aws.account}:role/trusts-"

    sts.assume_role(RoleArn=f"{role}dms", RoleSessionName="dms-session-for-replication-task")
    with pytest.raises(ClientError, match="AccessDenied"):
        sts.assume_role(RoleArn=f"{role}lambda", RoleSessionName="dms-session-for-replication-task")
