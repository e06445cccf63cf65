"""The Sources stack."""

from __future__ import annotations

from aws_cdk import CfnOutput, Stack
from aws_cdk.aws_kms import IKey
from constructs import Construct

from catchment.engines import engine
from catchment.settings import Settings, SourceSettings
from catchment_constructs.isolated_network import IsolatedNetwork
from catchment_constructs.source_database import DatabaseEngine, SourceDatabase
from stacks.choices import database_removal, stack_name


class SourcesStack(Stack):
    """The source databases, set up for change data capture."""

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Settings, network: IsolatedNetwork, key: IKey
    ) -> None:
        super().__init__(scope, construct_id, stack_name=stack_name(settings, construct_id))
        self.databases = {
            name: self._build_database(name, source, settings, network, key)
            for name, source in settings.sources.items()
        }

    def _build_database(
        self, name: str, source: SourceSettings, settings: Settings, network: IsolatedNetwork, key: IKey
    ) -> SourceDatabase:
        database = SourceDatabase(
            self,
            f"Source-{name}",
            engine=_engine(source),
            database=source.database,
            vpc=network.vpc,
            clients=network.replication_security_group,
            key=key,
            instance_class=source.instance_class,
            storage_gb=source.storage_gb,
            backup_days=source.backup_days,
            multi_az=settings.multi_az,
            deletion_protection=settings.deletion_protection,
            removal_policy=database_removal(settings),
        )
        CfnOutput(self, f"{name}-SecretArn", value=database.secret.secret_arn)
        CfnOutput(self, f"{name}-Address", value=database.instance.db_instance_endpoint_address)
        CfnOutput(self, f"{name}-Port", value=database.instance.db_instance_endpoint_port)
        return database


def _engine(source: SourceSettings) -> DatabaseEngine:
    facts = engine(source.engine).infrastructure
    version = source.engine_version or facts.engine_version
    return DatabaseEngine(
        rds_engine=facts.rds_engine,
        version=version,
        major_version=facts.major_version(version),
        port=facts.port,
        parameters=facts.parameters,
        log_exports=facts.log_exports,
        license_included=facts.license_model == "license-included",
        takes_database_name=facts.rds_makes_database,
    )
