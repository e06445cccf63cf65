"""The Sources stack."""

from __future__ import annotations

from aws_cdk import CfnOutput, Stack
from aws_cdk.aws_kms import IKey
from constructs import Construct

from catchment.engines import engine
from catchment.settings import Settings, SourceSettings
from catchment_constructs.replication_network import ReplicationNetwork
from stacks.agent import build_agent
from stacks.choices import stack_name
from stacks.databases import Database, build_external, build_rds, engine_of
from stacks.samples import build_samples


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
            database = self._build(name, source, settings, network, key)
            database.allow_from(network.replication_security_group, "DMS reads the database")
            if engine(source.engine).upkeep is not None:
                database.allow_from(network.agent_security_group, "The agent looks after the database")
            CfnOutput(self, f"{name}-SecretArn", value=database.secret.secret_arn)
            CfnOutput(self, f"{name}-SourceEngine", value=source.engine)
            self.databases[name] = database
        self.agent, self.rotation = build_agent(self, settings, network, self.databases)
        build_samples(self, settings, network, self.databases)

    def _build(
        self, name: str, source: SourceSettings, settings: Settings, network: ReplicationNetwork, key: IKey
    ) -> Database:
        if source.external is not None:
            return build_external(Construct(self, f"Source-{name}"), source.external, source.port)
        assert source.rds is not None, "settings have one of rds and external"
        facts = engine(source.engine).infrastructure.rds
        assert facts is not None, "settings have rds for engines of RDS only"
        database = build_rds(
            self,
            f"Source-{name}",
            runs=engine_of(source.engine, source.rds, source.port, facts.parameters, "What change data capture needs"),
            database=source.database,
            rds=source.rds,
            settings=settings,
            network=network,
            key=key,
        )
        CfnOutput(self, f"{name}-Address", value=database.instance.db_instance_endpoint_address)
        CfnOutput(self, f"{name}-Port", value=database.instance.db_instance_endpoint_port)
        return database
