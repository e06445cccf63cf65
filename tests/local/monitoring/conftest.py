"""Scope: the environment laptop, deployed to a local AWS in which a minute of CloudWatch lasts a second."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from psycopg.conninfo import make_conninfo

from local.aws import LocalAws, deploy
from local.aws.monitoring.watch import MINUTE_SECONDS
from local.source.sales import seed
from stacks.assembly import synthesize

ROWS = 500


@dataclass
class Deployment:
    """Every stack, with a small source that is loaded and followed. ``told`` is what subscribers of the topic got."""

    aws: LocalAws
    outputs: dict[str, str]
    dsn: str
    inbox: str
    told: list[dict[str, str]] = field(default_factory=list)

    def client(self, service: str) -> Any:
        return self.aws.client(service)

    def alarms(self) -> dict[str, dict[str, Any]]:
        """The deployed alarms by name."""
        pages = self.client("cloudwatch").get_paginator("describe_alarms").paginate()
        return {alarm["AlarmName"]: alarm for page in pages for alarm in page["MetricAlarms"]}

    def messages(self) -> list[dict[str, str]]:
        """All that the topic has told so far: subject and message of each."""
        sqs = self.client("sqs")
        while found := sqs.receive_message(QueueUrl=self.inbox, MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                self.told.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=self.inbox, ReceiptHandle=message["ReceiptHandle"])
        return self.told

    def fired(self) -> set[str]:
        """Names of the alarms that the topic has told of."""
        by_alarm = (each for each in self.messages() if each.get("Subject", "").startswith("ALARM"))
        return {json.loads(each["Message"])["AlarmName"] for each in by_alarm}


@pytest.fixture(scope="session")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("monitoring")
    with LocalAws.start(folder / "aws", settings={MINUTE_SECONDS: "1"}) as aws:
        yield _deploy(aws, synthesize("laptop", folder / "cdk.out"))


def _deploy(aws: LocalAws, assembly: Path) -> Deployment:
    outputs = _outputs(deploy(aws, assembly, ["Network", "Lake", "Sources"]))
    login = json.loads(
        aws.client("secretsmanager").get_secret_value(SecretId=outputs["salesSecretArn"])["SecretString"]
    )
    dsn = make_conninfo(
        host=login["host"], port=login["port"], user=login["username"], password=login["password"], dbname="sales"
    )
    seed(dsn, ROWS, 1)
    outputs |= _outputs(deploy(aws, assembly, ["Apply", "Replication", "Monitoring"]))
    return Deployment(aws, outputs, dsn, _subscribe(aws, outputs["AlarmTopicArn"]))


def _outputs(stacks: dict[str, dict[str, str]]) -> dict[str, str]:
    return {name: value for outputs in stacks.values() for name, value in outputs.items()}


def _subscribe(aws: LocalAws, topic: str) -> str:
    """A queue that gets what the topic tells."""
    sqs = aws.client("sqs")
    url = str(sqs.create_queue(QueueName="inbox")["QueueUrl"])
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sender = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [sender]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return url


@pytest.fixture(scope="session")
def until() -> Callable[..., Any]:
    """Wait for a condition: gives what ``probe`` gives as soon as that is true."""

    def wait(probe: Callable[[], Any], what: str, seconds: float = 60.0) -> Any:
        deadline = time.monotonic() + seconds
        while not (seen := probe()):
            assert time.monotonic() < deadline, f"it did not happen in time: {what}"
            time.sleep(0.05)
        return seen

    return wait
