"""One construct serves every engine: what each wants of RDS and of DMS, on the template."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from catchment.engines import ENGINES
from catchment.settings import Settings, SourceSettings, load_settings
from stacks.context import CDK_JSON
from tests.infrastructure.assembly import Assembly, only
from tests.infrastructure.test_cfn_lint import findings

CERTIFICATE = "arn:aws:dms:eu-central-1:111122223333:cert:RDS"
SECRET = "arn:aws:secretsmanager:eu-central-1:444455556666:secret:erp/dms-AbCdEf"
KEY = "arn:aws:kms:eu-central-1:111122223333:key/0b1c2d3e-1111-2222-3333-444455556666"
GROUP = "sg-0123456789abcdef0"


@pytest.fixture(scope="module")
def every_engine(synthesized: Callable[[Settings], Assembly]) -> Assembly:
    """An environment with a source of each engine, and two of databases that somebody else runs."""
    settings = load_settings(CDK_JSON, "prod")
    sales = settings.sources["sales"].model_dump()
    elsewhere = {"rds": None, "external": {"secret_arn": SECRET, "address": "10.20.0.15"}, "database": "ERP.acme"}
    own = {
        "postgresql": {"rds": {**sales["rds"], "parameters": {"work_mem": "65536"}}},
        "mysql": {"certificate_arn": CERTIFICATE, "rds": {**sales["rds"], "rotate_days": 30}},
        "mariadb": {"certificate_arn": CERTIFICATE},
        "sqlserver": {"rds": {**sales["rds"], "instance_class": "db.m6i.large"}},
        "oracle": {**elsewhere, "certificate_arn": CERTIFICATE, "log_reader": "binary"},
        "crm": {
            "engine": "sqlserver",
            "rds": None,
            "external": {"secret_name": "crm/dms", "secret_key_arn": KEY, "security_group_id": GROUP, "port": 11433},
            "certificate_arn": CERTIFICATE,
        },
    }
    assert own.keys() >= ENGINES.keys()
    sources = {
        name: SourceSettings.model_validate(
            {**sales, "start_replication": True, "engine": name, **changed}, strict=False
        )
        for name, changed in own.items()
    }
    return synthesized(settings.model_copy(update={"sources": sources}))


def test_templates_with_every_engine_have_no_finding(every_engine: Assembly) -> None:
    assert findings(every_engine, ["Sources", "Replication"]) == []


def _database(assembly: Assembly, engine: str) -> dict[str, Any]:
    return only(assembly.properties("Sources", "AWS::RDS::DBInstance"), Engine=engine)


def _endpoint(assembly: Assembly, engine: str, **wanted: Any) -> dict[str, Any]:
    return only(assembly.properties("Replication", "AWS::DMS::Endpoint"), EngineName=engine, **wanted)


@pytest.mark.parametrize(
    ("engine", "family", "parameters"),
    [
        ("postgres", "postgres18", {"rds.logical_replication": "1"}),
        ("mysql", "mysql8.4", {"binlog_format": "ROW", "binlog_row_image": "FULL"}),
        ("postgres", "postgres18", {"rds.force_ssl": "1", "work_mem": "65536"}),
        ("mysql", "mysql8.4", {"require_secure_transport": "1"}),
        ("mariadb", "mariadb10.11", {"binlog_format": "ROW", "require_secure_transport": "1"}),
        ("sqlserver-se", "sqlserver-se-16.0", {"rds.force_ssl": "1"}),
    ],
)
def test_each_engine_is_set_up_to_capture_changes(
    every_engine: Assembly, engine: str, family: str, parameters: dict[str, str]
) -> None:
    group = only(every_engine.properties("Sources", "AWS::RDS::DBParameterGroup"), Family=family)
    assert parameters.items() <= group["Parameters"].items()
    assert _database(every_engine, engine)["BackupRetentionPeriod"] >= 1


@pytest.mark.parametrize("engine", ["postgres", "mysql", "mariadb", "sqlserver-se"])
def test_no_database_is_public_or_unencrypted(every_engine: Assembly, engine: str) -> None:
    database = _database(every_engine, engine)
    assert database["PubliclyAccessible"] is False
    assert database["StorageEncrypted"] is True
    assert database["AutoMinorVersionUpgrade"] is False
    assert database["CACertificateIdentifier"] == "rds-ca-rsa2048-g1"


def test_a_database_grows_by_itself_as_far_as_the_settings_say(prod: Assembly, laptop: Assembly) -> None:
    [database] = prod.properties("Sources", "AWS::RDS::DBInstance")
    assert (database["AllocatedStorage"], database["MaxAllocatedStorage"]) == ("200", 1000)
    assert (database["EnablePerformanceInsights"], database["PerformanceInsightsRetentionPeriod"]) == (True, 7)
    assert "PerformanceInsightsKMSKeyId" in database
    assert database["DeleteAutomatedBackups"] is False
    [gone] = laptop.properties("Sources", "AWS::RDS::DBInstance")
    assert "EnablePerformanceInsights" not in gone
    assert gone["DeleteAutomatedBackups"] is True


def test_sql_server_gets_no_database_name_from_rds(every_engine: Assembly) -> None:
    assert "DBName" not in _database(every_engine, "sqlserver-se")
    assert _database(every_engine, "postgres")["DBName"] == "sales"


@pytest.mark.parametrize(
    ("engine", "ssl", "database", "settings"),
    [
        ("postgres", "require", "sales", "PostgreSqlSettings"),
        ("mysql", "verify-full", None, "MySqlSettings"),
        ("mariadb", "verify-full", None, "MySqlSettings"),
        ("sqlserver", "require", "sales", "MicrosoftSqlServerSettings"),
        ("oracle", "verify-ca", "ERP.acme", "OracleSettings"),
    ],
)
def test_each_engine_is_read_over_an_encrypted_connection(
    every_engine: Assembly, engine: str, ssl: str, database: str | None, settings: str
) -> None:
    endpoint = _endpoint(every_engine, engine, SslMode=ssl)
    assert endpoint.get("DatabaseName") == database
    assert "SecretsManagerSecretId" in endpoint[settings]


def test_passwords_hold_nothing_that_dms_refuses(every_engine: Assembly) -> None:
    for secret in every_engine.properties("Sources", "AWS::SecretsManager::Secret"):
        assert set(";.:+{}*&,%\\") <= set(secret["GenerateSecretString"]["ExcludeCharacters"])


def test_databases_are_reached_by_replication_and_the_agent_alone(every_engine: Assembly) -> None:
    groups = every_engine.properties("Sources", "AWS::EC2::SecurityGroup")
    assert not [group for group in groups if group.get("SecurityGroupIngress")]
    rules = every_engine.properties("Sources", "AWS::EC2::SecurityGroupIngress")
    assert sorted(rule["Description"] for rule in rules) == [
        *5 * ["DMS reads the database"],
        *5 * ["The agent looks after the database"],
    ]
    assert all("SourceSecurityGroupId" in rule and "CidrIp" not in rule for rule in rules)


def test_replication_reaches_databases_and_endpoints_and_nothing_else(every_engine: Assembly) -> None:
    [inline] = [
        group["SecurityGroupEgress"]
        for group in every_engine.properties("Network", "AWS::EC2::SecurityGroup")
        if group["GroupDescription"] == "DMS replication instances"
    ]
    assert [(rule["CidrIp"], rule["FromPort"], rule["ToPort"]) for rule in inline] == [
        ("0.0.0.0/0", 443, 443),
        ("10.20.0.15/32", 1521, 1521),
    ]
    apart = every_engine.properties("Sources", "AWS::EC2::SecurityGroupEgress")
    assert all("DestinationSecurityGroupId" in rule for rule in apart)
    of_dms = [rule for rule in apart if rule["Description"] == "DMS reads the database"]
    assert sorted((rule["FromPort"], rule["ToPort"]) for rule in of_dms) == [
        (1433, 1433),
        *2 * [(3306, 3306)],
        (5432, 5432),
        (11433, 11433),
    ]


def test_no_database_reaches_out(every_engine: Assembly) -> None:
    for group in every_engine.properties("Sources", "AWS::EC2::SecurityGroup"):
        [rule] = group["SecurityGroupEgress"]
        assert rule["CidrIp"] == "255.255.255.255/32", "what CDK writes where nothing is to be reached"


def test_no_instance_is_made_for_a_database_that_somebody_else_runs(every_engine: Assembly) -> None:
    assert len(every_engine.resources("Sources", "AWS::RDS::DBInstance")) == 4
    assert len(every_engine.resources("Sources", "AWS::SecretsManager::Secret")) == 4
    rules = [
        rule
        for direction in ("Ingress", "Egress")
        for rule in every_engine.properties("Sources", f"AWS::EC2::SecurityGroup{direction}")
        if GROUP in (rule["GroupId"], rule.get("DestinationSecurityGroupId"))
    ]
    assert [(rule["FromPort"], rule["ToPort"]) for rule in rules] == [(11433, 11433)] * 4, "DMS, and the agent"


def test_dms_reads_the_secret_of_another_with_its_own_key(every_engine: Assembly) -> None:
    policies = every_engine.resources("Replication", "AWS::IAM::Policy")
    erp, crm = (
        {
            str(action): each["Resource"]
            for each in policy["Properties"]["PolicyDocument"]["Statement"]
            for action in each["Action"]
        }
        for source in ("oracle", "crm")
        for name, policy in policies.items()
        if name.startswith(f"Source{source}DatabaseSecretRole")
    )
    assert erp["secretsmanager:GetSecretValue"] == SECRET
    assert "kms:Decrypt" not in erp, "Secrets Manager's own key lets in whoever may read the secret"
    assert crm["kms:Decrypt"] == KEY
    *_, named = crm["secretsmanager:GetSecretValue"]["Fn::Join"][1]
    assert named.endswith(":secret:crm/dms-??????")


def test_oracles_log_is_read_as_the_settings_say(every_engine: Assembly) -> None:
    settings = _endpoint(every_engine, "oracle")["OracleSettings"]
    assert (settings["UseLogminerReader"], settings["UseBFile"]) == (False, True)
    assert settings["FailTasksOnLobTruncation"] is True


def test_a_certificate_makes_the_connection_as_strict_as_the_engine_can(every_engine: Assembly) -> None:
    assert _endpoint(every_engine, "sqlserver", CertificateArn=CERTIFICATE)["SslMode"] == "verify-full"


def test_no_group_is_open_for_want_of_a_rule(every_engine: Assembly) -> None:
    """EC2 gives a new group without a rule of its own one that reaches everything; rules added later do not take it."""
    for path, group in every_engine.everywhere("AWS::EC2::SecurityGroup"):
        assert group["Properties"]["SecurityGroupEgress"], path
        assert all(rule["IpProtocol"] != "-1" for rule in group["Properties"]["SecurityGroupEgress"]), path


def test_a_password_is_changed_where_the_settings_say_so(every_engine: Assembly) -> None:
    [schedule] = every_engine.properties("Sources", "AWS::SecretsManager::RotationSchedule")
    assert schedule["RotationRules"] == {"AutomaticallyAfterDays": 30}
    assert schedule["RotateImmediatelyOnUpdate"] is False
    permissions = every_engine.properties("Sources", "AWS::Lambda::Permission")
    [invoke] = [each for each in permissions if each["Principal"] == "secretsmanager.amazonaws.com"]
    assert (invoke["SourceArn"], invoke["SourceAccount"]) == (schedule["SecretId"], {"Ref": "AWS::AccountId"})


def test_a_rotation_that_fails_is_told(every_engine: Assembly, prod: Assembly) -> None:
    def alarms(assembly: Assembly) -> list[str]:
        return [each["AlarmName"] for each in assembly.properties("Monitoring", "AWS::CloudWatch::Alarm")]

    assert [name for name in alarms(every_engine) if "rotation" in name]
    assert not [name for name in alarms(prod) if "rotation" in name], "nobody changes a password there"


def test_a_task_connects_anew_when_its_secret_has_a_new_value(every_engine: Assembly) -> None:
    rules = {
        rule["Targets"][0]["Input"]: rule["EventPattern"]
        for rule in every_engine.properties("Replication", "AWS::Events::Rule")
        if rule["EventPattern"]["source"] == ["aws.secretsmanager"]
    }
    assert rules.keys() == {f'{{"restart":"/catchment/prod/{name}/task-arn"}}' for name in (*ENGINES, "crm")}
    assert all(pattern["detail"] == {"labelUpdated": ["AWSCURRENT"]} for pattern in rules.values())
    assert rules['{"restart":"/catchment/prod/oracle/task-arn"}']["resources"] == [SECRET]
    [named] = rules['{"restart":"/catchment/prod/crm/task-arn"}']["resources"]
    assert str(named["prefix"]).endswith(":secret:crm/dms-']]}")


def test_what_flows_is_logged_and_encrypted(every_engine: Assembly) -> None:
    [log] = every_engine.properties("Network", "AWS::EC2::FlowLog")
    assert log["TrafficType"] == "ALL"
    groups = every_engine.resources("Network", "AWS::Logs::LogGroup")
    [group] = [each["Properties"] for logical_id, each in groups.items() if "FlowLog" in logical_id]
    assert "Key" in group["KmsKeyId"]["Fn::ImportValue"]
    [key] = every_engine.properties("Lake", "AWS::KMS::Key")
    [statement] = [each for each in key["KeyPolicy"]["Statement"] if "logs." in str(each["Principal"])]
    assert "kms:EncryptionContext:aws:logs:arn" in statement["Condition"]["ArnLike"]


def test_the_network_has_no_way_out(every_engine: Assembly) -> None:
    for kind in ("InternetGateway", "NatGateway", "EIP"):
        assert not every_engine.resources("Network", f"AWS::EC2::{kind}")
    services = [str(each["ServiceName"]) for each in every_engine.properties("Network", "AWS::EC2::VPCEndpoint")]
    assert len(services) == 3
    assert all(any(name in service for service in services) for name in ("s3", "secretsmanager", "logs"))


def test_every_source_has_a_task_and_a_folder_of_its_own(every_engine: Assembly) -> None:
    endpoints = every_engine.properties("Replication", "AWS::DMS::Endpoint")
    folders = [each["S3Settings"]["BucketFolder"] for each in endpoints if each["EndpointType"] == "target"]
    assert sorted(folders) == sorted([*ENGINES, "crm"])
    assert len(every_engine.resources("Replication", "AWS::DMS::ReplicationTask")) == len(folders)
    assert len(every_engine.resources("Replication", "Custom::DmsTaskLifecycle")) == len(folders)


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
