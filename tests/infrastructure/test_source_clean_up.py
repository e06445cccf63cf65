"""What a removed task has left in its source is cleared up, and nothing else. Slow, but for the handler's own tests.

Scope: the deployed stacks on the local AWS with a real PostgreSQL behind them; the templates of every engine.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from local.aws import LocalAws, deploy
from local.source import sales
from tests.infrastructure.assembly import Assembly

THEIRS = "debezium_orders"
PARAMETER = "/catchment/laptop/sales/held"


@pytest.fixture
def aws(tmp_path: Any) -> Iterator[LocalAws]:
    with LocalAws.start(tmp_path) as started:
        yield started


class Source:
    """The source database, as its owner sees it."""

    def __init__(self, aws: LocalAws, outputs: dict[str, str]) -> None:
        self.secret = outputs["salesSecretArn"]
        self._secrets = aws.client("secretsmanager")
        login = json.loads(self._secrets.get_secret_value(SecretId=self.secret)["SecretString"])
        names = {"host": "host", "port": "port", "user": "username", "password": "password", "dbname": "dbname"}
        self.login, self.dsn = login, " ".join(f"{name}={login[key]}" for name, key in names.items())

    def sql(self, statement: str, *parameters: object) -> set[Any]:
        """The first column of what a statement finds."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), parameters or None)
            return {row[0] for row in cursor.fetchall()} if cursor.description else set()

    def slots(self) -> set[str]:
        """Names of the replication slots."""
        return self.sql("SELECT slot_name::text FROM pg_replication_slots")

    def lock_out(self) -> None:
        """Have the agent's login refused."""
        self._secrets.put_secret_value(SecretId=self.secret, SecretString=json.dumps({**self.login, "password": "no"}))


def _running(aws: LocalAws, laptop: Assembly) -> Source:
    outputs = deploy(aws, laptop.folder, stacks=["Network", "Lake", "Sources"])["catchment-laptop-sources"]
    source = Source(aws, outputs)
    sales.seed(source.dsn, 2000, 7)
    deploy(aws, laptop.folder)
    return source


def _remove_replication(aws: LocalAws) -> None:
    formation = aws.client("cloudformation")
    for stack in ("catchment-laptop-monitoring", "catchment-laptop-replication"):
        formation.delete_stack(StackName=stack)
        formation.get_waiter("stack_delete_complete").wait(
            StackName=stack, WaiterConfig={"Delay": 1, "MaxAttempts": 120}
        )


def _noted(aws: LocalAws) -> dict[str, Any] | None:
    ssm = aws.client("ssm")
    try:
        noted: dict[str, Any] = json.loads(ssm.get_parameter(Name=PARAMETER)["Parameter"]["Value"])
    except ssm.exceptions.ParameterNotFound:
        return None
    return noted


@pytest.mark.slow
def test_what_a_crashed_task_left_goes_with_it_and_what_is_anothers_stays(aws: LocalAws, laptop: Assembly) -> None:
    source = _running(aws, laptop)
    noted = _noted(aws)
    assert noted is not None
    [own] = source.slots()
    assert noted["held"] == [own]

    crashed = f"{own}_crashed"
    for name in (crashed, THEIRS):
        source.sql("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", name)
    source.sql(f'CREATE PUBLICATION "{crashed}_rows"')
    source.sql("CREATE PUBLICATION theirs")
    _remove_replication(aws)
    assert source.slots() == {THEIRS}
    assert source.sql("SELECT pubname::text FROM pg_publication") == {"theirs"}
    assert not source.sql("SELECT evtname::text FROM pg_event_trigger")
    assert _noted(aws) is None, "nothing is left to be looked at"


@pytest.mark.slow
def test_a_source_that_cannot_be_reached_does_not_keep_the_stack_and_is_told_of(
    aws: LocalAws, laptop: Assembly
) -> None:
    source = _running(aws, laptop)
    [own] = source.slots()
    source.sql("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", f"{own}_crashed")
    source.lock_out()
    _remove_replication(aws)
    [log] = (aws.folder / "logs").glob("*SourceCleanUp*.log")
    assert f"given up: sales: look for {own} yourself" in log.read_text()
    assert _noted(aws) is not None, "what it was stays written down"


def test_a_request_that_waits_is_handed_back_for_as_long_as_its_resource_exists(laptop: Assembly) -> None:
    """Else a deletion takes the way back along, and the request is never answered."""
    stack = laptop.json("Replication")["Resources"]
    ways_back = {
        resource["Properties"]["FunctionName"]["Ref"]: logical_id
        for logical_id, resource in stack.items()
        if resource["Type"] == "AWS::Lambda::EventSourceMapping"
    }
    waiting = [each for each in stack.values() if each["Type"].startswith("Custom::")]
    assert len(waiting) == 6
    for resource in waiting:
        [function, _] = resource["Properties"]["ServiceToken"]["Fn::GetAtt"]
        assert ways_back[function] in resource["DependsOn"]


def test_a_source_is_cleared_up_after_its_task_is_gone_and_looked_at_before(laptop: Assembly) -> None:
    stack = laptop.json("Replication")["Resources"]
    by_kind = {resource["Type"]: (logical_id, resource) for logical_id, resource in stack.items()}
    cleaned, _ = by_kind["Custom::SourceCleanUp"]
    managed, _ = by_kind["Custom::DmsTaskLifecycle"]
    assert cleaned in by_kind["AWS::DMS::ReplicationTask"][1]["DependsOn"]
    assert managed in by_kind["Custom::SourceHeld"][1]["DependsOn"]


def test_the_agent_is_asked_by_two_functions_alone(laptop: Assembly) -> None:
    asking = [
        path
        for path, policy in laptop.everywhere("AWS::IAM::Policy")
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Action"] == "lambda:InvokeFunction" and "Agent" in json.dumps(statement["Resource"])
    ]
    assert len(asking) == 2
    assert all(any(who in path for path in asking) for who in ("SourceCleanUp", "SourcePreparation"))
