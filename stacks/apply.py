"""The Apply stack."""

from __future__ import annotations

from aws_cdk import CfnOutput, Stack
from aws_cdk.aws_iam import PolicyStatement
from aws_cdk.aws_kms import IKey
from constructs import Construct

from catchment.settings import Settings
from catchment_constructs.change_applier import ApplierCode, ChangeApplier
from catchment_constructs.dependency_layer import DependencyLayer
from catchment_constructs.spark_job import SparkJob
from catchment_constructs.table_states import TableStates
from catchment_constructs.table_sweep import TableSweep
from stacks.choices import log_retention, metric_namespace, stack_name, task_parameter, tasks_prefix
from stacks.lake import Zones
from stacks.runtime import LAYER_BUILD, LAYER_LOCK, function_code, handler_of, json_asset, spark_code


class ApplyStack(Stack):
    """From landed files to tables: events, queue, function, and the sweep that finds what no event told."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, zones: Zones, key: IKey) -> None:
        super().__init__(scope, construct_id, stack_name=stack_name(settings, construct_id))
        self._layer = DependencyLayer(self, "Dependencies", lock=LAYER_LOCK, build=LAYER_BUILD).layer
        self._contracts = json_asset(self, "Contracts", settings.tables_files())
        self.applier = self._build_applier(settings, zones, key)
        self.spark = self._build_spark(settings, zones)
        self.sweep = self._build_sweep(settings)
        self.states = self._build_states(settings, zones, key)
        for role in (self.applier.role, self.spark.role, self.sweep.role, self.states.role):
            role.add_to_policy(
                PolicyStatement(
                    actions=["s3:GetObject"],
                    resources=[self._contracts.bucket.arn_for_objects(self._contracts.s3_object_key)],
                )
            )
        self.loaders = (self.applier.role, self.spark.role, self.states.role)
        """Who has to ask a source's task how its tables are."""
        self._let_find_tasks(settings)
        CfnOutput(self, "QueueUrl", value=self.applier.queue.queue_url)
        CfnOutput(self, "DeadLetterUrl", value=self.applier.dead_letters.queue_url)
        CfnOutput(self, "ApplyFunction", value=self.applier.function.function_name)
        CfnOutput(self, "SparkJob", value=self.spark.job_name)
        CfnOutput(self, "SweepFunction", value=self.sweep.function.function_name)
        CfnOutput(self, "ControlTable", value=self.applier.control.table_name)
        CfnOutput(self, "ContractsUrl", value=self._contracts.s3_object_url)

    def _let_find_tasks(self, settings: Settings) -> None:
        names = [task_parameter(settings, source).lstrip("/") for source in settings.sources]
        parameters = [self.format_arn(service="ssm", resource="parameter", resource_name=name) for name in names]
        for role in self.loaders:
            role.add_to_policy(PolicyStatement(actions=["ssm:GetParameter"], resources=parameters))

    def _build_applier(self, settings: Settings, zones: Zones, key: IKey) -> ChangeApplier:
        apply = settings.apply
        return ChangeApplier(
            self,
            "Applier",
            landing=zones.landing,
            silver=zones.silver,
            quarantine=zones.quarantine,
            key=key,
            runs=ApplierCode(
                code=function_code(),
                handler=handler_of("apply"),
                layer=self._layer,
                environment={
                    "CONTRACTS_URL": self._contracts.s3_object_url,
                    "COMMIT_MB": str(apply.commit_mb),
                    "COMMIT_FILES": str(apply.commit_files),
                    "FILE_DAYS": str(settings.maintenance.file_days),
                    "LOG_DAYS": str(settings.maintenance.log_days),
                    "METRIC_NAMESPACE": metric_namespace(settings),
                    "TASKS_PREFIX": tasks_prefix(settings),
                },
            ),
            memory_mb=apply.memory_mb,
            disk_mb=apply.disk_mb,
            timeout_seconds=apply.timeout_seconds,
            max_concurrency=apply.max_concurrency,
            batch_seconds=apply.batch_seconds,
            retry_seconds=apply.retry_seconds,
            max_receives=apply.max_receives,
            log_retention=log_retention(settings),
        )

    def _build_spark(self, settings: Settings, zones: Zones) -> SparkJob:
        spark = settings.apply.spark
        job = SparkJob(
            self,
            "Spark",
            code=spark_code(self),
            arguments={
                "landing_url": zones.landing.s3_url_for_object(),
                "silver_url": zones.silver.s3_url_for_object(),
                "quarantine_url": zones.quarantine.s3_url_for_object(),
                "contracts_url": self._contracts.s3_object_url,
                "control_table": self.applier.control.table_name,
                "tasks_prefix": tasks_prefix(settings),
            },
            metric_namespace=metric_namespace(settings),
            artifacts=zones.artifacts,
            worker_type=spark.worker_type,
            workers=spark.workers,
            timeout_minutes=spark.timeout_minutes,
            max_runs=spark.max_runs,
            log_prefix=f"{tasks_prefix(settings)}/spark",
            log_retention=log_retention(settings),
        )
        self.applier.hand_to(
            job, worker_type=spark.worker_type, workers=spark.workers, after_minutes=spark.after_minutes
        )
        return job

    def _build_sweep(self, settings: Settings) -> TableSweep:
        return TableSweep(
            self,
            "Sweep",
            queue=self.applier.queue,
            every_minutes=settings.apply.sweep_minutes,
            maintain_hours=settings.maintenance.every_hours,
            code=function_code(),
            handler=handler_of("sweep"),
            layer=self._layer,
            environment={"CONTRACTS_URL": self._contracts.s3_object_url},
            log_retention=log_retention(settings),
        )

    def _build_states(self, settings: Settings, zones: Zones, key: IKey) -> TableStates:
        return TableStates(
            self,
            "TableStates",
            every_minutes=settings.monitoring.table_minutes,
            landing=zones.landing,
            silver=zones.silver,
            key=key,
            code=function_code(),
            handler=handler_of("table_states"),
            layer=self._layer,
            environment={
                "METRIC_NAMESPACE": metric_namespace(settings),
                "CONTRACTS_URL": self._contracts.s3_object_url,
                "TASKS_PREFIX": tasks_prefix(settings),
            },
            log_retention=log_retention(settings),
        )
