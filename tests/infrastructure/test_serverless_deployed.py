"""Slow: the way from an instance to a serverless replication, and its life, on the local AWS with a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from catchment.settings import Settings
from catchment.settings.models import ServerlessSettings
from catchment.teardown import steps, take_inventory
from local.aws import LocalAws, deploy
from tests.infrastructure.assembly import Assembly
from tests.infrastructure.test_task_deployed import SETTINGS, aws, fill, history, until, with_source

pytestmark = pytest.mark.slow

__all__ = ["aws"]


def _serverless(settings: Settings) -> Settings:
    capacity = ServerlessSettings(min_units=1, max_units=8)
    replication = settings.replication.model_copy(update={"serverless": capacity})
    return settings.model_copy(update={"replication": replication})


def _replication(aws: LocalAws) -> dict[str, Any]:
    (found,) = aws.client("dms").describe_replications()["Replications"]
    return dict(found)


def _loaded(aws: LocalAws) -> set[str]:
    asked = {"ReplicationConfigArn": _replication(aws)["ReplicationConfigArn"]}
    lines = aws.client("dms").describe_replication_table_statistics(**asked)["ReplicationTableStatistics"]
    return {f"{each['SchemaName']}.{each['TableName']}" for each in lines if each.get("FullLoadEndTime")}


def _in_lake(aws: LocalAws, outputs: dict[str, dict[str, str]]) -> int:
    """How many tables have a first commit."""
    (bucket,) = [stack["SilverBucket"] for stack in outputs.values() if "SilverBucket" in stack]
    return len(list((aws.folder / "s3" / bucket / "sales").glob("*/*/_delta_log/00000000000000000000.json")))


def test_a_task_is_left_for_a_serverless_replication_which_is_changed_and_removed(
    aws: LocalAws, synthesized: Callable[[Settings], Assembly], monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = set(SETTINGS.sources["sales"].tables)
    with_instance = synthesized(SETTINGS).folder
    outputs = deploy(aws, with_instance, stacks=["Lake", "Network", "Sources"])
    fill(aws, outputs)
    deploy(aws, with_instance)
    assert history(aws) == ["start-replication"]

    deploy(aws, synthesized(_serverless(SETTINGS)).folder)
    assert aws.client("dms").describe_replication_tasks()["ReplicationTasks"] == []
    assert aws.client("dms").describe_replication_instances()["ReplicationInstances"] == []
    assert _replication(aws)["Status"] == "running"
    assert history(aws)[1:] == [": stop", "start-replication"]
    until(lambda: _loaded(aws) == tables)
    # The applier asks DMS whether a load is complete before it commits anything of it.
    until(lambda: _in_lake(aws, outputs) == len(tables))

    deploy(aws, synthesized(_serverless(with_source(lob_max_kb=256))).folder)
    assert _replication(aws)["Status"] == "running"
    assert history(aws)[3:] == [": stop", "resume-processing"]

    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    told = [(step.words, step.do()) for step in steps(take_inventory("laptop", "catchment"), poll_seconds=1)]
    (stopped,) = [said for words, said in told if words.startswith("stop ")]
    assert stopped == "it stands"
    assert dict(told)["look at what keeps the log of sales"].startswith("awsdms_")
    assert dict(told)["drop what replication left in the sources"] == "sales: nothing was left"
    assert take_inventory("laptop", "catchment").stacks == []
