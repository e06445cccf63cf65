"""The Monitoring stack."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import CfnOutput, Stack
from aws_cdk.aws_cloudwatch import Alarm
from aws_cdk.aws_kms import IKey
from constructs import Construct

from catchment.engines import engine
from catchment.settings import Settings, SourceSettings
from catchment_constructs.alarm_topic import AlarmTopic
from catchment_constructs.applier_alarms import ApplierAlarms
from catchment_constructs.change_applier import ChangeApplier
from catchment_constructs.daily_budget import DailyBudget
from catchment_constructs.dms_task_failures import DmsTaskFailures
from catchment_constructs.function_alarms import FunctionAlarms
from catchment_constructs.job_failures import JobFailures
from catchment_constructs.overview_dashboard import OverviewDashboard
from catchment_constructs.replica_alarms import ReplicaAlarms
from catchment_constructs.secret_rotation import SecretRotation
from catchment_constructs.source_agent import SourceAgent
from catchment_constructs.source_alarms import Limits, SourceAlarms
from catchment_constructs.source_dashboard import SourceDashboard
from catchment_constructs.source_database import SourceDatabase
from catchment_constructs.spark_job import SparkJob
from catchment_constructs.storage_alarms import StorageAlarms
from catchment_constructs.table_alarms import TableAlarms
from catchment_constructs.table_states import TableStates
from catchment_constructs.table_sweep import TableSweep
from catchment_constructs.watched import Watcher
from stacks.choices import NAME_TAG, metric_namespace, stack_name
from stacks.databases import Database
from stacks.lake import Zones
from stacks.replica import ReplicaStack
from stacks.replication import ReplicatedSource


class MonitoringStack(Stack):
    """Who is told when replication, the applier or a table is not as it should be, and pages to look at."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        key: IKey,
        zones: Zones,
        databases: Mapping[str, Database],
        applier: ChangeApplier,
        sweep: TableSweep,
        states: TableStates,
        agent: SourceAgent | None,
        rotation: SecretRotation | None,
        spark: SparkJob,
        tasks: Mapping[str, ReplicatedSource],
        replica: ReplicaStack | None,
    ) -> None:
        super().__init__(scope, construct_id, stack_name=stack_name(settings, construct_id))
        monitoring = settings.monitoring
        self.topic = AlarmTopic(self, "Alarms", key=key, email=monitoring.email).topic
        self._settings, self._watcher = settings, Watcher(topic=self.topic, name=settings.name)
        of_applier = ApplierAlarms(
            self,
            "Applier",
            watcher=self._watcher,
            function=applier.function,
            sweep=sweep.function,
            observer=states.function,
            agent=agent.function if agent is not None else None,
            queue=applier.queue,
            dead_letters=applier.dead_letters,
            max_age_minutes=monitoring.lake_lag_minutes,
            timeout_seconds=settings.apply.timeout_seconds,
            error_percent=monitoring.error_percent,
            every_minutes=monitoring.table_minutes,
            agent_minutes=monitoring.headroom_minutes,
        )
        if rotation is not None:
            FunctionAlarms(
                self,
                "rotation",
                watcher=self._watcher,
                function=rotation.function,
                of="rotation",
                percent=monitoring.error_percent,
            )
        task_arns = [task.task_arn for task in tasks.values()]
        DmsTaskFailures(self, "TaskFailures", watcher=self._watcher, task_arns=task_arns)
        JobFailures(self, "SparkFailures", watcher=self._watcher, job_name=spark.job_name)
        for name, source in settings.sources.items():
            self._watch_source(name, source, tasks[name])
        if replica is not None and settings.replica is not None:
            self._watch_replica(replica, settings.replica.source)
        databases = databases if replica is None else {**databases, "the replica": replica.database}
        self._watch_storage(zones, databases, tasks)
        self._limit_spending()
        OverviewDashboard(
            self,
            "Overview",
            name=settings.name,
            applier=of_applier,
            alarms=[each for each in self.node.find_all() if isinstance(each, Alarm)],
            dead_letters=applier.dead_letters,
            log_group=applier.log_group_name,
            job_name=spark.job_name,
        )
        CfnOutput(self, "AlarmTopicArn", value=self.topic.topic_arn)

    def _watch_source(self, name: str, source: SourceSettings, task: ReplicatedSource) -> None:
        monitoring, namespace = self._settings.monitoring, metric_namespace(self._settings)
        of_source = SourceAlarms(
            self,
            f"Source-{name}",
            watcher=self._watcher,
            source=name,
            dimensions=task.dimensions,
            namespace=namespace,
            attended=engine(source.engine).upkeep is not None,
            runs=source.start_replication and source.migration != "full-load",
            limits=Limits(
                source_latency_minutes=monitoring.source_latency_minutes,
                target_latency_minutes=monitoring.target_latency_minutes,
                rows_per_second=monitoring.rows_per_second,
                log_headroom_percent=monitoring.log_headroom_percent,
                log_retained_gb=monitoring.log_retained_gb,
            ),
        )
        for table, of_table in source.tables.items():
            TableAlarms(
                of_source,
                table,
                watcher=self._watcher,
                namespace=namespace,
                source=name,
                table=table,
                lag_minutes=of_table.lake_lag_minutes or monitoring.lake_lag_minutes,
            )
        SourceDashboard(
            of_source,
            "Page",
            name=f"{self._settings.name}-{name}",
            title=name,
            namespace=namespace,
            source=of_source,
            task_arn=task.task_arn,
        )

    def _watch_replica(self, replica: ReplicaStack, source: str) -> None:
        ReplicaAlarms(
            self,
            "Replica",
            watcher=self._watcher,
            feeder=replica.feeder,
            sweep=replica.sweep,
            source=source,
            namespace=metric_namespace(self._settings),
            max_age_minutes=self._settings.monitoring.lake_lag_minutes,
            error_percent=self._settings.monitoring.error_percent,
        )

    def _watch_storage(
        self, zones: Zones, databases: Mapping[str, Database], tasks: Mapping[str, ReplicatedSource]
    ) -> None:
        monitoring = self._settings.monitoring
        storage = StorageAlarms(self, "Storage", watcher=self._watcher)
        for name, database in databases.items():
            if isinstance(database, SourceDatabase):
                storage.of_database(
                    name,
                    database.instance.instance_identifier,
                    storage_gb=database.storage_gb,
                    free_percent=monitoring.free_storage_percent,
                )
        for instance in {task.instance for task in tasks.values() if task.instance is not None}:
            storage.of_replication(
                instance,
                storage_gb=self._settings.replication.storage_gb,
                free_percent=monitoring.free_storage_percent,
            )
        for zone, most_gb in monitoring.zone_gb.items():
            storage.of_zone(zone, getattr(zones, zone), most_gb=most_gb)

    def _limit_spending(self) -> None:
        dollars = self._settings.monitoring.daily_dollars
        if dollars is not None:
            DailyBudget(
                self,
                "Budget",
                name=f"{self._settings.name}-a-day",
                dollars=dollars,
                tag_name=NAME_TAG,
                tag_value=self._settings.name,
                topic=self.topic,
            )
