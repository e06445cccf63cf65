"""The environment laptop, deployed to a local AWS whose CloudWatch is in a hurry."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from psycopg.conninfo import make_conninfo

from local.aws import LocalAws, deploy
from local.aws.monitoring.alarm import Metric
from local.source.sales import seed

MINUTE = 1.0
"""How many seconds a minute of CloudWatch lasts."""

ROWS = 500


@dataclass
class Deployment:
    """Every stack, with a small source that is loaded and followed. ``received`` is what a subscriber of the topic got;
    ``observer`` the function that looks at sources from outside."""

    aws: LocalAws
    outputs: dict[str, str]
    dsn: str
    inbox: str
    observer: str
    received: list[dict[str, str]] = field(default_factory=list)

    @classmethod
    def make(cls, aws: LocalAws, assembly: Path) -> Deployment:
        """Deploy an assembly, with a seeded source."""
        outputs = _outputs(deploy(aws, assembly, ["Network", "Lake", "Sources"]))
        secret = aws.client("secretsmanager").get_secret_value(SecretId=outputs["salesSecretArn"])
        login = json.loads(secret["SecretString"])
        server = {name: login[name] for name in ("host", "port", "password")}
        dsn = make_conninfo(**server, user=login["username"], dbname="sales")
        seed(dsn, ROWS, 1)
        outputs |= _outputs(deploy(aws, assembly, ["Apply", "Replication", "Monitoring"]))
        functions = aws.client("lambda").get_paginator("list_functions").paginate().search("Functions[]")
        (observer,) = [each["FunctionName"] for each in functions if "table_states" in each["Handler"]]
        return cls(aws, outputs, dsn, _subscribe(aws, outputs["AlarmTopicArn"]), observer)

    def client(self, service: str) -> Any:
        return self.aws.client(service)

    def alarms(self) -> dict[str, dict[str, Any]]:
        """The deployed alarms by name."""
        pages = self.client("cloudwatch").get_paginator("describe_alarms").paginate()
        return {alarm["AlarmName"]: alarm for page in pages for alarm in page["MetricAlarms"]}

    def metrics(self) -> set[Metric]:
        """Every metric that has arrived."""
        found = self.client("cloudwatch").get_paginator("list_metrics").paginate().search("Metrics[]")
        return {
            Metric(
                each["Namespace"],
                each["MetricName"],
                tuple(sorted((one["Name"], one["Value"]) for one in each["Dimensions"])),
            )
            for each in found
        }

    def messages(self) -> list[dict[str, str]]:
        """All that the topic has told so far: subject and message of each."""
        sqs = self.client("sqs")
        while found := sqs.receive_message(QueueUrl=self.inbox, MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                self.received.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=self.inbox, ReceiptHandle=message["ReceiptHandle"])
        return self.received

    def fired(self) -> set[str]:
        """Names of the alarms that the topic has told of."""
        by_alarm = (each for each in self.messages() if (each.get("Subject") or "").startswith("ALARM"))
        return {json.loads(each["Message"])["AlarmName"] for each in by_alarm}

    def invoke(self, function: str, event: Any) -> tuple[Any, str | None]:
        """Call a function: its answer, and the kind of its error."""
        answer = self.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
        return json.loads(answer["Payload"].read()), answer.get("FunctionError")

    def look(self) -> tuple[Any, str | None]:
        """Have the observer look, as its schedule does."""
        return self.invoke(self.observer, {})

    def switch_applier(self, *, on: bool) -> None:
        """Have the apply function take messages, or not."""
        client = self.client("lambda")
        mappings = client.list_event_source_mappings(FunctionName=self.outputs["ApplyFunction"])["EventSourceMappings"]
        client.update_event_source_mapping(UUID=mappings[0]["UUID"], Enabled=on)

    def task_status(self) -> str:
        """What DMS says of the task."""
        (task,) = self.client("dms").describe_replication_tasks(WithoutSettings=True)["ReplicationTasks"]
        return str(task["Status"])


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
