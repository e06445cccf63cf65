"""Slow: an environment of what is there already works, and leaves all of it as it was.

Scope: network, key, buckets and a real PostgreSQL that nobody of this app made; the app deployed to the local AWS under
another prefix, from the full load to the Delta tables, given a new password's event, and taken down.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from catchment.cli.app import run
from catchment.settings import Settings, load_settings
from local.aws import LocalAws, deploy
from local.source import sales
from local.source.postgres import EmbeddedPostgres
from stacks.context import CDK_JSON
from tests.infrastructure.assembly import Assembly
from tests.infrastructure.test_task_deployed import until

pytestmark = pytest.mark.slow

BUCKETS = {"landing": "acme-landing", "silver": "acme-silver"}


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalAws]:
    with LocalAws.start(tmp_path / "aws") as started:
        for name, value in started.environment().items():
            monkeypatch.setenv(name, value)
        yield started


@pytest.fixture
def database(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    parameters = {"rds.logical_replication": "1"}
    with EmbeddedPostgres.start(
        tmp_path / "db", parameters=parameters, user="owner", password="theirs", database="sales", port=None
    ) as server:
        sales.seed(server.dsn("sales"), 2000, 7)
        yield server


def _subnets(aws: LocalAws) -> tuple[str, list[dict[str, str]]]:
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    zones = [f"{aws.region}{letter}" for letter in "ab"]
    made = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.9.{at}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
        for at, zone in enumerate(zones)
    ]
    return vpc, [
        {"subnet_id": subnet, "availability_zone": zone, "route_table_id": table}
        for subnet, zone in zip(made, zones, strict=True)
    ]


def _settings(aws: LocalAws, database: EmbeddedPostgres, cdk_json: Path) -> Settings:
    """The laptop's, but for what is there."""
    login = {"host": database.host, "port": database.port, "username": database.user, "password": database.password}
    secret = aws.client("secretsmanager").create_secret(Name="acme/sales", SecretString=json.dumps(login))["ARN"]
    key = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    for bucket in BUCKETS.values():
        aws.client("s3").create_bucket(Bucket=bucket)
    aws.client("s3").put_bucket_notification_configuration(
        Bucket=BUCKETS["landing"], NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    vpc, subnets = _subnets(aws)
    document = json.loads(CDK_JSON.read_text())
    document["context"]["environments"]["acme"] = {
        "like": "laptop",
        "stack_prefix": "acme",
        "network": {"cidr": None, "vpc": {"vpc_id": vpc, "subnets": subnets, "endpoints": ["secretsmanager"]}},
        "lake": {"buckets": BUCKETS, "key_arn": key},
        "sources": {
            "sales": {"rds": None, "external": {"secret_arn": secret, "address": database.host, "port": database.port}}
        },
    }
    cdk_json.write_text(json.dumps(document))
    return load_settings(cdk_json, "acme")


def test_an_environment_of_what_is_there_already_works_and_leaves_it(
    aws: LocalAws,
    database: EmbeddedPostgres,
    tmp_path: Path,
    synthesized: Callable[[Settings], Assembly],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = _settings(aws, database, tmp_path / "cdk.json")
    outputs = deploy(aws, synthesized(settings).folder)
    assert set(outputs) == {f"acme-acme-{name}" for name in _STACKS}
    assert outputs["acme-acme-lake"]["SilverBucket"] == "acme-silver"

    silver: Any = aws.folder / "s3" / "acme-silver" / "sales"
    until(lambda: all((silver / schema / table / "_delta_log").is_dir() for schema, table in _tables(settings)))

    until(lambda: _tasks(aws) == ["running"])
    secret = aws.client("secretsmanager").get_secret_value(SecretId="acme/sales")["SecretString"]
    aws.client("secretsmanager").put_secret_value(SecretId="acme/sales", SecretString=secret)
    until(lambda: "resume-processing" in _lifecycle_log(aws) and _tasks(aws) == ["running"])

    assert run(["teardown", "--env", "acme", "--yes", "--poll-seconds", "1"]) == 0, "cdk.json says the prefix"
    capsys.readouterr()
    assert run(["teardown", "--env", "acme", "--stack-prefix", "acme"]) == 0
    assert "Nothing of acme is deployed" in capsys.readouterr().out
    buckets = {each["Name"] for each in aws.client("s3").list_buckets()["Buckets"]}
    assert set(BUCKETS.values()) <= buckets
    assert (silver / "sales" / "clients" / "_delta_log").is_dir(), (
        "both keys to deletion are turned, and it is not ours"
    )
    with psycopg.connect(database.dsn("sales")) as connection:
        assert connection.execute("SELECT count(*) FROM pg_replication_slots").fetchone() == (0,)
        assert connection.execute("SELECT count(*) > 0 FROM sales.clients").fetchone() == (True,)


def _tasks(aws: LocalAws) -> list[str]:
    return [each["Status"] for each in aws.client("dms").describe_replication_tasks()["ReplicationTasks"]]


def _lifecycle_log(aws: LocalAws) -> str:
    return "".join(log.read_text() for log in (aws.folder / "logs").glob("*TaskLifecycle*.log"))


_STACKS = ("network", "lake", "sources", "apply", "replication", "monitoring")


def _tables(settings: Settings) -> list[tuple[str, str]]:
    return [(name.partition(".")[0], name.partition(".")[2]) for name in settings.sources["sales"].tables]
