"""Slow: an environment that runs is taken out of the account, and nothing stays that nobody knows of.

Scope: catchment.teardown against the local AWS with a real PostgreSQL behind it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from catchment.cli.app import run
from catchment.settings import Settings, load_settings
from catchment.teardown import steps, take_inventory
from local.aws import LocalAws, deploy
from local.source import sales
from stacks.context import CDK_JSON
from tests.infrastructure.assembly import Assembly

pytestmark = pytest.mark.slow


@pytest.fixture
def aws(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalAws]:
    with LocalAws.start(tmp_path) as started:
        for name, value in started.environment().items():
            monkeypatch.setenv(name, value)
        yield started


def leftovers(secret: dict[str, Any]) -> list[str]:
    with psycopg.connect(
        host=secret["host"], port=secret["port"], user=secret["username"], password=secret["password"],
        dbname=secret["dbname"],
    ) as connection:  # fmt: skip
        found = connection.execute(
            "SELECT slot_name::text FROM pg_replication_slots UNION ALL SELECT pubname FROM pg_publication "
            "UNION ALL SELECT evtname FROM pg_event_trigger UNION ALL "
            "SELECT relname FROM pg_class WHERE relname = 'awsdms_ddl_audit'"
        )
        return [name for (name,) in found]


def test_an_environment_goes_with_everything_that_replication_left(
    aws: LocalAws, synthesized: Callable[[Settings], Assembly], capsys: pytest.CaptureFixture[str]
) -> None:
    assembly = synthesized(load_settings(CDK_JSON, "laptop")).folder
    outputs = deploy(aws, assembly, stacks=["Network", "Lake", "Sources"])
    [arn] = [value for stack in outputs.values() for name, value in stack.items() if name == "salesSecretArn"]
    secret = json.loads(aws.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])
    login = {"host": "host", "port": "port", "user": "username", "password": "password", "dbname": "dbname"}
    sales.seed(" ".join(f"{name}={secret[key]}" for name, key in login.items()), 2000, 7)
    deploy(aws, assembly)
    assert leftovers(secret)

    assert run(["teardown", "--env", "laptop"]) == 0
    said = capsys.readouterr().out
    assert "remove the stack catchment-laptop-replication" in said
    assert "Nothing has been done" in said
    [task] = aws.client("dms").describe_replication_tasks()["ReplicationTasks"]
    assert task["Status"] == "running"

    done = []
    for step in steps(take_inventory("laptop", "catchment"), poll_seconds=1):
        done.append((step.words, step.do()))
        if step.words.startswith("drop what replication left"):
            assert leftovers(secret) == []
    told = dict(done)
    assert told["look at what keeps the log of sales"].startswith("awsdms_")
    assert told["drop what replication left in the sources"] == "sales: nothing was left", "the stack saw to it"
    assert take_inventory("laptop", "catchment").stacks == []
    assert aws.client("s3").list_buckets()["Buckets"] == [
        bucket for bucket in aws.client("s3").list_buckets()["Buckets"] if "cdk-hnb659fds" in bucket["Name"]
    ]
    assert run(["teardown", "--env", "laptop", "--yes"]) == 0
    assert "Nothing of laptop is deployed" in capsys.readouterr().out


def test_a_bucket_without_both_keys_stays_with_its_data_and_is_listed(
    aws: LocalAws, synthesized: Callable[[Settings], Assembly], capsys: pytest.CaptureFixture[str]
) -> None:
    settings = load_settings(CDK_JSON, "laptop").model_copy(update={"destroy_data": False})
    outputs = deploy(aws, synthesized(settings).folder, stacks=["Network", "Lake"])
    bucket = outputs["catchment-laptop-lake"]["LandingBucket"]
    aws.client("s3").put_object(Bucket=bucket, Key="kept", Body=b"x")
    assert run(["teardown", "--env", "laptop", "--yes", "--poll-seconds", "1"]) == 0
    said = capsys.readouterr().out
    assert bucket in said
    assert "it stays" in said
    assert aws.client("s3").get_object(Bucket=bucket, Key="kept")["Body"].read() == b"x", "one key is missing"
