"""A deployment prepares a source, starts no task whose source is not ready, and puts the source back at the end.

Scope: the handler in process, against an agent of a few lines; slow: the deployed stacks on the local AWS with a real
PostgreSQL behind them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest

from catchment.cli.app import run as command
from catchment.errors import SourceUnreachable
from lambda_src.source_preparation import handler as preparation
from local.aws import DeploymentFailed, LocalAws, deploy
from local.source import sales
from tests.infrastructure.assembly import Assembly
from tests.infrastructure.cloudformation import CloudFormation

STEP = {"what": "log whole rows", "why": "…", "sql": ["FULL"], "undo": ["DEFAULT"]}


class Agent:
    """The function beside the databases, its control table, and the stack that is deployed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        self.kept: list[str] = []
        self.steps, self.findings = [STEP], list[dict[str, str]]()
        self.reached, self.stack_status = True, "UPDATE_IN_PROGRESS"
        monkeypatch.setattr(preparation, "_ask", self._ask)
        monkeypatch.setattr(preparation, "_record", lambda _source: self)
        monkeypatch.setattr(preparation, "_is_rolled_back", lambda _stack: "ROLLBACK" in self.stack_status)
        monkeypatch.setattr("lambda_src.waiting.into_queue", lambda body: self.waiting.append(body))
        self.waiting: list[str] = []

    def _ask(self, source: str, action: str, **said: Any) -> dict[str, Any]:
        if not self.reached:
            raise SourceUnreachable(source, "no route")
        self.asked.append(action)
        if action == "prepare":
            assert self.kept, "what takes it back is kept before anything is done"
            return {"done": [step["what"] for step in self.steps]}
        if action == "plan":
            return {
                "steps": self.steps,
                "undo": [*said["before"], *(sql for step in self.steps for sql in step["undo"])],
            }
        if action == "unprepare":
            return {"done": said["statements"], "failed": {}}
        return {"findings": self.findings}

    def read(self) -> list[str]:
        return list(self.kept)

    def write(self, statements: list[str]) -> None:
        self.kept = list(statements)


@pytest.fixture
def agent(monkeypatch: pytest.MonkeyPatch) -> Agent:
    return Agent(monkeypatch)


@pytest.fixture
def formation() -> Iterator[CloudFormation]:
    started = CloudFormation()
    yield started
    started.stop()


def request(formation: CloudFormation, kind: str, resource: str, **properties: str) -> dict[str, str]:
    """CloudFormation's answer to a request."""
    said = {"Source": "sales", "Wanted": "{}", "Prepare": "true", "Running": "true", **properties}
    event = formation.event(kind, ResourceType=f"Custom::{resource}", PhysicalResourceId="x")
    preparation.handler({**event, "ResourceProperties": said}, None)
    return formation.answers[-1] if formation.answers else {}


def test_a_source_is_prepared_once_and_put_back_at_the_end(agent: Agent, formation: CloudFormation) -> None:
    assert request(formation, "Create", "SourcePrepared")["Status"] == "SUCCESS"
    assert (agent.asked, agent.kept) == (["plan", "prepare"], ["DEFAULT"])
    agent.steps = []
    assert request(formation, "Update", "SourcePrepared")["Status"] == "SUCCESS"
    assert agent.asked[2:] == ["plan"], "nothing is to be done"
    assert request(formation, "Delete", "SourcePrepared")["Status"] == "SUCCESS"
    assert (agent.asked[3:], agent.kept) == (["unprepare"], [])


def test_a_source_that_is_not_to_be_prepared_any_more_is_put_back(agent: Agent, formation: CloudFormation) -> None:
    request(formation, "Create", "SourcePrepared")
    assert request(formation, "Update", "SourcePrepared", Prepare="false")["Status"] == "SUCCESS"
    assert (agent.asked[-1], agent.kept) == ("unprepare", [])
    request(formation, "Update", "SourcePrepared", Prepare="false")
    assert agent.asked.count("unprepare") == 1


def test_what_blocks_fails_the_deployment_and_is_named(agent: Agent, formation: CloudFormation) -> None:
    said = {"check": "log", "why": "…", "fix": "…"}
    agent.findings = [{**said, "level": "warns", "what": "fine"}]
    assert request(formation, "Create", "SourcePreflight")["Status"] == "SUCCESS"
    agent.findings.append({**said, "level": "blocks", "what": "wal_level is replica"})
    answer = request(formation, "Update", "SourcePreflight")
    assert answer["Status"] == "FAILED"
    assert "log: wal_level is replica" in answer["Reason"]
    assert "fine" not in answer["Reason"]
    assert request(formation, "Update", "SourcePreflight", Running="false")["Status"] == "SUCCESS"
    agent.stack_status = "UPDATE_ROLLBACK_IN_PROGRESS"
    assert request(formation, "Update", "SourcePreflight")["Status"] == "SUCCESS", "a rollback must not fail"


@pytest.mark.parametrize(
    ("kind", "resource", "ends"),
    [
        ("Create", "SourcePreflight", "FAILED"),
        ("Create", "SourcePrepared", "FAILED"),
        ("Delete", "SourcePrepared", "SUCCESS"),
    ],
)
def test_a_source_that_cannot_be_reached_is_tried_for_a_while(
    agent: Agent, formation: CloudFormation, monkeypatch: pytest.MonkeyPatch, kind: str, resource: str, ends: str
) -> None:
    monkeypatch.setattr(preparation, "LOOKS", 1)
    agent.reached, agent.kept = False, ["DEFAULT"]
    answer = request(formation, kind, resource)
    assert answer["Status"] == ends
    assert "sales cannot be reached" in answer["Reason"] or ends == "SUCCESS"


def test_the_gate_is_between_the_task_and_what_starts_it(laptop: Assembly) -> None:
    stack = laptop.json("Replication")["Resources"]
    by_kind = {resource["Type"]: (logical_id, resource) for logical_id, resource in stack.items()}
    prepared, gate = by_kind["Custom::SourcePrepared"], by_kind["Custom::SourcePreflight"]
    task = by_kind["AWS::DMS::ReplicationTask"]
    assert prepared[0] in task[1]["DependsOn"]
    assert prepared[0] in by_kind["Custom::SourceCleanUp"][1]["DependsOn"], "it is put back after the cleaning"
    assert task[0] in gate[1]["DependsOn"]
    assert gate[0] in by_kind["Custom::DmsTaskLifecycle"][1]["DependsOn"]
    assert gate[1]["Properties"]["Running"] == "true"
    wanted = json.loads(prepared[1]["Properties"]["Wanted"])
    assert {f"{table['schema']}.{table['name']}" for table in wanted["tables"]} >= {"sales.sales", "hard.no_key"}


@pytest.mark.slow
def test_a_deployment_prepares_a_source_starts_no_task_too_early_and_puts_it_back(
    tmp_path: Path, laptop: Assembly, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    identity = "SELECT relreplident::text FROM pg_class WHERE oid = 'hard.large_values'::regclass"
    with LocalAws.start(tmp_path) as aws:
        outputs = deploy(aws, laptop.folder, stacks=["Network", "Lake", "Sources"])["catchment-laptop-sources"]
        secret = aws.client("secretsmanager").get_secret_value(SecretId=outputs["salesSecretArn"])
        login = json.loads(secret["SecretString"])
        names = {"host": "host", "port": "port", "user": "username", "password": "password", "dbname": "dbname"}
        dsn = " ".join(f"{name}={login[key]}" for name, key in names.items())
        sales.seed(dsn, 2000, 7)
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("ALTER TABLE hard.swaps SET UNLOGGED")
            with pytest.raises(DeploymentFailed, match=r"hard\.swaps is unlogged"):
                deploy(aws, laptop.folder)
            assert connection.execute(identity.encode()).fetchone() == ("d",), "what was rolled back is put back"

            connection.execute("ALTER TABLE hard.swaps SET LOGGED")
            _delete(aws, "catchment-laptop-replication")
            deploy(aws, laptop.folder)
            assert connection.execute(identity.encode()).fetchone() == ("f",)
            monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
            for name, value in aws.environment().items():
                monkeypatch.setenv(name, value)
            assert command(["preflight", "sales", "--env", "laptop"]) == 0
            assert command(["prepare", "sales", "--env", "laptop", "--yes"]) == 0
            said = capsys.readouterr().out
            assert "0 block" in said
            assert "nothing to do" in said
            assert command(["prepare", "sales", "--env", "laptop", "--undo"]) == 0
            assert 'ALTER TABLE "hard"."large_values" REPLICA IDENTITY DEFAULT' in capsys.readouterr().out
            for stack in ("catchment-laptop-monitoring", "catchment-laptop-replication"):
                _delete(aws, stack)
            assert connection.execute(identity.encode()).fetchone() == ("d",)


def _delete(aws: LocalAws, stack: str) -> None:
    formation = aws.client("cloudformation")
    formation.delete_stack(StackName=stack)
    waiter = formation.get_waiter("stack_delete_complete")
    waiter.wait(StackName=stack, WaiterConfig={"Delay": 1, "MaxAttempts": 120})
