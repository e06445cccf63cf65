"""Events as deployed: S3 → EventBridge → queue → function, redelivery, dead letters."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from local.aws import DeploymentFailed, LocalAws

APPLYING = """
import json, os, boto3
table = boto3.client("dynamodb")

def handler(event, context):
    failed = []
    for record in event["Records"]:
        key = json.loads(record["body"])["detail"]["object"]["key"]
        if "terrible" in key:
            raise RuntimeError(key)
        if "bad" in key:
            failed.append({"itemIdentifier": record["messageId"]})
            continue
        table.put_item(TableName=os.environ["TABLE"], Item={"pk": {"S": key}})
    return {"batchItemFailures": failed}
"""


POLLING = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]


def flow(bucket: str, package_key: str) -> dict[str, Any]:
    """Resources of the flow; the package lies in ``bucket`` of the bootstrap's assets."""
    get = lambda name, attribute="Arn": {"Fn::GetAtt": [name, attribute]}  # noqa: E731
    return {
        "Landing": {
            "Type": "AWS::S3::Bucket",
            "Properties": {"NotificationConfiguration": {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}},
        },
        "Dead": {"Type": "AWS::SQS::Queue"},
        "Queue": {
            "Type": "AWS::SQS::Queue",
            "Properties": {
                "VisibilityTimeout": 1,
                "RedrivePolicy": {"deadLetterTargetArn": get("Dead"), "maxReceiveCount": 2},
            },
        },
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                "BillingMode": "PAY_PER_REQUEST",
            },
        },
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": {
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Action": "sts:AssumeRole",
                            "Principal": {"Service": "lambda.amazonaws.com"},
                        }
                    ]
                },
                "Policies": [
                    {
                        "PolicyName": "items",
                        "PolicyDocument": {
                            "Statement": [
                                {"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": get("Table")},
                                {"Effect": "Allow", "Action": POLLING, "Resource": get("Queue")},
                            ]
                        },
                    }
                ],
            },
        },
        "Apply": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Code": {"S3Bucket": bucket, "S3Key": package_key},
                "Handler": "app.handler",
                "Runtime": "python3.13",
                "Role": get("Role"),
                "Environment": {"Variables": {"TABLE": {"Ref": "Table"}}},
                "MemorySize": 256,
                "Timeout": 10,
            },
        },
        "Mapping": {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {
                "EventSourceArn": get("Queue"),
                "FunctionName": {"Ref": "Apply"},
                "BatchSize": 10,
                "FunctionResponseTypes": ["ReportBatchItemFailures"],
                "ScalingConfig": {"MaximumConcurrency": 2},
            },
        },
        "Rule": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "EventPattern": {
                    "source": ["aws.s3"],
                    "detail-type": ["Object Created"],
                    "detail": {"bucket": {"name": [{"Ref": "Landing"}]}},
                },
                "Targets": [{"Id": "queue", "Arn": get("Queue")}],
            },
        },
        "Allowed": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {
                "Queues": [{"Ref": "Queue"}],
                "PolicyDocument": {
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Action": "sqs:SendMessage",
                            "Principal": {"Service": "events.amazonaws.com"},
                            "Resource": get("Queue"),
                        }
                    ]
                },
            },
        },
    }


@pytest.fixture
def landed(aws: LocalAws, deployed: Callable[..., dict[str, str]], code: Callable[[str], bytes]) -> dict[str, str]:
    assets = f"cdk-hnb659fds-assets-{aws.account}-{aws.region}"
    aws.client("s3").put_object(Bucket=assets, Key="applying.zip", Body=code(APPLYING))
    refs = {name: {"Ref": name} for name in ("Landing", "Dead", "Queue", "Table", "Apply")}
    return deployed("events", flow(assets, "applying.zip"), refs)


def test_files_become_items_and_what_fails_goes_to_the_dead_letters(
    landed: dict[str, str], aws: LocalAws, until: Callable[..., Any]
) -> None:
    s3, dynamodb, sqs = (aws.client(service) for service in ("s3", "dynamodb", "sqs"))
    for key in ("good/1", "bad/1", "good/2"):
        s3.put_object(Bucket=landed["Landing"], Key=key, Body=b"x")

    def applied() -> list[str]:
        return sorted(item["pk"]["S"] for item in dynamodb.scan(TableName=landed["Table"])["Items"])

    until(lambda: applied() == ["good/1", "good/2"])
    s3.put_object(Bucket=landed["Landing"], Key="terrible/1", Body=b"x")
    dead: set[str] = set()

    def dead_letters() -> bool:
        for message in sqs.receive_message(QueueUrl=landed["Dead"], MaxNumberOfMessages=10).get("Messages", []):
            dead.add(json.loads(message["Body"])["detail"]["object"]["key"])
            sqs.delete_message(QueueUrl=landed["Dead"], ReceiptHandle=message["ReceiptHandle"])
        return {"bad/1", "terrible/1"} <= dead

    until(dead_letters)
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    left = sqs.get_queue_attributes(QueueUrl=landed["Queue"], AttributeNames=names)["Attributes"]
    assert set(left.values()) == {"0"}
    log = (aws.folder / "logs" / f"{landed['Apply']}.log").read_text()
    assert log.count("RuntimeError: terrible/1") == 2


def test_a_mapping_whose_role_may_not_read_the_queue_is_refused(
    aws: LocalAws, deployed: Callable[..., dict[str, str]], code: Callable[[str], bytes]
) -> None:
    assets = f"cdk-hnb659fds-assets-{aws.account}-{aws.region}"
    aws.client("s3").put_object(Bucket=assets, Key="applying.zip", Body=code(APPLYING))
    resources = flow(assets, "applying.zip")
    resources["Role"]["Properties"].pop("Policies")

    with pytest.raises(DeploymentFailed, match="permissions to call sqs:ReceiveMessage") as failed:
        deployed("unreadable", resources)
    assert failed.value.resource == "Mapping"


def test_a_rule_delivers_only_where_the_targets_policy_lets_it(
    aws: LocalAws, function: Callable[..., str], until: Callable[..., Any]
) -> None:
    sqs, events = aws.client("sqs"), aws.client("events")
    arns = {}
    for name in ("open", "closed"):
        url = sqs.create_queue(QueueName=name)["QueueUrl"]
        arns[name] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    rule = events.put_rule(Name="permitted", EventPattern=json.dumps({"source": ["test"]}))["RuleArn"]
    events.put_targets(Rule="permitted", Targets=[{"Id": name, "Arn": arn} for name, arn in arns.items()])
    allow = {
        "Effect": "Allow",
        "Action": "sqs:SendMessage",
        "Principal": {"Service": "events.amazonaws.com"},
        "Resource": arns["open"],
        "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
    }
    open_url, closed_url = (sqs.get_queue_url(QueueName=name)["QueueUrl"] for name in ("open", "closed"))
    sqs.set_queue_attributes(QueueUrl=open_url, Attributes={"Policy": json.dumps({"Statement": [allow]})})
    events.put_events(Entries=[{"Source": "test", "DetailType": "d", "Detail": "{}"}])

    assert until(lambda: sqs.receive_message(QueueUrl=open_url).get("Messages"))
    assert "Messages" not in sqs.receive_message(QueueUrl=closed_url)


def test_a_message_that_is_not_deleted_comes_back(aws: LocalAws, until: Callable[..., Any]) -> None:
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName="returning", Attributes={"VisibilityTimeout": "1"})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="again")
    receive = lambda: sqs.receive_message(QueueUrl=url, MessageSystemAttributeNames=["All"]).get("Messages")  # noqa: E731
    first = receive()[0]

    assert receive() is None
    second = until(receive)[0]
    assert (first["Body"], second["Attributes"]["ApproximateReceiveCount"]) == ("again", "2")


@pytest.mark.slow
def test_a_rule_with_a_rate_calls_its_function(
    aws: LocalAws, function: Callable[..., str], until: Callable[..., Any]
) -> None:
    name = function("ticking", "def handler(event, context): print('tick', event['source'])")
    arn = aws.client("lambda").get_function_configuration(FunctionName=name)["FunctionArn"]
    events = aws.client("events")
    rule = events.put_rule(Name="ticking", ScheduleExpression="rate(1 minute)")["RuleArn"]
    aws.client("lambda").add_permission(
        FunctionName=name,
        StatementId="rule",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=rule,
    )
    events.put_targets(Rule="ticking", Targets=[{"Id": "function", "Arn": arn}])
    log = aws.folder / "logs" / f"{name}.log"

    until(lambda: log.exists() and "tick aws.events" in log.read_text(), seconds=100)
