"""Sample systems in the sources whose settings ask for one."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Stack

from catchment.engines import engine
from catchment.samples.catalogue import sample_system
from catchment.settings import Settings
from catchment_constructs.external_database import ExternalDatabase
from catchment_constructs.replication_network import ReplicationNetwork
from catchment_constructs.sample_data import SampleData
from catchment_constructs.source_database import SourceDatabase
from stacks.agent import attended, drivers
from stacks.choices import log_retention
from stacks.runtime import function_code, handler_of, seeder_code


def build_samples(
    stack: Stack,
    settings: Settings,
    network: ReplicationNetwork,
    databases: Mapping[str, SourceDatabase | ExternalDatabase],
) -> None:
    """The function that writes them, in the stack of the databases; nothing where no source asks for samples."""
    asked = {name: source.samples for name, source in settings.sources.items() if source.samples is not None}
    if not asked:
        return
    data = SampleData(
        stack,
        "Samples",
        sources={name: attended(settings.sources[name], databases[name]) for name in asked},
        vpc=network.vpc,
        security_group=network.agent_security_group,
        code=function_code(),
        handler=handler_of("sample_data"),
        seeder_code=seeder_code(),
        seeder_handler=handler_of("seeder"),
        layer=drivers(stack),
        log_retention=log_retention(settings),
        wait_seconds=settings.replication.wait_seconds,
    )
    for name, samples in asked.items():
        of_engine, database = engine(settings.sources[name].engine).samples, databases[name]
        assert of_engine is not None, "settings take samples for engines that have them only"
        assert isinstance(database, SourceDatabase), "settings take samples for databases of RDS only"
        rows = samples.rows if samples.rows is not None else sample_system(samples.kind, of_engine).default_rows
        filled = data.fill(
            name,
            kind=samples.kind,
            rows=rows,
            seed=samples.seed,
            identity=database.instance.db_instance_endpoint_address,
        )
        filled.node.add_dependency(database)
