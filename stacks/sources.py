"""The Sources stack."""

from __future__ import annotations

from aws_cdk import CfnOutput, Stack
from aws_cdk.aws_ec2 import SecurityGroup
from aws_cdk.aws_kms import IKey, Key
from aws_cdk.aws_secretsmanager import ISecret, Secret
from constructs import Construct

from catchment.engines import engine
from catchment.settings import ExternalSettings, RdsSettings, Settings, SourceSettings
from catchment_constructs.external_database import ExternalDatabase
from catchment_constructs.replication_network import ReplicationNetwork
from catchment_constructs.source_database import DatabaseEngine, SourceDatabase
from stacks.agent import build_agent
from stacks.choices import database_removal, stack_name
from stacks.samples import build_samples

Database = SourceDatabase | ExternalDatabase
"""A source's database, made here or run by somebody else: its secret, the secret's key, and who may reach it."""


class SourcesStack(Stack):
    """The source databases: those made here, set up for change data capture, and the way to those of others.

    Beside them, the function that looks after them, and sample systems where the settings ask for them.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Settings, network: ReplicationNetwork, key: IKey
    ) -> None:
        super().__init__(scope, construct_id, stack_name=stack_name(settings, construct_id))
        self.databases: dict[str, Database] = {}
        for name, source in settings.sources.items():
            database = self._build_external(name, source) or self._build_rds(name, source, settings, network, key)
            database.allow_from(network.replication_security_group, "DMS reads the database")
            if engine(source.engine).upkeep is not None:
                database.allow_from(network.agent_security_group, "The agent looks after the database")
            CfnOutput(self, f"{name}-SecretArn", value=database.secret.secret_arn)
            CfnOutput(self, f"{name}-SourceEngine", value=source.engine)
            self.databases[name] = database
        self.agent, self.rotation = build_agent(self, settings, network, self.databases)
        build_samples(self, settings, network, self.databases)

    def _build_external(self, name: str, source: SourceSettings) -> ExternalDatabase | None:
        external = source.external
        if external is None:
            return None
        scope = Construct(self, f"Source-{name}")
        key, group = external.secret_key_arn, external.security_group_id
        return ExternalDatabase(
            scope,
            "Database",
            secret=_secret(scope, external),
            secret_key=None if key is None else Key.from_key_arn(scope, "SecretKey", key),
            port=source.port,
            address=external.address,
            security_group=None if group is None else SecurityGroup.from_security_group_id(scope, "Group", group),
        )

    def _build_rds(
        self, name: str, source: SourceSettings, settings: Settings, network: ReplicationNetwork, key: IKey
    ) -> SourceDatabase:
        assert source.rds is not None, "settings have one of rds and external"
        database = SourceDatabase(
            self,
            f"Source-{name}",
            engine=_engine(source, source.rds),
            database=source.database,
            vpc=network.vpc,
            key=key,
            instance_class=source.rds.instance_class,
            storage_gb=source.rds.storage_gb,
            backup_days=source.rds.backup_days,
            ca_certificate=source.rds.ca_certificate,
            max_storage_gb=source.rds.max_storage_gb,
            performance_insights_days=source.rds.performance_insights_days,
            rotated=source.rds.rotate_days is not None,
            multi_az=settings.multi_az,
            deletion_protection=settings.deletion_protection,
            removal_policy=database_removal(settings),
        )
        CfnOutput(self, f"{name}-Address", value=database.instance.db_instance_endpoint_address)
        CfnOutput(self, f"{name}-Port", value=database.instance.db_instance_endpoint_port)
        return database


def _secret(scope: Construct, external: ExternalSettings) -> ISecret:
    if external.secret_arn is not None:
        return Secret.from_secret_complete_arn(scope, "Secret", external.secret_arn)
    assert external.secret_name is not None, "settings have one of secret_arn and secret_name"
    return Secret.from_secret_name_v2(scope, "Secret", external.secret_name)


def _engine(source: SourceSettings, rds: RdsSettings) -> DatabaseEngine:
    facts = engine(source.engine).infrastructure.rds
    assert facts is not None, "settings have rds for engines of RDS only"
    version = rds.engine_version or facts.engine_version
    return DatabaseEngine(
        rds_engine=facts.engine,
        version=version,
        major_version=facts.major_version(version),
        port=source.port,
        parameters={**rds.parameters, **facts.parameters},
        log_exports=facts.log_exports,
        license_included=facts.license_model == "license-included",
        takes_database_name=facts.makes_database,
    )
