"""The DMS API of the local AWS: endpoints act as their roles, files and metrics arrive."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.aws import LocalAws

BUCKET = "landing"


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[LocalAws]:
    with LocalAws.start(tmp_path / "aws") as started:
        yield started


def role(aws: LocalAws, name: str, service: str, actions: list[str], resource: str) -> str:
    trust = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": service},
        "Condition": {"StringEquals": {"aws:SourceAccount": aws.account}},
    }
    iam = aws.client("iam")
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy(trust))
    granted = {"Effect": "Allow", "Action": actions, "Resource": resource}
    iam.put_role_policy(RoleName=name, PolicyName="grant", PolicyDocument=_policy(granted))
    return str(made["Role"]["Arn"])


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def events_of(aws: LocalAws, source: str) -> str:
    """A queue that gets the events of ``source``; its URL."""
    sqs, events = aws.client("sqs"), aws.client("events")
    rule = events.put_rule(Name="tasks", EventPattern=json.dumps({"source": [source]}))["RuleArn"]
    queue = str(sqs.create_queue(QueueName="tasks")["QueueUrl"])
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sender = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
    }
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": _policy(sender)})
    events.put_targets(Rule="tasks", Targets=[{"Id": "queue", "Arn": arn}])
    return queue


def received(aws: LocalAws, queue: str, wait_for: Callable[..., Any]) -> dict[str, Any]:
    sqs = aws.client("sqs")
    messages: list[dict[str, Any]] = []

    def arrived() -> bool:
        messages.extend(sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=1).get("Messages", []))
        return bool(messages)

    wait_for(arrived, "an event")
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=messages[0]["ReceiptHandle"])
    found: dict[str, Any] = json.loads(messages[0]["Body"])
    return found


def test_a_task_reads_its_secret_and_writes_to_its_bucket_as_its_roles(
    shop: Any, aws: LocalAws, mappings: list[Any], s3: dict[str, Any], wait_for: Callable[..., Any]
) -> None:
    shop.run("CREATE TABLE shop.orders (id int PRIMARY KEY)", "INSERT INTO shop.orders VALUES (1)")
    bucket, dms = aws.client("s3"), aws.client("dms")
    bucket.create_bucket(Bucket=BUCKET)
    login = {"username": "dms", "password": "dms", "host": shop.server.host, "port": shop.server.port}
    secret = aws.client("secretsmanager").create_secret(Name="sales", SecretString=json.dumps(login))["ARN"]
    regional, everything = f"dms.{aws.region}.amazonaws.com", f"arn:aws:s3:::{BUCKET}*"
    reader = role(aws, "reader", regional, ["secretsmanager:GetSecretValue"], secret)
    stranger = role(aws, "stranger", "ec2.amazonaws.com", ["secretsmanager:GetSecretValue"], secret)
    writer = role(aws, "writer", "dms.amazonaws.com", ["s3:PutObject", "s3:DeleteObject", "s3:ListBucket"], everything)
    idle = role(aws, "idle", "dms.amazonaws.com", ["s3:ListBucket"], everything)
    instance = dms.create_replication_instance(
        ReplicationInstanceIdentifier="replicator", ReplicationInstanceClass="dms.t3.medium"
    )["ReplicationInstance"]["ReplicationInstanceArn"]

    def endpoint(name: str, **settings: Any) -> str:
        made = dms.create_endpoint(EndpointIdentifier=name, **settings)["Endpoint"]["EndpointArn"]
        dms.test_connection(ReplicationInstanceArn=instance, EndpointArn=made)
        return str(made)

    def source(name: str, reads: str) -> str:
        own = {"SecretsManagerSecretId": secret, "SecretsManagerAccessRoleArn": reads}
        return endpoint(
            name, EndpointType="source", EngineName="postgres", DatabaseName=shop.name, PostgreSQLSettings=own
        )

    def target(name: str, writes: str) -> str:
        own = {**s3, "BucketName": BUCKET, "ServiceAccessRoleArn": writes}
        return endpoint(name, EndpointType="target", EngineName="s3", S3Settings=own)

    good = source("good", reader), target("better", writer)
    bad = source("bad", stranger), target("worse", idle)

    def outcomes() -> dict[str, str]:
        return {found["EndpointArn"]: found["Status"] for found in dms.describe_connections()["Connections"]}

    wait_for(lambda: "testing" not in outcomes().values(), "the connections' tests")
    assert [outcomes()[arn] for arn in (*good, *bad)] == ["successful", "successful", "failed", "failed"]

    task = dms.create_replication_task(
        ReplicationTaskIdentifier="orders",
        SourceEndpointArn=good[0],
        TargetEndpointArn=good[1],
        ReplicationInstanceArn=instance,
        MigrationType="full-load-and-cdc",
        TableMappings=json.dumps({"rules": mappings}),
    )["ReplicationTask"]["ReplicationTaskArn"]
    queue = events_of(aws, "aws.dms")
    dms.start_replication_task(ReplicationTaskArn=task, StartReplicationTaskType="start-replication")

    def keys() -> list[str]:
        return [item["Key"] for item in bucket.list_objects_v2(Bucket=BUCKET).get("Contents", [])]

    wait_for(lambda: "sales/shop/orders/LOAD00000001.parquet" in keys(), "the full load")
    wait_for(lambda: dms.describe_replication_tasks()["ReplicationTasks"][0]["Status"] == "running", "the task")
    shop.run("INSERT INTO shop.orders VALUES (2)")
    wait_for(lambda: len(keys()) == 2, "the change")
    dms.stop_replication_task(ReplicationTaskArn=task)
    wait_for(lambda: dms.describe_replication_tasks()["ReplicationTasks"][0]["Status"] == "stopped", "the stop")
    metrics = aws.client("cloudwatch").list_metrics(Namespace="AWS/DMS")["Metrics"]
    assert {metric["MetricName"] for metric in metrics} >= {
        "CDCLatencySource",
        "CDCLatencyTarget",
        "CDCThroughputRowsTarget",
    }
    assert {"Name": "ReplicationTaskIdentifier", "Value": task.rsplit(":", 1)[1]} in metrics[0]["Dimensions"]
    told = [received(aws, queue, wait_for) for _ in range(2)]
    assert [event["detail"]["eventType"] for event in told] == ["REPLICATION_TASK_STARTED", "REPLICATION_TASK_STOPPED"]
    assert {event["resources"][0] for event in told} == {task}
