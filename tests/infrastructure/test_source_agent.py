"""The function beside the databases, as it is deployed: a real PostgreSQL behind it, its role enforced.

Scope: the stacks Network, Lake and Sources on the local AWS.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from catchment.settings import load_settings
from local.aws import LocalAws, deploy
from stacks.context import CDK_JSON
from tests.infrastructure.assembly import Assembly, only

RDS = load_settings(CDK_JSON, "laptop").sources["sales"].rds
STORAGE = RDS.storage_gb * 2**30 if RDS is not None else 0
THEIRS = "debezium_orders"


class Deployed:
    """The three stacks, the agent's function, and the source as its owner sees it."""

    def __init__(self, aws: LocalAws, folder: Path) -> None:
        self.aws = aws
        outputs = deploy(aws, folder, stacks=["Network", "Lake", "Sources"])["catchment-laptop-sources"]
        self.function = outputs["AgentFunction"]
        secret = aws.client("secretsmanager").get_secret_value(SecretId=outputs["salesSecretArn"])
        self.login = json.loads(secret["SecretString"])

    def ask(self, **event: Any) -> dict[str, Any]:
        """What the agent answers."""
        answer = self.aws.client("lambda").invoke(FunctionName=self.function, Payload=json.dumps(event).encode())
        said: dict[str, Any] = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, said
        return said

    def sql(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Run as the owner."""
        login = self.login
        with psycopg.connect(
            host=login["host"], port=login["port"], user=login["username"], password=login["password"],
            dbname=login["dbname"], autocommit=True,
        ) as connection:  # fmt: skip
            cursor = connection.execute(statement.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []

    def metrics(self) -> list[dict[str, Any]]:
        """What it has written for CloudWatch, oldest first."""
        log = (self.aws.folder / "logs" / f"{self.function}.log").read_text()
        return [json.loads(line) for line in log.splitlines() if '"LogRetainedBytes"' in line and "_aws" in line]


@pytest.fixture(scope="module")
def deployed(laptop: Assembly, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    with LocalAws.start(tmp_path_factory.mktemp("agent")) as aws:
        yield Deployed(aws, laptop.folder)


def test_headroom_shrinks_while_a_slot_is_not_read(deployed: Deployed) -> None:
    before = deployed.ask(action="headroom")["sales"]
    assert before["retained_bytes"] == 0, "there is no slot"
    assert before["headroom_percent"] == 100

    deployed.sql("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", "unread")
    deployed.sql("CREATE TABLE written AS SELECT n, repeat('x', 500) AS pad FROM generate_series(1, 20000) n")
    after = deployed.ask(action="headroom")["sales"]
    assert after["retained_bytes"] > 10_000_000
    assert 99 < after["headroom_percent"] < 100
    assert after["headroom_percent"] == pytest.approx(100 * (1 - after["retained_bytes"] / STORAGE), abs=0.2)

    [*_, written] = deployed.metrics()
    assert (written["source"], written["LogRetainedBytes"]) == ("sales", [after["retained_bytes"]])
    assert written["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["source"]]
    assert written["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "catchment/laptop"
    deployed.sql("SELECT pg_drop_replication_slot(%s)", "unread")
    assert deployed.ask(action="headroom")["sales"]["retained_bytes"] == 0


def test_what_a_task_left_is_dropped_and_what_is_anothers_stays(deployed: Deployed) -> None:
    for name in ("awsdms_task1", THEIRS):
        deployed.sql("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", name)
    deployed.sql("CREATE PUBLICATION awsdms_task1_rows; CREATE PUBLICATION theirs")
    assert deployed.ask(action="held", source="sales", task="task1") == {"held": ["awsdms_task1"]}

    request = {"action": "clean_up", "source": "sales", "held": ["awsdms_task1"], "tables": []}
    assert deployed.ask(**request) == {"done": ["slot awsdms_task1", "publication awsdms_task1_rows"], "left": []}
    assert deployed.ask(**request) == {"done": [], "left": []}, "done again, it does nothing"
    assert deployed.sql("SELECT slot_name FROM pg_replication_slots") == [(THEIRS,)]
    assert deployed.sql("SELECT pubname FROM pg_publication") == [("theirs",)]


def test_the_agent_reaches_the_databases_and_their_secrets_and_nothing_else(prod: Assembly) -> None:
    out = [*prod.properties("Network", "AWS::EC2::SecurityGroupEgress")]
    out += prod.properties("Sources", "AWS::EC2::SecurityGroupEgress")
    out = [rule for rule in out if "agent" in rule["Description"]]
    assert sorted((rule["FromPort"], rule["ToPort"]) for rule in out) == [(443, 443), (5432, 5432)]
    assert all("DestinationSecurityGroupId" in rule and "CidrIp" not in rule for rule in out)
    [group] = [
        each
        for each in prod.properties("Network", "AWS::EC2::SecurityGroup")
        if each["GroupDescription"] == "The function beside the databases"
    ]
    assert [rule["CidrIp"] for rule in group["SecurityGroupEgress"]] == ["255.255.255.255/32"], "that is: nothing else"


def test_the_schedule_asks_for_headroom(prod: Assembly) -> None:
    rule = only(prod.properties("Sources", "AWS::Events::Rule"), ScheduleExpression="rate(5 minutes)")
    [target] = rule["Targets"]
    assert json.loads(target["Input"]) == {"action": "headroom"}
