"""Slow: each right that a role has is needed: something that the deployed app does cannot be done without it.

Scope: every stack of laptop-spark on the local AWS, roles enforced; what is done to it is what happens to a pipeline
in its life. That rights suffice is shown by every other test of what is deployed, and by ``make run``.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from rich.console import Console

from catchment.cli.app import run as command
from catchment.settings import Settings, load_settings
from local.aws import DeploymentFailed, LocalAws, deploy, destroy
from local.aws.grants import Grant, granted, unused
from local.pipeline import Pipeline
from local.progress import Progress
from local.replicated import ReplicatedSource
from local.source import sales
from local.sources import deployed_sources
from stacks.context import CDK_JSON
from tests.infrastructure.assembly import Assembly

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SETTINGS = load_settings(CDK_JSON, "laptop-spark")
LATE = "sales.products"
SPARK = Path(__file__).parents[2] / ".venv-spark" / "bin" / "python"

NOT_HERE = {
    ("", "logs:", ""): "services write logs with the role they run as; the local AWS writes them itself",
    ("", "sqs:ReceiveMessage", ""): "the Lambda service reads queues with the function's role; the local one as itself",
    ("", "sqs:DeleteMessage", ""): "as above",
    ("", "sqs:GetQueueAttributes", ""): "as above",
    ("", "sqs:ChangeMessageVisibility", ""): "as above",
    ("", "sqs:GetQueueUrl", ""): "comes with CDK's grants of a queue: it tells an address that its ARN tells as well",
    ("", "s3:AbortMultipartUpload", ""): "an upload in parts that breaks off is taken back; none does here",
    ("", "dms:DescribeReplications", ""): "asked of DMS Serverless, which this environment does without",
    ("Agent", "ec2:", ""): "Lambda itself makes network interfaces; networks are records here",
    ("Applier", "s3:DeleteObject", "silver"): "a file goes a day after no version needs it, at the soonest",
    ("Applier", "sqs:SendMessage", "Queue"): "a table is poked again where a call runs out of time",
    ("SourceCleanUp", "sqs:SendMessage", ""): "it waits for a source that is not reached: test_source_clean_up",
    ("SourcePreparatio", "sqs:SendMessage", ""): "it waits for a source that is not reached: test_source_preparation",
    ("SparkRole", "s3:", "artifacts"): "Glue writes the events of the Spark UI itself",
    (
        "SourcesalesDatab",
        "kms:DescribeKey",
        "",
    ): "DMS User Guide, Security.SecretsManager; not asked by the emulator",
    ("SourcesalesDatab", "secretsmanager:DescribeSecret", ""): "as above",
    (
        "SourcesalesLake",
        "kms:",
        "",
    ): "DMS User Guide, CHAP_Target.S3, encryption; not asked by the emulator",
    ("SourcesalesLake", "s3:PutObjectTagging", ""): "DMS User Guide, CHAP_Target.S3; not asked by the emulator",
    (
        "TaskLifecycle",
        "dms:TestConnection",
        "endpoint",
    ): "DMS asks for both ARNs, the local AWS for the instance",
}
"""Rights that no path here uses, by parts of role and resource and the beginning of the action, with the reason."""


class Environment:
    """The environment, deployed and redeployed."""

    def __init__(self, aws: LocalAws, synthesized: Callable[[Settings], Assembly]) -> None:
        self.aws, self._synthesized = aws, synthesized
        self.outputs: dict[str, str] = {}
        self.assembly = self._put(SETTINGS, stacks=["Network", "Lake", "Sources"])
        secret = aws.client("secretsmanager").get_secret_value(SecretId=self.outputs["salesSecretArn"])
        login = json.loads(secret["SecretString"])
        names = {"host": "host", "port": "port", "user": "username", "password": "password", "dbname": "dbname"}
        self.dsn = " ".join(f"{name}={login[key]}" for name, key in names.items())
        sales.seed(self.dsn, 2000, 7)
        self._put(SETTINGS)
        [source] = deployed_sources(aws, SETTINGS.environment, {}, self.outputs)
        self.source = ReplicatedSource(aws, self.outputs, source, None)
        self.pipeline = Pipeline(aws, self.outputs, [self.source])
        self._progress = Progress(Console(quiet=True))

    def load(self) -> None:
        """Every table is loaded into the lake, one of them by Spark."""
        with self._progress.step("load") as step:
            self.pipeline.load(step)

    def change(self) -> None:
        """Rows of every kind change; the lake begins to follow."""
        applied = self.source.watch.rows
        self.source.work(Event(), 400, 3, 7)

        def followed() -> bool:
            self.source.watch.poll()
            return self.source.watch.rows > applied

        until(followed)

    def wait_for_spark(self) -> None:
        """Every run of the job has ended."""
        glue = self.aws.client("glue")
        under_way = ("STARTING", "RUNNING")
        until(
            lambda: all(
                run["JobRunState"] not in under_way
                for run in glue.get_job_runs(JobName=self.outputs["SparkJob"])["JobRuns"]
            ),
            seconds=400,
        )

    def call(self, function: str, **event: Any) -> Any:
        """Call a function, as its schedule does."""
        answer = self.aws.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
        said = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, said
        return said

    def functions(self, part: str) -> list[str]:
        """Names of functions that have a part in common."""
        pages = self.aws.client("lambda").get_paginator("list_functions").paginate()
        return [each["FunctionName"] for page in pages for each in page["Functions"] if part in each["FunctionName"]]

    def land(self, key: str, body: bytes) -> None:
        """Put an object into the landing zone."""
        self.aws.client("s3").put_object(Bucket=self.outputs["LandingBucket"], Key=key, Body=body)

    def write_elsewhere(self, table: str) -> None:
        """Somebody else writes to a table of the lake, which is then looked at: its message is given up."""
        log = self.source.lake / table / "_delta_log"
        newest = max(int(path.stem) for path in log.glob("*.json") if path.stem.isdecimal())
        self.aws.client("s3").put_object(
            Bucket=self.outputs["SilverBucket"],
            Key=f"sales/{table}/_delta_log/{newest + 1:020}.json",
            Body=b"no commit",
        )
        schema, _, name = table.partition("/")
        poke = json.dumps({"source": "sales", "schema": schema, "table": name})
        self.aws.client("sqs").send_message(QueueUrl=self.outputs["QueueUrl"], MessageBody=poke)

    def change_task(self, **changed: Any) -> None:
        """Deploy other settings of the source."""
        source = SETTINGS.sources["sales"].model_copy(update=changed)
        self._put(SETTINGS.model_copy(update={"sources": {"sales": source}}))

    def roll_back(self) -> None:
        """A deployment fails between holding the task and letting it go on."""
        source = SETTINGS.sources["sales"].model_copy(update={"max_batch_seconds": 2, "lob_max_kb": 102_400})
        folder = self._synthesized(SETTINGS.model_copy(update={"sources": {"sales": source}})).folder
        path = folder / "Replication.template.json"
        template = json.loads(path.read_text())
        [task] = [each for each in template["Resources"].values() if each["Type"] == "AWS::DMS::ReplicationTask"]
        task["Properties"]["ReplicationTaskSettings"] = "{no json"
        path.write_text(json.dumps(template))
        with pytest.raises(DeploymentFailed):
            deploy(self.aws, folder)
        dms = self.aws.client("dms")
        until(lambda: dms.describe_replication_tasks()["ReplicationTasks"][0]["Status"] == "running")

    def put_something_everywhere(self) -> None:
        """No bucket is empty."""
        s3 = self.aws.client("s3")
        for bucket in s3.list_buckets()["Buckets"]:
            s3.put_object(Bucket=bucket["Name"], Key="something", Body=b"x")

    def remove(self) -> None:
        """Take every stack away, with the data."""
        destroy(self.aws, self.assembly)

    def _put(self, settings: Settings, stacks: list[str] | None = None) -> Path:
        folder = self._synthesized(settings).folder
        for outputs in deploy(self.aws, folder, stacks=stacks).values():
            self.outputs |= outputs
        return folder


@pytest.fixture
def environment(
    tmp_path: Path, synthesized: Callable[[Settings], Assembly], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Environment]:
    assert SPARK.exists(), "make setup-spark"
    with LocalAws.start(tmp_path / "aws") as aws:
        for name, value in aws.environment().items():
            monkeypatch.setenv(name, value)
        yield Environment(aws, synthesized)


def test_every_right_is_used_by_something_the_app_does(environment: Environment) -> None:
    environment.load()
    environment.change()

    for table in ("sales/products", "hard/swaps"):
        environment.land(f"sales/{table}/20260301-090000000.parquet", b"no parquet")
    environment.call(environment.outputs["SweepFunction"])
    environment.call(environment.outputs["SweepFunction"], maintain=True)
    environment.call(environment.outputs["AgentFunction"], action="headroom")
    for function in environment.functions("TableStates"):
        environment.call(function)
    environment.write_elsewhere("hard/text_key")
    quarantine = environment.aws.folder / "s3" / environment.outputs["QuarantineBucket"]
    until(lambda: len([path for path in quarantine.rglob("*") if path.is_file()]) > 1, seconds=300)
    until(lambda: _waiting(environment, "DeadLetterUrl") > 0)

    reload = ["--env", "laptop-spark", "--reason", "test", "--clock-skew", "0", "--timeout", "120"]
    assert command(["reload", "sales.sales", *reload]) == 0
    tables = SETTINGS.sources["sales"].tables
    environment.change_task(tables={name: table for name, table in tables.items() if name != LATE})
    environment.change_task(tables=tables)
    environment.roll_back()
    environment.wait_for_spark()
    environment.put_something_everywhere()
    grants = {grant for grant in granted(environment.aws) if grant.role.startswith("catchment-")}
    environment.remove()

    found = unused(grants, environment.aws.folder)
    left = [grant for grant in found if not any(_is_explained(grant, *each) for each in NOT_HERE)]
    assert not left, "\n".join(f"{grant.role} {grant.action} {grant.resource}" for grant in left)


def _is_explained(grant: Grant, role: str, action: str, resource: str) -> bool:
    return role in grant.role and grant.action.startswith(action) and resource in grant.resource


def _waiting(environment: Environment, queue: str) -> int:
    sqs = environment.aws.client("sqs")
    found = sqs.get_queue_attributes(QueueUrl=environment.outputs[queue], AttributeNames=["All"])["Attributes"]
    return int(found["ApproximateNumberOfMessages"])


def until(condition: Callable[[], Any], seconds: float = 120.0) -> Any:
    """The first true value of a condition."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.1)
    return found
