"""RDS: an instance of PostgreSQL or MySQL is a real server, set up as its parameter group says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pymysql
import pytest

from local.aws import DeploymentFailed, LocalAws, deploy, destroy
from local.source.mariadb_programs import supported


def database(password_length: int = 20, **properties: Any) -> dict[str, Any]:
    generate = {
        "SecretStringTemplate": json.dumps({"username": "owner"}),
        "GenerateStringKey": "password",
        "PasswordLength": password_length,
        "ExcludePunctuation": True,
    }

    def resolve(key: str) -> dict[str, Any]:
        return {"Fn::Join": ["", ["{{resolve:secretsmanager:", {"Ref": "Secret"}, f":SecretString:{key}::}}}}"]]}

    return {
        "Resources": {
            "Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": {"GenerateSecretString": generate}},
            "Group": {
                "Type": "AWS::RDS::DBParameterGroup",
                "Properties": {
                    "Family": "postgres18",
                    "Description": "d",
                    "Parameters": {"rds.logical_replication": "1"},
                },
            },
            "Database": {
                "Type": "AWS::RDS::DBInstance",
                "DeletionPolicy": "Delete",
                "Properties": {
                    "Engine": "postgres",
                    "DBName": "sales",
                    "DBParameterGroupName": {"Ref": "Group"},
                    "MasterUsername": resolve("username"),
                    "MasterUserPassword": resolve("password"),
                    **properties,
                },
            },
            "Attached": {
                "Type": "AWS::SecretsManager::SecretTargetAttachment",
                "Properties": {
                    "SecretId": {"Ref": "Secret"},
                    "TargetId": {"Ref": "Database"},
                    "TargetType": "AWS::RDS::DBInstance",
                },
            },
        },
        "Outputs": {
            "Secret": {"Value": {"Ref": "Attached"}},
            "Id": {"Value": {"Ref": "Database"}},
            "Address": {"Value": {"Fn::GetAtt": ["Database", "Endpoint.Address"]}},
            "Port": {"Value": {"Fn::GetAtt": ["Database", "Endpoint.Port"]}},
        },
    }


def test_a_deployed_database_answers_until_it_is_destroyed(aws: LocalAws, assembly: Callable[..., Path]) -> None:
    outputs = deploy(aws, assembly(database=database()))["database"]
    secret = json.loads(aws.client("secretsmanager").get_secret_value(SecretId=outputs["Secret"])["SecretString"])
    described = aws.client("rds").describe_db_instances(DBInstanceIdentifier=outputs["Id"])["DBInstances"][0]

    assert (secret["host"], str(secret["port"])) == (outputs["Address"], outputs["Port"])
    assert (described["Endpoint"]["Address"], described["Endpoint"]["Port"]) == (secret["host"], int(secret["port"]))
    where = {"host": secret["host"], "port": secret["port"], "user": "owner", "dbname": secret["dbname"]}
    with psycopg.connect(**where, password=secret["password"]) as connection:
        assert connection.execute("SHOW wal_level").fetchone() == ("logical",)

    deploy(aws, assembly(database=database(AllocatedStorage=30)))
    with psycopg.connect(**where, password=secret["password"]) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == ("sales",)

    destroy(aws, assembly(database=database()))
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(**where, password=secret["password"])
    assert not (aws.folder / "rds" / outputs["Id"]).exists()


def test_a_protected_database_is_not_deleted(aws: LocalAws, assembly: Callable[..., Path]) -> None:
    deploy(aws, assembly(protected=database(DeletionProtection=True)))
    with pytest.raises(DeploymentFailed, match="disable deletion protection"):
        destroy(aws, assembly(protected=database(DeletionProtection=True)))

    deploy(aws, assembly(protected=database(DeletionProtection=False)))
    destroy(aws, assembly(protected=database(DeletionProtection=False)))


def test_another_engine_is_refused_by_name(aws: LocalAws, assembly: Callable[..., Path]) -> None:
    with pytest.raises(DeploymentFailed, match="Engine 'oracle-se2' is not emulated"):
        deploy(aws, assembly(oracle=database(Engine="oracle-se2")))


@pytest.mark.skipif(not supported(), reason="no MariaDB is built for this machine")
def test_mysql_is_a_server_with_a_binary_log_as_its_parameter_group_and_backups_say(
    aws: LocalAws, assembly: Callable[..., Path]
) -> None:
    def template(**properties: Any) -> dict[str, Any]:
        made = database(Engine="mysql", **properties)
        made["Resources"]["Group"]["Properties"] |= {"Family": "mysql8.4", "Parameters": {"binlog_format": "STATEMENT"}}
        return made

    outputs = deploy(aws, assembly(mysql=template()))["mysql"]

    def asked() -> tuple[Any, ...]:
        secret = json.loads(aws.client("secretsmanager").get_secret_value(SecretId=outputs["Secret"])["SecretString"])
        described = aws.client("rds").describe_db_instances(DBInstanceIdentifier=outputs["Id"])["DBInstances"][0]
        assert (described["Engine"], described["Endpoint"]["Port"]) == ("mysql", int(secret["port"]))
        with (
            pymysql.connect(
                host=secret["host"],
                port=int(secret["port"]),
                user=secret["username"],
                password=secret["password"],
                database=secret["dbname"],
            ) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute("SELECT @@log_bin, @@binlog_format, database()")
            return tuple(cursor.fetchall()[0])

    assert asked() == (1, "STATEMENT", "sales")
    deploy(aws, assembly(mysql=template(BackupRetentionPeriod=0)))
    assert asked() == (0, "STATEMENT", "sales")
    destroy(aws, assembly(mysql=template()))
