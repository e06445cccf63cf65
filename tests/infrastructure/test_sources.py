"""One construct serves every engine: what each wants of RDS and of DMS, on the template."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from catchment.engines import ENGINES
from catchment.settings import Settings, SourceSettings, load_settings
from stacks.context import CDK_JSON
from tests.infrastructure.assembly import Assembly, only

CERTIFICATE = "arn:aws:dms:eu-central-1:111122223333:cert:RDS"


@pytest.fixture(scope="module")
def every_engine(synthesized: Callable[[Settings], Assembly]) -> Assembly:
    """An environment with a source of each engine."""
    settings = load_settings(CDK_JSON, "prod")
    sales = settings.sources["sales"].model_dump()
    changed = {"certificate_arn": CERTIFICATE, "start_replication": True}
    sources = {
        name: SourceSettings.model_validate({**sales, **changed, "engine": name}, strict=False) for name in ENGINES
    }
    return synthesized(settings.model_copy(update={"sources": sources}))


def _database(assembly: Assembly, engine: str) -> dict[str, Any]:
    return only(assembly.properties("Sources", "AWS::RDS::DBInstance"), Engine=engine)


def _endpoint(assembly: Assembly, engine: str) -> dict[str, Any]:
    return only(assembly.properties("Replication", "AWS::DMS::Endpoint"), EngineName=engine)


@pytest.mark.parametrize(
    ("engine", "family", "parameters"),
    [
        ("postgres", "postgres18", {"rds.logical_replication": "1"}),
        ("mysql", "mysql8.4", {"binlog_format": "ROW", "binlog_row_image": "FULL"}),
        ("sqlserver-se", "sqlserver-se-16.0", {}),
    ],
)
def test_each_engine_is_set_up_to_capture_changes(
    every_engine: Assembly, engine: str, family: str, parameters: dict[str, str]
) -> None:
    group = only(every_engine.properties("Sources", "AWS::RDS::DBParameterGroup"), Family=family)
    assert parameters.items() <= group["Parameters"].items()
    assert _database(every_engine, engine)["BackupRetentionPeriod"] >= 1


@pytest.mark.parametrize("engine", ["postgres", "mysql", "sqlserver-se"])
def test_no_database_is_public_or_unencrypted(every_engine: Assembly, engine: str) -> None:
    database = _database(every_engine, engine)
    assert database["PubliclyAccessible"] is False
    assert database["StorageEncrypted"] is True
    assert database["AutoMinorVersionUpgrade"] is False


def test_sql_server_gets_no_database_name_from_rds(every_engine: Assembly) -> None:
    assert "DBName" not in _database(every_engine, "sqlserver-se")
    assert _database(every_engine, "postgres")["DBName"] == "sales"


@pytest.mark.parametrize(
    ("engine", "ssl", "database", "settings"),
    [
        ("postgres", "require", "sales", "PostgreSqlSettings"),
        ("mysql", "verify-full", None, "MySqlSettings"),
        ("sqlserver", "require", "sales", "MicrosoftSqlServerSettings"),
    ],
)
def test_each_engine_is_read_over_an_encrypted_connection(
    every_engine: Assembly, engine: str, ssl: str, database: str | None, settings: str
) -> None:
    endpoint = _endpoint(every_engine, engine)
    assert endpoint["SslMode"] == ssl
    assert endpoint.get("DatabaseName") == database
    assert "SecretsManagerSecretId" in endpoint[settings]


def test_passwords_hold_nothing_that_dms_refuses(every_engine: Assembly) -> None:
    for secret in every_engine.properties("Sources", "AWS::SecretsManager::Secret"):
        assert set(";.:+{}*&,%\\") <= set(secret["GenerateSecretString"]["ExcludeCharacters"])


def test_databases_are_reached_by_replication_alone(every_engine: Assembly) -> None:
    groups = every_engine.properties("Sources", "AWS::EC2::SecurityGroup")
    assert not [group for group in groups if group.get("SecurityGroupIngress")]
    rules = every_engine.properties("Sources", "AWS::EC2::SecurityGroupIngress")
    assert len(rules) == 3
    assert all("SourceSecurityGroupId" in rule and "CidrIp" not in rule for rule in rules)


def test_the_network_has_no_way_out(every_engine: Assembly) -> None:
    for kind in ("InternetGateway", "NatGateway", "EIP"):
        assert not every_engine.resources("Network", f"AWS::EC2::{kind}")
    services = [str(each["ServiceName"]) for each in every_engine.properties("Network", "AWS::EC2::VPCEndpoint")]
    assert len(services) == 3
    assert all(any(name in service for service in services) for name in ("s3", "secretsmanager", "logs"))


def test_every_source_has_a_task_and_a_folder_of_its_own(every_engine: Assembly) -> None:
    endpoints = every_engine.properties("Replication", "AWS::DMS::Endpoint")
    folders = [each["S3Settings"]["BucketFolder"] for each in endpoints if each["EndpointType"] == "target"]
    assert sorted(folders) == sorted(ENGINES)
    assert len(every_engine.resources("Replication", "AWS::DMS::ReplicationTask")) == 3
    assert len(every_engine.resources("Replication", "Custom::DmsTaskLifecycle")) == 3


def test_a_new_database_is_deployed_before_its_tasks_are_started(prod: Assembly) -> None:
    """DMS fails a task that finds none of its tables, and the stack would be rolled back."""
    assert len(prod.resources("Replication", "AWS::DMS::ReplicationTask")) == 1
    [lifecycle] = prod.properties("Replication", "Custom::DmsTaskLifecycle")
    assert lifecycle["Running"] == "false"


def test_a_task_and_its_endpoints_wait_for_the_hold_and_let_go_comes_last(laptop: Assembly) -> None:
    [held] = laptop.resources("Replication", "Custom::DmsTaskHold")
    [managed] = laptop.properties("Replication", "Custom::DmsTaskLifecycle")
    tasks = laptop.resources("Replication", "AWS::DMS::ReplicationTask")
    parts = {**tasks, **laptop.resources("Replication", "AWS::DMS::Endpoint")}
    assert all(held in part["DependsOn"] for part in parts.values())
    assert managed["TaskArn"] == {"Ref": next(iter(tasks))}
    [hold] = laptop.properties("Replication", "Custom::DmsTaskHold")
    assert hold["Configuration"] == managed["Configuration"], "whoever is held is let go"
