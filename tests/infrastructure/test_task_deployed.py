"""Slow: the task's life as CloudFormation sees it, deployed to the local AWS with a real PostgreSQL behind it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from catchment.settings import Settings, load_settings
from local.aws import DeploymentFailed, LocalAws, deploy, destroy
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


def with_source(**changed: Any) -> Settings:
    source = SETTINGS.sources["sales"].model_copy(update=changed)
    return SETTINGS.model_copy(update={"sources": {"sales": source}})


def _task(aws: LocalAws) -> tuple[str, set[str]]:
    """The state of the only task, and the tables it has loaded."""
    dms = aws.client("dms")
    (task,) = dms.describe_replication_tasks()["ReplicationTasks"]
    tables = dms.describe_table_statistics(ReplicationTaskArn=task["ReplicationTaskArn"])["TableStatistics"]
    return task["Status"], {f"{each['SchemaName']}.{each['TableName']}" for each in tables}


def fill(aws: LocalAws, outputs: dict[str, dict[str, str]]) -> None:
    (arn,) = [value for stack in outputs.values() for name, value in stack.items() if name == "salesSecretArn"]
    secret = json.loads(aws.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])
    login = {"host": "host", "port": "port", "user": "username", "password": "password", "dbname": "dbname"}
    sales.seed(" ".join(f"{name}={secret[key]}" for name, key in login.items()), 2000, 7)


def history(aws: LocalAws) -> list[str]:
    """What the lifecycle's function did to the task, in order."""
    found = []
    for log in (aws.folder / "logs").glob("*TaskLifecycle*.log"):
        for line in log.read_text().splitlines():
            found += [
                each for each in ("start-replication", "resume-processing", "reload-target", ": stop") if each in line
            ]
    return found


def test_a_running_task_is_changed_in_one_deployment_rolled_back_and_removed(
    aws: LocalAws, synthesized: Callable[[Settings], Assembly]
) -> None:
    fewer = {name: table for name, table in SETTINGS.sources["sales"].tables.items() if name != LATE}
    before = synthesized(with_source(tables=fewer)).folder
    after = synthesized(SETTINGS).folder

    fill(aws, deploy(aws, before, stacks=["Network", "Lake", "Sources"]))
    deploy(aws, before)
    assert _task(aws) == ("running", set(fewer))
    assert history(aws) == ["start-replication"]

    deploy(aws, before)
    assert history(aws) == ["start-replication"], "nothing changed, nothing is stopped"

    loaded = _loads(aws)
    deploy(aws, after)
    assert _task(aws) == ("running", {*fewer, LATE})
    assert history(aws) == ["start-replication", ": stop", "resume-processing"]
    until(lambda: LATE in _loads(aws))
    assert {name: when for name, when in _loads(aws).items() if name != LATE} == loaded, "the new table alone is loaded"

    deploy(aws, before)
    first = _loads(aws)
    deploy(aws, after)
    until(lambda: LATE in _loads(aws))
    assert {name: when for name, when in _loads(aws).items() if name != LATE} == first, "nor when it comes back"

    broken = synthesized(with_source(lob_max_kb=102_400, max_batch_seconds=2)).folder
    _make_impossible(broken)
    with pytest.raises(DeploymentFailed, match="UPDATE_ROLLBACK_COMPLETE"):
        deploy(aws, broken)
    until(lambda: _task(aws)[0] == "running")
    assert history(aws)[-2:] == [": stop", "resume-processing"], "it goes on though nobody asked after the rollback"

    (arn,) = _arns(aws)
    follows = synthesized(with_source(migration="cdc")).folder
    deploy(aws, follows)
    assert arn not in _arns(aws), "another migration takes another task"
    assert _task(aws)[0] == "running"
    assert history(aws)[-2:] == [": stop", "start-replication"]

    destroy(aws, follows)
    assert aws.client("dms").describe_replication_tasks()["ReplicationTasks"] == []


def _arns(aws: LocalAws) -> list[str]:
    return [each["ReplicationTaskArn"] for each in aws.client("dms").describe_replication_tasks()["ReplicationTasks"]]


def _loads(aws: LocalAws) -> dict[str, Any]:
    """When each table's load was done."""
    dms = aws.client("dms")
    (task,) = dms.describe_replication_tasks()["ReplicationTasks"]
    tables = dms.describe_table_statistics(ReplicationTaskArn=task["ReplicationTaskArn"])["TableStatistics"]
    return {
        f"{each['SchemaName']}.{each['TableName']}": each["FullLoadEndTime"]
        for each in tables
        if each.get("FullLoadEndTime")
    }


def _make_impossible(folder: Path) -> None:
    """Let the task's change fail: DMS refuses settings that are no JSON."""
    path = folder / "Replication.template.json"
    template = json.loads(path.read_text())
    [task] = [each for each in template["Resources"].values() if each["Type"] == "AWS::DMS::ReplicationTask"]
    task["Properties"]["ReplicationTaskSettings"] = "{no json"
    path.write_text(json.dumps(template))


def until(condition: Callable[[], Any], seconds: float = 60.0) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.1)
