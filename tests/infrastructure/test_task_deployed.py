"""Slow: the task's life as CloudFormation sees it, deployed to the local AWS with a real PostgreSQL behind it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from catchment.settings import Settings, load_settings
from local.aws import LocalAws, deploy, destroy
from local.source import sales
from stacks.context import CDK_JSON
from tests.infrastructure.assembly import Assembly

pytestmark = pytest.mark.slow

LATE = "sales.products"
SETTINGS = load_settings(CDK_JSON, "laptop")


@pytest.fixture
def aws(tmp_path: Any) -> Iterator[LocalAws]:
    with LocalAws.start(tmp_path) as started:
        yield started


def _with(**changed: Any) -> Settings:
    source = SETTINGS.sources["sales"].model_copy(update=changed)
    return SETTINGS.model_copy(update={"sources": {"sales": source}})


def _task(aws: LocalAws) -> tuple[str, set[str]]:
    """The state of the only task, and the tables it has loaded."""
    dms = aws.client("dms")
    (task,) = dms.describe_replication_tasks()["ReplicationTasks"]
    tables = dms.describe_table_statistics(ReplicationTaskArn=task["ReplicationTaskArn"])["TableStatistics"]
    return task["Status"], {f"{each['SchemaName']}.{each['TableName']}" for each in tables}


def _fill(aws: LocalAws, outputs: dict[str, dict[str, str]]) -> None:
    (arn,) = [value for stack in outputs.values() for name, value in stack.items() if name == "salesSecretArn"]
    secret = json.loads(aws.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])
    login = {"host": "host", "port": "port", "user": "username", "password": "password", "dbname": "dbname"}
    sales.seed(" ".join(f"{name}={secret[key]}" for name, key in login.items()), 2000, 7)


def test_a_table_is_added_by_stopping_and_starting_the_task(
    aws: LocalAws, synthesized: Callable[[Settings], Assembly]
) -> None:
    fewer = {name: table for name, table in SETTINGS.sources["sales"].tables.items() if name != LATE}
    before = synthesized(_with(tables=fewer)).folder
    stopped = synthesized(_with(tables=fewer, start_replication=False)).folder
    after = synthesized(SETTINGS).folder

    _fill(aws, deploy(aws, before, stacks=["Network", "Lake", "Sources"]))
    deploy(aws, before)
    assert _task(aws) == ("running", set(fewer))
    deploy(aws, stopped)
    assert _task(aws)[0] == "stopped"
    deploy(aws, after)
    assert _task(aws) == ("running", {*fewer, LATE})
    destroy(aws, after)
    assert aws.client("dms").describe_replication_tasks()["ReplicationTasks"] == []
