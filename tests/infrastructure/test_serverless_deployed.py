"""Slow: the life of a serverless replication on the local AWS with a real PostgreSQL, and the way to an instance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from catchment.settings import Settings
from catchment.settings.models import ServerlessSettings
from local.aws import LocalAws, deploy, destroy
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


def test_a_serverless_replication_is_started_changed_left_for_an_instance_and_removed(
    aws: LocalAws, synthesized: Callable[[Settings], Assembly]
) -> None:
    tables = set(SETTINGS.sources["sales"].tables)
    before = synthesized(_serverless(SETTINGS)).folder
    outputs = deploy(aws, before, stacks=["Lake", "Network", "Sources"])
    fill(aws, outputs)
    deploy(aws, before)
    until(lambda: _loaded(aws) == tables)
    assert _replication(aws)["Status"] == "running"
    assert history(aws) == ["start-replication"]
    # The applier asks DMS whether the load is complete before it commits anything of it.
    until(lambda: _in_lake(aws, outputs) == len(tables))

    deploy(aws, synthesized(_serverless(with_source(lob_max_kb=256))).folder)
    assert _replication(aws)["Status"] == "running"
    assert history(aws) == ["start-replication", ": stop", "resume-processing"]

    with_instance = synthesized(SETTINGS).folder
    deploy(aws, with_instance)
    assert aws.client("dms").describe_replications()["Replications"] == []
    (task,) = aws.client("dms").describe_replication_tasks()["ReplicationTasks"]
    assert task["Status"] == "running"
    assert history(aws)[3:] == [": stop", "start-replication"]

    destroy(aws, with_instance)
    assert aws.client("dms").describe_replication_tasks()["ReplicationTasks"] == []
