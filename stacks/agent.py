"""The function beside the databases, for those of an engine that it knows how to look after."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import CfnOutput, Stack

from catchment.engines import engine
from catchment.settings import Settings, SourceSettings
from catchment_constructs.dependency_layer import DependencyLayer
from catchment_constructs.external_database import ExternalDatabase
from catchment_constructs.replication_network import ReplicationNetwork
from catchment_constructs.source_agent import AttendedSource, SourceAgent
from catchment_constructs.source_database import SourceDatabase
from stacks.choices import log_retention, metric_namespace
from stacks.runtime import AGENT_BUILD, AGENT_LOCK, agent_code, handler_of


def build_agent(
    stack: Stack,
    settings: Settings,
    network: ReplicationNetwork,
    databases: Mapping[str, SourceDatabase | ExternalDatabase],
) -> SourceAgent | None:
    """The agent of every source, in the stack of the databases: a slot is watched that outlives its task.

    None where no source is of an engine with an upkeep.
    """
    sources = {
        name: _attended(source, databases[name])
        for name, source in settings.sources.items()
        if engine(source.engine).upkeep is not None
    }
    if not sources:
        return None
    certificates = [source.certificate for source in sources.values() if source.certificate is not None]
    agent = SourceAgent(
        stack,
        "Agent",
        sources=sources,
        vpc=network.vpc,
        security_group=network.agent_security_group,
        headroom_minutes=settings.monitoring.headroom_minutes,
        code=agent_code(certificates),
        handler=handler_of("source_agent"),
        layer=DependencyLayer(stack, "Drivers", lock=AGENT_LOCK, build=AGENT_BUILD).layer,
        environment={"METRIC_NAMESPACE": metric_namespace(settings)},
        log_retention=log_retention(settings),
    )
    CfnOutput(stack, "AgentFunction", value=agent.function.function_name)
    return agent


def _attended(source: SourceSettings, database: SourceDatabase | ExternalDatabase) -> AttendedSource:
    return AttendedSource(
        engine=source.engine,
        secret=database.secret,
        key=database.secret_key,
        database=source.database,
        storage_gb=source.rds.storage_gb if source.rds is not None else None,
        # RDS has certificates that can be verified, whatever DMS has been given.
        verified=source.rds is not None or source.dms_ssl_mode.startswith("verify-"),
        certificate=source.certificate_file,
    )
