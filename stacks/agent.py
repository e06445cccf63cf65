"""The function beside the databases, for those of an engine that it knows how to look after."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import CfnOutput, Stack
from aws_cdk.aws_lambda import Code, ILayerVersion

from catchment.engines import engine
from catchment.settings import Settings, SourceSettings
from catchment_constructs.dependency_layer import DependencyLayer
from catchment_constructs.external_database import ExternalDatabase
from catchment_constructs.replication_network import ReplicationNetwork
from catchment_constructs.secret_rotation import RotatedSecret, SecretRotation
from catchment_constructs.source_agent import AttendedSource, SourceAgent
from catchment_constructs.source_database import REFUSED_IN_PASSWORDS, SourceDatabase
from stacks.choices import log_retention, metric_namespace
from stacks.runtime import AGENT_BUILD, AGENT_LOCK, agent_code, handler_of


def build_agent(
    stack: Stack,
    settings: Settings,
    network: ReplicationNetwork,
    databases: Mapping[str, SourceDatabase | ExternalDatabase],
) -> tuple[SourceAgent | None, SecretRotation | None]:
    """The agent of every source, in the stack of the databases: a slot is watched that outlives its task.

    With it what changes passwords. None where no source is of an engine with an upkeep, or has its password changed.
    """
    sources = {
        name: attended(source, databases[name])
        for name, source in settings.sources.items()
        if engine(source.engine).upkeep is not None
    }
    if not sources:
        return None, None
    certificates = [source.certificate for source in sources.values() if source.certificate is not None]
    code, layer = agent_code(certificates), drivers(stack)
    rotation = _build_rotation(stack, settings, network, sources, code, layer)
    agent = SourceAgent(
        stack,
        "Agent",
        sources=sources,
        vpc=network.vpc,
        security_group=network.agent_security_group,
        headroom_minutes=settings.monitoring.headroom_minutes,
        code=code,
        handler=handler_of("source_agent"),
        layer=layer,
        environment={"METRIC_NAMESPACE": metric_namespace(settings)},
        log_retention=log_retention(settings),
    )
    CfnOutput(stack, "AgentFunction", value=agent.function.function_name)
    return agent, rotation


def _build_rotation(
    stack: Stack,
    settings: Settings,
    network: ReplicationNetwork,
    sources: Mapping[str, AttendedSource],
    code: Code,
    layer: ILayerVersion,
) -> SecretRotation | None:
    days = {name: source.rds.rotate_days for name, source in settings.sources.items() if source.rds is not None}
    rotated = {
        name: RotatedSecret(
            engine=sources[name].engine,
            secret=sources[name].secret,
            key=key,
            database=sources[name].database,
            every_days=every,
        )
        for name, every in days.items()
        if every is not None and (key := sources[name].key) is not None
    }
    if not rotated:
        return None
    return SecretRotation(
        stack,
        "Rotation",
        secrets=rotated,
        excluded_characters=REFUSED_IN_PASSWORDS,
        vpc=network.vpc,
        security_group=network.agent_security_group,
        code=code,
        handler="lambda_src.source_agent.rotation.handler",
        layer=layer,
        log_retention=log_retention(settings),
    )


def drivers(stack: Stack) -> ILayerVersion:
    """The layer with the drivers of databases, one a stack."""
    found = stack.node.try_find_child("Drivers")
    made = found or DependencyLayer(stack, "Drivers", lock=AGENT_LOCK, build=AGENT_BUILD)
    assert isinstance(made, DependencyLayer)
    return made.layer


def attended(source: SourceSettings, database: SourceDatabase | ExternalDatabase) -> AttendedSource:
    """What a function in the databases' network has to know of a source."""
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
