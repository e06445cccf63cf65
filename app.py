#!/usr/bin/env python3
"""Catchment: many databases, one lake.

    cdk deploy --all -c env=dev       every stack of an environment (cdk.json: dev, staging, prod, laptop)
    cdk diff -c env=prod              what would change

Network      isolated subnets in two zones, with endpoints instead of a way out; or what is there already
Lake         the zones from landing to gold, their key, the Glue databases, the Athena workgroup
Sources      RDS databases set up for change data capture, with their secrets
Apply        events of landed files → queue → the function, or the Spark job, that brings tables up to date; the sweep
Replica      where the settings name one: a database kept as a source is, and the function that feeds it
Replication  the DMS instance, and per source endpoints and task, started last
Monitoring   alarms per source and table, and dashboards
Delivery     where the settings name a repository: the roles that its workflows take
"""

from __future__ import annotations

import sys

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks

from catchment.errors import SettingsError
from catchment.settings import Settings
from stacks.apply import ApplyStack
from stacks.choices import apply_to_all
from stacks.context import feature_flags, read_settings
from stacks.delivery import DeliveryStack
from stacks.lake import LakeStack
from stacks.monitoring import MonitoringStack
from stacks.network import NetworkStack
from stacks.replica import build_replica
from stacks.replication import ReplicationStack
from stacks.sources import SourcesStack


def build(app: App, settings: Settings) -> None:
    """Put every stack of an environment into the app. Synthesis fails on any finding of cdk-nag nobody explained."""
    lake = LakeStack(app, "Lake", settings=settings)
    network = NetworkStack(app, "Network", settings=settings, key=lake.key)
    sources = SourcesStack(app, "Sources", settings=settings, network=network.network, key=lake.key)
    apply = ApplyStack(app, "Apply", settings=settings, zones=lake.zones, key=lake.key)
    replica = build_replica(app, settings, network.network, lake.zones, lake.key)
    replication = ReplicationStack(
        app,
        "Replication",
        settings=settings,
        network=network.network,
        databases=sources.databases,
        landing=lake.zones.landing,
        key=lake.key,
        loaders=(*apply.loaders, *(replica.loaders if replica else ())),
        agent=sources.agent,
        control=apply.applier.control,
    )
    MonitoringStack(
        app,
        "Monitoring",
        settings=settings,
        key=lake.key,
        zones=lake.zones,
        databases=sources.databases,
        applier=apply.applier,
        sweep=apply.sweep,
        states=apply.states,
        agent=sources.agent,
        rotation=sources.rotation,
        spark=apply.spark,
        tasks=replication.tasks,
        replica=replica,
    )
    if settings.delivery is not None:
        DeliveryStack(app, "Delivery", settings=settings, delivery=settings.delivery)
    apply_to_all(app, settings)
    Validations.of(app).add_plugins(AwsSolutionsChecks())


def main() -> int:
    """Synthesize the environment that the context names."""
    try:
        app = App(context=feature_flags())
        build(app, read_settings(app))
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    app.synth()
    return 0


if __name__ == "__main__":
    sys.exit(main())
