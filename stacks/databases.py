"""Databases, made here or run by somebody else: of sources, and of a replica."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk.aws_ec2 import SecurityGroup
from aws_cdk.aws_kms import IKey, Key
from aws_cdk.aws_secretsmanager import ISecret, Secret
from constructs import Construct

from catchment.engines import engine
from catchment.settings import ExternalSettings, RdsSettings, Settings
from catchment_constructs.external_database import ExternalDatabase
from catchment_constructs.replication_network import ReplicationNetwork
from catchment_constructs.source_database import DatabaseEngine, SourceDatabase
from stacks.choices import database_removal

Database = SourceDatabase | ExternalDatabase
"""A database, made here or run by somebody else: its secret, the secret's key, and who may reach it."""


def build_external(scope: Construct, external: ExternalSettings, port: int) -> ExternalDatabase:
    """The way to a database that somebody else runs."""
    key, group = external.secret_key_arn, external.security_group_id
    return ExternalDatabase(
        scope,
        "Database",
        secret=_secret(scope, external),
        secret_key=None if key is None else Key.from_key_arn(scope, "SecretKey", key),
        port=port,
        address=external.address,
        security_group=None if group is None else SecurityGroup.from_security_group_id(scope, "Group", group),
    )


def build_rds(
    scope: Construct,
    construct_id: str,
    *,
    runs: DatabaseEngine,
    database: str,
    rds: RdsSettings,
    settings: Settings,
    network: ReplicationNetwork,
    key: IKey,
) -> SourceDatabase:
    """An RDS instance as the settings have it."""
    return SourceDatabase(
        scope,
        construct_id,
        engine=runs,
        database=database,
        vpc=network.vpc,
        key=key,
        instance_class=rds.instance_class,
        storage_gb=rds.storage_gb,
        backup_days=rds.backup_days,
        ca_certificate=rds.ca_certificate,
        max_storage_gb=rds.max_storage_gb,
        performance_insights_days=rds.performance_insights_days,
        rotated=rds.rotate_days is not None,
        multi_az=settings.multi_az,
        deletion_protection=settings.deletion_protection,
        removal_policy=database_removal(settings),
    )


def engine_of(name: str, rds: RdsSettings, port: int, parameters: Mapping[str, str], they_are: str) -> DatabaseEngine:
    """The engine of an RDS instance, with the ``parameters`` that its part asks for."""
    facts = engine(name).infrastructure.rds
    assert facts is not None, "settings have rds for engines of RDS only"
    version = rds.engine_version or facts.engine_version
    return DatabaseEngine(
        rds_engine=facts.engine,
        version=version,
        major_version=facts.major_version(version),
        port=port,
        parameters={**rds.parameters, **parameters},
        log_exports=facts.log_exports,
        license_included=facts.license_model == "license-included",
        takes_database_name=facts.makes_database,
        parameters_are=they_are,
    )


def _secret(scope: Construct, external: ExternalSettings) -> ISecret:
    if external.secret_arn is not None:
        return Secret.from_secret_complete_arn(scope, "Secret", external.secret_arn)
    assert external.secret_name is not None, "settings have one of secret_arn and secret_name"
    return Secret.from_secret_name_v2(scope, "Secret", external.secret_name)
