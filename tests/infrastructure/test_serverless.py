"""Serverless replications: the template, and the calls that stand in for those about tasks."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from cfnlint.api import lint
from cfnlint.config import ManualArgs

from catchment.landing.names import TableName
from catchment.reload.dms import DmsTask
from catchment.reload.serverless import task_api
from catchment.settings import Settings, load_settings
from catchment.settings.models import ServerlessSettings
from lambda_src.task_lifecycle.tasks import Task, TaskFailed
from stacks.context import CDK_JSON
from tests.infrastructure.assembly import Assembly
from tests.infrastructure.test_cfn_lint import IGNORED

ARN = "arn:aws:dms:us-east-1:123456789012:replication-config:ABCDEFGHIJKLMNOPQRSTUVWXYZ"
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def serverless(synthesized: Callable[[Settings], Assembly]) -> Assembly:
    """The laptop's environment without an instance."""
    settings = load_settings(CDK_JSON, "laptop")
    capacity = ServerlessSettings(min_units=1, max_units=8)
    return synthesized(
        settings.model_copy(update={"replication": settings.replication.model_copy(update={"serverless": capacity})})
    )


def test_capacity_is_chosen_by_dms_between_the_limits(serverless: Assembly) -> None:
    (config,) = serverless.properties("Replication", "AWS::DMS::ReplicationConfig")
    compute = config["ComputeConfig"]
    assert (compute["MinCapacityUnits"], compute["MaxCapacityUnits"], compute["MultiAZ"]) == (1, 8, False)
    assert {"KmsKeyId", "ReplicationSubnetGroupId", "VpcSecurityGroupIds"} <= set(compute)
    assert config["ReplicationType"] == "full-load-and-cdc"
    kinds = {resource["Type"] for resource in serverless.json("Replication")["Resources"].values()}
    assert not {"AWS::DMS::ReplicationInstance", "AWS::DMS::ReplicationTask"} & kinds


def test_cloudformation_accepts_it(serverless: Assembly) -> None:
    text = (serverless.folder / "Replication.template.json").read_text()
    assert [
        str(found) for found in lint(text, config=ManualArgs(regions=["eu-central-1"], ignore_checks=IGNORED))
    ] == []


def test_it_is_told_what_a_task_is_told(serverless: Assembly, laptop: Assembly) -> None:
    (config,) = serverless.properties("Replication", "AWS::DMS::ReplicationConfig")
    (task,) = laptop.properties("Replication", "AWS::DMS::ReplicationTask")
    assert config["TableMappings"] == json.loads(task["TableMappings"])
    said = {name: value for name, value in json.loads(task["ReplicationTaskSettings"]).items() if value is not None}
    assert config["ReplicationSettings"] == said


def test_it_is_held_and_let_go_like_a_task_without_an_instance(serverless: Assembly) -> None:
    (managed,) = serverless.properties("Replication", "Custom::DmsTaskLifecycle")
    (name,) = serverless.resources("Replication", "AWS::DMS::ReplicationConfig")
    assert managed["TaskArn"] == {"Ref": name}
    assert "InstanceArn" not in managed
    ((hold, _),) = serverless.resources("Replication", "Custom::DmsTaskHold").items()
    assert hold in serverless.resources("Replication", "AWS::DMS::ReplicationConfig")[name]["DependsOn"]


def test_nobody_may_do_with_it_more_than_with_a_task(serverless: Assembly) -> None:
    allowed = {
        action
        for policy in serverless.properties("Replication", "AWS::IAM::Policy")
        for statement in policy["PolicyDocument"]["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
        if action.startswith("dms:")
    }
    assert {"dms:StartReplication", "dms:StopReplication", "dms:DescribeReplicationTableStatistics"} <= allowed
    assert not {"dms:StartReplicationTask", "dms:TestConnection", "dms:DeleteReplicationConfig"} & allowed


def test_its_alarms_look_at_its_metrics_and_at_no_instance(serverless: Assembly) -> None:
    of_dms = [
        metric
        for alarm in serverless.properties("Monitoring", "AWS::CloudWatch::Alarm")
        for metric in [
            alarm,
            *(each["MetricStat"]["Metric"] for each in alarm.get("Metrics", []) if "MetricStat" in each),
        ]
        if metric.get("Namespace") == "AWS/DMS"
    ]
    assert of_dms
    assert {each["Name"] for metric in of_dms for each in metric["Dimensions"]} == {"ReplicationConfigId"}


class Recorded:
    """A boto3 client whose answers are in the shapes of the API, checked by its model, as are the questions."""

    def __init__(self) -> None:
        self.client = boto3.client("dms", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
        self._stub = Stubber(self.client)
        self._stub.activate()
        self.task = Task(task_api(self.client, ARN), ARN)

    def state(self, status: str, **more: Any) -> None:
        found = {"ReplicationConfigArn": ARN, "Status": status, "ReplicationType": "full-load-and-cdc", **more}
        only = [{"Name": "replication-config-arn", "Values": [ARN]}]
        self._stub.add_response("describe_replications", {"Replications": [found]}, {"Filters": only})

    def takes(self, operation: str, answer: dict[str, Any] | None = None, **asked: Any) -> None:
        self._stub.add_response(operation, answer or {}, {"ReplicationConfigArn": ARN, **asked})

    def done(self) -> None:
        self._stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("before", "more", "how"),
    [
        ("created", {}, "start-replication"),
        ("ready", {}, "start-replication"),
        ("stopped", {}, "resume-processing"),
        ("stopped", {"ReplicationDeprovisionTime": NOW + timedelta(hours=9)}, "resume-processing"),
        ("stopped", {"ReplicationDeprovisionTime": NOW - timedelta(hours=9)}, "reload-target"),
        ("failed", {}, "resume-processing"),
    ],
)
def test_it_is_started_resumed_or_loaded_again_after_all_was_taken_away(
    before: str, more: dict[str, Any], how: str
) -> None:
    recorded, memory = Recorded(), {}
    recorded.state(before, **more)
    recorded.takes("start_replication", StartReplicationType=how)
    assert recorded.task.run(memory) is not None
    for on_the_way in ("initialising", "fetching_metadata", "calculating_capacity", "replication_starting"):
        recorded.state(on_the_way)
        assert "starting" in str(recorded.task.run(memory))
    recorded.state("running")
    recorded._stub.add_response("remove_tags_from_resource", {}, {"ResourceArn": ARN, "TagKeys": ["catchment:held"]})
    assert recorded.task.run(memory) is None
    recorded.done()


def test_it_says_why_it_failed() -> None:
    recorded, memory = Recorded(), {"started": True}
    recorded.state("failed", FailureMessages=["no capacity", "no route"])
    with pytest.raises(TaskFailed, match="no capacity; no route"):
        recorded.task.run(memory)


def test_it_is_stopped_before_it_is_changed() -> None:
    recorded = Recorded()
    recorded.state("provisioning_capacity")
    assert recorded.task.stop() is not None
    recorded.state("running")
    recorded.takes("stop_replication")
    assert recorded.task.stop() is not None
    recorded.state("stopped")
    assert recorded.task.stop() is None
    recorded.done()


def test_a_new_table_is_looked_for_on_every_page_and_loaded() -> None:
    recorded, memory = Recorded(), {"looks": 9}
    recorded.state("running", ReplicationStats={"StartDate": NOW})
    lines = [
        {"SchemaName": "s", "TableName": name, "TableState": "Table completed", "FullLoadStartTime": when}
        for name, when in (("old", NOW - timedelta(days=1)), ("new", NOW - timedelta(days=1)))
    ]
    recorded.takes("describe_replication_table_statistics", {"ReplicationTableStatistics": lines[:1], "Marker": "more"})
    recorded.takes("describe_replication_table_statistics", {"ReplicationTableStatistics": lines[1:]}, Marker="more")
    recorded.takes("reload_replication_tables", TablesToReload=[{"SchemaName": "s", "TableName": "new"}])
    assert "s.new" in str(recorded.task.load(["s.new"], memory))
    recorded.done()


def test_a_reload_is_asked_for_and_followed_as_of_a_task() -> None:
    recorded = Recorded()
    task = DmsTask(recorded.client, ARN)
    recorded.state("running")
    assert task.make_run(1.0) is False
    recorded.takes("reload_replication_tables", TablesToReload=[{"SchemaName": "s", "TableName": "t"}])
    task.reload([TableName("s", "t")])
    only = [{"Name": "schema-name", "Values": ["s"]}, {"Name": "table-name", "Values": ["t"]}]
    line = {"SchemaName": "s", "TableName": "t", "TableState": "Table completed", "FullLoadRows": 7}
    times = {"FullLoadStartTime": NOW, "FullLoadEndTime": NOW + timedelta(seconds=3)}
    answer = {"ReplicationTableStatistics": [{**line, **times}]}
    recorded.takes("describe_replication_table_statistics", answer, Filters=only)
    state = task.state(TableName("s", "t"))
    assert state is not None
    assert (state.complete, state.rows) == (True, 7)
    recorded.done()
