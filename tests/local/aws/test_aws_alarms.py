"""Alarms as deployed: metrics arrive, alarms are evaluated, topics are told where their policies and keys allow it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from local.aws import DeploymentFailed, LocalAws

Until = Callable[..., Any]

WRITING = """
import json, time

def handler(event, context):
    metrics = [{"Namespace": "Shop", "Dimensions": [["shop"]], "Metrics": [{"Name": "Sales"}]}]
    print(json.dumps({"_aws": {"Timestamp": int(1000 * time.time()), "CloudWatchMetrics": metrics},
                      "shop": "north", "Sales": event["sales"]}))
    if event["fail"]:
        raise RuntimeError("as it was told")
"""

SHARE = [
    {"Id": "share", "Expression": "100 * errors / calls", "Label": "failed"},
    *(
        {
            "Id": name,
            "ReturnData": False,
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/Lambda",
                    "MetricName": metric,
                    "Dimensions": [{"Name": "FunctionName", "Value": "writing"}],
                },
                "Period": 60,
                "Stat": "Sum",
            },
        }
        for name, metric in (("errors", "Errors"), ("calls", "Invocations"))
    ),
]


def alarm(topic: str = "Topic", **properties: Any) -> dict[str, Any]:
    """An alarm on a metric of the function that goes off above 5."""
    metric = {
        "Namespace": "Shop",
        "MetricName": "Sales",
        "Dimensions": [{"Name": "shop", "Value": "north"}],
        "Statistic": "Sum",
        "Period": 60,
    }
    rule = {
        "ComparisonOperator": "GreaterThanThreshold",
        "EvaluationPeriods": 1,
        "Threshold": 5,
        "TreatMissingData": "notBreaching",
        "AlarmActions": [{"Ref": topic}],
    }
    kept = {} if "Metrics" in properties else metric
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": {**kept, **rule, **properties}}


def topic(name: str, **statement: Any) -> dict[str, Any]:
    """A topic with a policy of its own."""
    allow = {"Effect": "Allow", "Action": "sns:Publish", "Resource": {"Ref": name}, **statement}
    return {
        name: {"Type": "AWS::SNS::Topic"},
        f"{name}Policy": {
            "Type": "AWS::SNS::TopicPolicy",
            "Properties": {"Topics": [{"Ref": name}], "PolicyDocument": {"Statement": [allow]}},
        },
    }


def inbox(aws: LocalAws, arn: str) -> str:
    """A queue that gets what a topic tells; its URL."""
    sqs = aws.client("sqs")
    url = str(sqs.create_queue(QueueName="inbox")["QueueUrl"])
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sender = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": queue}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Statement": [sender]})})
    aws.client("sns").subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue)
    return url


def states(aws: LocalAws, names: Mapping[str, str]) -> dict[str, str]:
    """The state of each alarm."""
    found = aws.client("cloudwatch").describe_alarms(AlarmNames=list(names.values()))["MetricAlarms"]
    by_name = {each["AlarmName"]: each["StateValue"] for each in found}
    return {short: by_name[name] for short, name in names.items()}


def test_metrics_of_logs_and_of_calls_set_alarms_off_and_topics_are_told_that_let_cloudwatch_in(
    aws: LocalAws,
    deployed: Callable[..., dict[str, str]],
    function: Callable[..., str],
    invoke: Callable[..., Any],
    until: Until,
) -> None:
    name = function("writing", WRITING)
    resources = {
        **topic("Open", Principal={"Service": "cloudwatch.amazonaws.com"}),
        **topic("Closed", Principal={"Service": "events.amazonaws.com"}),
        **topic("Sealed", Principal={"Service": "cloudwatch.amazonaws.com"}),
        "Key": {
            "Type": "AWS::KMS::Key",
            "Properties": {
                "KeyPolicy": {
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Action": "kms:*",
                            "Resource": "*",
                            "Principal": {"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}},
                        }
                    ]
                }
            },
        },
        "Encrypted": alarm("Sealed"),
        "Sold": alarm("Open"),
        "Unheard": alarm("Closed"),
        "South": alarm("Open", Dimensions=[{"Name": "shop", "Value": "south"}]),
        "Failing": alarm("Open", Metrics=SHARE),
        "Silent": alarm("Open", Threshold=-1, MetricName="Nothing", TreatMissingData="breaching"),
    }
    resources["Sealed"]["Properties"] = {"KmsMasterKeyId": {"Fn::GetAtt": ["Key", "Arn"]}}
    made = deployed("alarms", resources, {each: {"Ref": each} for each in resources if "Policy" not in each})
    queue = inbox(aws, made["Open"])
    alarms = {each: made[each] for each in ("Sold", "Unheard", "Encrypted", "South", "Failing", "Silent")}
    until(lambda: states(aws, alarms)["Silent"] == "ALARM")
    assert set(states(aws, alarms).values()) == {"ALARM", "OK"}
    invoke(name, sales=3, fail=False)
    invoke(name, sales=3, fail=True)

    gone_off = {"Sold", "Failing", "Unheard", "Encrypted"}
    until(lambda: gone_off <= {each for each, s in states(aws, alarms).items() if s == "ALARM"})
    assert states(aws, alarms)["South"] == "OK", "another set of dimensions is another metric"
    told: set[str] = set()

    def both() -> bool:
        sqs = aws.client("sqs")
        for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
            told.add(json.loads(json.loads(message["Body"])["Message"])["AlarmName"])
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return {alarms["Sold"], alarms["Failing"]} <= told

    until(both)
    log = (aws.folder / "server.log").read_text()
    for refused in ("Unheard", "Encrypted"):
        assert alarms[refused] not in told
        assert f"alarm {alarms[refused]} cannot tell" in log
    assert "the policy of the topic's key does not let cloudwatch.amazonaws.com kms:Decrypt, kms:GenerateDataKey" in log


@pytest.mark.parametrize(
    ("properties", "refused"),
    [
        ({"Metrics": [{**SHARE[0], "Expression": "FILL(calls, 0)"}, *SHARE[1:]]}, r"FILL\(calls, 0\) is not emulated"),
        ({"ComparisonOperator": "LessThanLowerThreshold"}, "LessThanLowerThreshold of an alarm is not emulated"),
        ({"ExtendedStatistic": "p95"}, "property ExtendedStatistic is not emulated"),
    ],
    ids=["expression", "band", "percentile"],
)
def test_what_is_not_evaluated_is_refused(
    deployed: Callable[..., dict[str, str]],
    request: pytest.FixtureRequest,
    properties: dict[str, Any],
    refused: str,
) -> None:
    stack = f"alarm-with-{request.node.callspec.id}"
    with pytest.raises(DeploymentFailed, match=refused):
        deployed(stack, {**topic("Topic", Principal="*"), "Alarm": alarm(**properties)})
