"""The Replication stack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import CfnOutput, CustomResource, Stack
from aws_cdk.aws_dynamodb import ITable
from aws_cdk.aws_iam import IRole, Policy
from aws_cdk.aws_kms import IKey
from aws_cdk.aws_s3 import IBucket
from aws_cdk.aws_ssm import StringParameter
from constructs import Construct

from catchment.engines import engine
from catchment.errors import SettingsError
from catchment.prepare.wanted import wanted_of
from catchment.settings import Settings, SourceSettings
from catchment.settings.loading import ParallelLoad as ParallelLoadSettings
from catchment_constructs.dms_certificate import DmsCertificate
from catchment_constructs.dms_lake_endpoint import DmsLakeEndpoint
from catchment_constructs.dms_mappings import DmsTable, LoadByPartition, LoadByRange, ParallelLoad
from catchment_constructs.dms_replication_instance import DmsReplicationInstance
from catchment_constructs.dms_serverless_replication import DmsServerlessReplication
from catchment_constructs.dms_source_endpoint import DmsSourceEndpoint
from catchment_constructs.dms_task import DmsTask
from catchment_constructs.dms_task_lifecycle import DmsTaskLifecycle
from catchment_constructs.dms_task_settings import LobPolicy
from catchment_constructs.replication_network import ReplicationNetwork
from catchment_constructs.source_agent import SourceAgent
from catchment_constructs.source_clean_up import SourceCleanUp
from catchment_constructs.source_preparation import SourcePreparation
from stacks.choices import held_parameter, log_retention, stack_name, task_parameter
from stacks.databases import Database
from stacks.runtime import ROOT, function_code


@dataclass(frozen=True)
class ReplicatedSource:
    """A source's task, and under which dimensions CloudWatch knows it."""

    task_arn: str
    dimensions: Mapping[str, str]
    instance: str | None
    """The name of what it runs on; None where it is serverless."""


class ReplicationStack(Stack):
    """DMS: for each source its endpoints and its task, and one replication instance, unless it is serverless."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        network: ReplicationNetwork,
        databases: Mapping[str, Database],
        landing: IBucket,
        key: IKey,
        loaders: Sequence[IRole],
        agent: SourceAgent | None,
        control: ITable,
    ) -> None:
        super().__init__(scope, construct_id, stack_name=stack_name(settings, construct_id))
        self._settings, self._landing, self._key, self._network = settings, landing, key, network
        # Roles are imported from the Apply stack, so tasks start when the applier is there to be told of their files.
        self._loads = Policy(self, "LoadStates", roles=list(loaders))
        self._instance = self._build_instance(network) if settings.replication.serverless is None else None
        self._lifecycle = self._build_lifecycle()
        self._clean_up = self._build_clean_up(agent)
        self._preparation = self._build_preparation(agent, control)
        self.tasks = {
            name: self._build_source(name, source, databases[name]) for name, source in settings.sources.items()
        }

    def _build_instance(self, network: ReplicationNetwork) -> DmsReplicationInstance:
        replication = self._settings.replication
        return DmsReplicationInstance(
            self,
            "Instance",
            name=self._settings.name,
            vpc=network.vpc,
            security_group=network.replication_security_group,
            key=self._key,
            instance_class=replication.instance_class,
            engine_version=replication.engine_version,
            storage_gb=replication.storage_gb,
            multi_az=self._settings.multi_az,
        )

    def _build_lifecycle(self) -> DmsTaskLifecycle:
        return DmsTaskLifecycle(
            self,
            "TaskLifecycle",
            code=function_code(),
            log_retention=log_retention(self._settings),
            task_parameters=[task_parameter(self._settings, name) for name in self._settings.sources],
            wait_seconds=self._settings.replication.wait_seconds,
        )

    def _build_clean_up(self, agent: SourceAgent | None) -> SourceCleanUp | None:
        if agent is None:
            return None
        return SourceCleanUp(
            self,
            "SourceCleanUp",
            agent=agent.function,
            code=function_code(),
            log_retention=log_retention(self._settings),
            parameters=[
                held_parameter(self._settings, name)
                for name, source in self._settings.sources.items()
                if engine(source.engine).upkeep is not None
            ],
            wait_seconds=self._settings.replication.wait_seconds,
        )

    def _build_preparation(self, agent: SourceAgent | None, control: ITable) -> SourcePreparation | None:
        if agent is None:
            return None
        return SourcePreparation(
            self,
            "SourcePreparation",
            agent=agent.function,
            control=control,
            code=function_code(),
            log_retention=log_retention(self._settings),
            wait_seconds=self._settings.replication.wait_seconds,
        )

    def _prepare_for(
        self, name: str, source: SourceSettings, task: DmsTask | DmsServerlessReplication, managed: CustomResource
    ) -> CustomResource | None:
        if self._preparation is None or engine(source.engine).upkeep is None:
            return None
        wanted = wanted_of(self._settings, name).to_json()
        self._preparation.gate(
            name, source=name, task=task, runs=managed, running=source.start_replication, wanted=wanted
        )
        return self._preparation.before(name, source=name, task=task, wanted=wanted, prepares=source.prepare)

    def _clear_up_after(
        self, name: str, source: SourceSettings, task: DmsTask | DmsServerlessReplication, managed: CustomResource
    ) -> CustomResource | None:
        if self._clean_up is None or engine(source.engine).upkeep is None:
            return None
        return self._clean_up.after(
            name,
            task=task,
            runs=managed,
            running=source.start_replication,
            parameter=held_parameter(self._settings, name),
            source=name,
            wanted=source.cleans_up,
            kept=source.slot_name or "",
        )

    def _build_source(self, name: str, source: SourceSettings, database: Database) -> ReplicatedSource:
        scope = Construct(self, f"Source-{name}")
        database_endpoint = self._build_source_endpoint(scope, name, source, database)
        lake_endpoint = self._build_lake_endpoint(scope, name, source)
        task = self._build_task(scope, name, source, database_endpoint.arn, lake_endpoint.arn)
        managed = self._lifecycle.keep(
            name,
            task=task,
            source=database_endpoint,
            target=lake_endpoint,
            task_parameter=task_parameter(self._settings, name),
            running=source.start_replication,
        )
        # what the loaders may ask comes before the first file does, also of a source that is started before others
        managed.node.add_dependency(self._loads)
        prepared = self._prepare_for(name, source, task, managed)
        cleaned = self._clear_up_after(name, source, task, managed)
        if prepared is not None and cleaned is not None:
            # The source is put back last: what the task has left there may belong to the user that goes then.
            cleaned.node.add_dependency(prepared)
        if source.migration != "full-load":  # which has no place to go on from
            self._lifecycle.restart_after_rotation(
                f"{name}-Rotated", secret=database.secret, task_parameter=task_parameter(self._settings, name)
            )
        CfnOutput(self, f"{name}-TaskArn", value=task.arn)
        StringParameter(scope, "TaskArn", parameter_name=task_parameter(self._settings, name), string_value=task.arn)
        task.grant_statistics(self._loads)
        instance = self._instance.name if self._instance is not None else None
        return ReplicatedSource(task_arn=task.arn, dimensions=task.dimensions, instance=instance)

    def _build_task(
        self, scope: Construct, name: str, source: SourceSettings, source_arn: str, target_arn: str
    ) -> DmsTask | DmsServerlessReplication:
        serverless, landing = self._settings.replication.serverless, self._settings.landing
        lobs = LobPolicy("limited", source.lob_max_kb)
        if serverless is not None:
            return DmsServerlessReplication(
                scope,
                "Serverless",
                name=f"{self._settings.name}-{name}",
                vpc=self._network.vpc,
                security_group=self._network.replication_security_group,
                key=self._key,
                min_units=serverless.min_units,
                max_units=serverless.max_units,
                multi_az=self._settings.multi_az,
                source_arn=source_arn,
                target_arn=target_arn,
                tables=_tables(source),
                sequence_column=landing.sequence_column,
                before_image_prefix=landing.before_image_prefix,
                lobs=lobs,
                parallel_tables=source.parallel_tables,
                migration=source.migration,
            )
        assert self._instance is not None
        return DmsTask(
            scope,
            "Task",
            instance=self._instance,
            source_arn=source_arn,
            target_arn=target_arn,
            tables=_tables(source),
            sequence_column=landing.sequence_column,
            before_image_prefix=landing.before_image_prefix,
            lobs=lobs,
            parallel_tables=source.parallel_tables,
            migration=source.migration,
            start_position=source.start_position,
        )

    def _build_lake_endpoint(self, scope: Construct, name: str, source: SourceSettings) -> DmsLakeEndpoint:
        return DmsLakeEndpoint(
            scope,
            "Lake",
            bucket=self._landing,
            folder=name,
            key=self._key,
            timestamp_column=self._settings.landing.timestamp_column,
            max_batch_seconds=source.max_batch_seconds,
            min_file_kb=source.min_file_kb,
        )

    def _build_source_endpoint(
        self, scope: Construct, name: str, source: SourceSettings, database: Database
    ) -> DmsSourceEndpoint:
        facts = engine(source.engine).infrastructure
        return DmsSourceEndpoint(
            scope,
            "Database",
            engine=facts.dms_engine,
            secret=database.secret,
            key=database.secret_key,
            database=source.database if facts.endpoint_names_database else None,
            ssl_mode=source.dms_ssl_mode,
            certificate_arn=source.certificate_arn or _certificate(scope, name, source.certificate_file),
            settings=source.endpoint_settings,
        )


def _certificate(scope: Construct, source: str, file: str | None) -> str | None:
    if file is None:
        return None
    try:
        return DmsCertificate(scope, "Certificate", path=ROOT / file).arn
    except (OSError, ValueError) as error:
        field, allowed = f"sources.{source}.certificate_file", f"a file of CA certificates is needed: {error}"
        raise SettingsError("cdk.json", field, file, allowed) from error


def _tables(source: SourceSettings) -> list[DmsTable]:
    return [
        DmsTable(
            schema=schema,
            name=table,
            lobs=LobPolicy("limited", settings.lob_max_kb) if settings.lob_max_kb else None,
            parallel_load=_parallel_load(settings.parallel_load) if settings.parallel_load else None,
        )
        for (schema, _, table), settings in ((name.partition("."), each) for name, each in source.tables.items())
    ]


def _parallel_load(settings: ParallelLoadSettings) -> ParallelLoad:
    if settings.partitions is None:
        return LoadByRange(settings.columns, settings.boundaries)
    return LoadByPartition(settings.partitions)
