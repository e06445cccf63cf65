"""The Replica stack."""

from __future__ import annotations

from aws_cdk import CfnOutput, Stack
from aws_cdk.aws_iam import IRole, PolicyStatement
from aws_cdk.aws_kms import IKey
from aws_cdk.aws_s3_assets import Asset
from constructs import Construct

from catchment.engines import engine
from catchment.engines.base import Feeding
from catchment.settings import ReplicaSettings, Settings
from catchment_constructs.dependency_layer import DependencyLayer
from catchment_constructs.replica_feeder import FeederCode, ReplicaFeeder
from catchment_constructs.replication_network import ReplicationNetwork
from catchment_constructs.table_sweep import TableSweep
from stacks.choices import log_retention, metric_namespace, stack_name, task_parameter, tasks_prefix
from stacks.databases import Database, build_external, build_rds, engine_of
from stacks.lake import Zones
from stacks.runtime import (
    LAYER_BUILD,
    LAYER_LOCK,
    RDS_CERTIFICATES,
    REPLICATE_BUILD,
    REPLICATE_LOCK,
    function_code,
    handler_of,
    json_asset,
    replicate_code,
)

MOST_ATTEMPTS = 1000
"""Of a message while the database is down: an alarm tells of its age, and nothing has to be moved back by hand."""


def build_replica(
    scope: Construct, settings: Settings, network: ReplicationNetwork, zones: Zones, key: IKey
) -> ReplicaStack | None:
    """The stack, where the settings name a replica."""
    replica = settings.replica
    if replica is None:
        return None
    return ReplicaStack(scope, "Replica", settings=settings, replica=replica, network=network, zones=zones, key=key)


class ReplicaStack(Stack):
    """A database that is kept as a source is: made here or there already, with what feeds it from the landing zone."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        replica: ReplicaSettings,
        network: ReplicationNetwork,
        zones: Zones,
        key: IKey,
    ) -> None:
        super().__init__(scope, construct_id, stack_name=stack_name(settings, construct_id))
        feeding = engine(replica.engine).replica
        assert feeding is not None, "settings name engines that a replica can be kept in"
        assert network.feeder_security_group is not None, "the network is made for what the settings say"
        self.database = self._build_database(settings, replica, feeding, network, key)
        self.database.allow_from(network.feeder_security_group, "The feeder writes the replica")
        self._contracts = json_asset(self, "Contracts", settings.replica_files())
        self._layer = DependencyLayer(self, "Dependencies", lock=LAYER_LOCK, build=LAYER_BUILD).layer
        self.feeder = self._build_feeder(settings, replica, feeding, network, zones, key)
        self.loaders = (self.feeder.role,)
        """Who has to ask the source's task how its tables are."""
        self.sweep = self._build_sweep(settings)
        for role in (self.feeder.role, self.sweep.role):
            _let_read(role, self._contracts)
        # Who asks DMS how a table's load is has to know the task first.
        name = task_parameter(settings, replica.source).lstrip("/")
        parameter = self.format_arn(service="ssm", resource="parameter", resource_name=name)
        self.feeder.role.add_to_policy(PolicyStatement(actions=["ssm:GetParameter"], resources=[parameter]))
        CfnOutput(self, "ReplicaSecretArn", value=self.database.secret.secret_arn)
        CfnOutput(self, "ReplicaEngine", value=replica.engine)
        CfnOutput(self, "ReplicaQueueUrl", value=self.feeder.queue.queue_url)
        CfnOutput(self, "ReplicaDeadLetterUrl", value=self.feeder.dead_letters.queue_url)
        CfnOutput(self, "ReplicateFunction", value=self.feeder.function.function_name)
        CfnOutput(self, "ReplicaSweepFunction", value=self.sweep.function.function_name)

    def _build_database(
        self, settings: Settings, replica: ReplicaSettings, feeding: Feeding, network: ReplicationNetwork, key: IKey
    ) -> Database:
        if replica.external is not None:
            return build_external(Construct(self, "Target"), replica.external, replica.port)
        assert replica.rds is not None, "settings have one of rds and external"
        return build_rds(
            self,
            "Target",
            runs=engine_of(replica.engine, replica.rds, replica.port, feeding.parameters, "What a replica is fed by"),
            database=replica.database,
            rds=replica.rds,
            settings=settings,
            network=network,
            key=key,
        )

    def _build_feeder(
        self,
        settings: Settings,
        replica: ReplicaSettings,
        feeding: Feeding,
        network: ReplicationNetwork,
        zones: Zones,
        key: IKey,
    ) -> ReplicaFeeder:
        apply, group = settings.apply, network.feeder_security_group
        assert group is not None
        certificates = replica.certificate_file or RDS_CERTIFICATES
        drivers = DependencyLayer(self, "Drivers", lock=REPLICATE_LOCK, build=REPLICATE_BUILD).layer
        return ReplicaFeeder(
            self,
            "Feeder",
            source=replica.source,
            landing=zones.landing,
            silver=zones.silver,
            quarantine=zones.quarantine,
            key=key,
            secret=self.database.secret,
            secret_key=self.database.secret_key,
            vpc=network.vpc,
            security_group=group,
            runs=FeederCode(
                code=replicate_code(certificates),
                handler=handler_of("replicate"),
                layers=[self._layer, drivers],
                environment={
                    "CONTRACTS_URL": self._contracts.s3_object_url,
                    "COMMIT_MB": str(apply.commit_mb),
                    "COMMIT_FILES": str(apply.commit_files),
                    "METRIC_NAMESPACE": metric_namespace(settings),
                    "TASKS_PREFIX": tasks_prefix(settings),
                    "REPLICA_SCHEME": feeding.scheme,
                    "REPLICA_DATABASE": replica.database,
                    "REPLICA_CERTIFICATES": certificates,
                },
            ),
            memory_mb=apply.memory_mb,
            disk_mb=apply.disk_mb,
            timeout_seconds=apply.timeout_seconds,
            max_concurrency=replica.max_concurrency,
            batch_seconds=apply.batch_seconds,
            retry_seconds=apply.retry_seconds,
            max_receives=MOST_ATTEMPTS,
            log_retention=log_retention(settings),
        )

    def _build_sweep(self, settings: Settings) -> TableSweep:
        return TableSweep(
            self,
            "Sweep",
            queue=self.feeder.queue,
            every_minutes=settings.apply.sweep_minutes,
            maintain_hours=None,
            code=function_code(),
            handler=handler_of("sweep"),
            layer=self._layer,
            environment={"CONTRACTS_URL": self._contracts.s3_object_url},
            log_retention=log_retention(settings),
        )


def _let_read(role: IRole, contracts: Asset) -> None:
    role.add_to_principal_policy(
        PolicyStatement(actions=["s3:GetObject"], resources=[contracts.bucket.arn_for_objects(contracts.s3_object_key)])
    )
