"""The Monitoring stack."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import CfnOutput, Stack
from aws_cdk.aws_cloudwatch import Dashboard
from aws_cdk.aws_kms import IKey
from constructs import Construct

from catchment.settings import Settings
from catchment_constructs.alarm_topic import AlarmTopic
from catchment_constructs.applier_alarms import ApplierAlarms
from catchment_constructs.change_applier import ChangeApplier
from catchment_constructs.daily_budget import DailyBudget
from catchment_constructs.dms_task_failures import DmsTaskFailures
from catchment_constructs.job_failures import JobFailures
from catchment_constructs.source_alarms import SourceAlarms
from catchment_constructs.spark_job import SparkJob
from catchment_constructs.table_alarms import TableAlarms
from catchment_constructs.table_sweep import TableSweep
from stacks.choices import NAME_TAG, metric_namespace, stack_name
from stacks.replication import ReplicatedSource


class MonitoringStack(Stack):
    """Who is told when replication, the applier or a table is not as it should be, and one page to look at."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        key: IKey,
        applier: ChangeApplier,
        sweep: TableSweep,
        spark: SparkJob,
        tasks: Mapping[str, ReplicatedSource],
    ) -> None:
        super().__init__(scope, construct_id, stack_name=stack_name(settings, construct_id))
        monitoring = settings.monitoring
        self.topic = AlarmTopic(self, "Alarms", key=key, email=monitoring.email).topic
        dashboard = Dashboard(self, "Dashboard", dashboard_name=settings.name)
        of_applier = ApplierAlarms(
            self,
            "Applier",
            topic=self.topic,
            function=applier.function,
            sweep=sweep.function,
            queue=applier.queue,
            dead_letters=applier.dead_letters,
            max_age_minutes=monitoring.lake_lag_minutes,
            timeout_seconds=settings.apply.timeout_seconds,
        )
        dashboard.add_widgets(*of_applier.widgets)
        DmsTaskFailures(self, "TaskFailures", topic=self.topic, task_arns=[task.task_arn for task in tasks.values()])
        JobFailures(self, "SparkFailures", topic=self.topic, job_name=spark.job_name)
        for name, source in settings.sources.items():
            of_source = SourceAlarms(
                self,
                f"Source-{name}",
                topic=self.topic,
                source=name,
                instance=tasks[name].instance,
                task=tasks[name].task,
                namespace=metric_namespace(settings),
                source_latency_minutes=monitoring.source_latency_minutes,
                target_latency_minutes=monitoring.target_latency_minutes,
            )
            of_tables = [
                TableAlarms(
                    of_source,
                    table,
                    topic=self.topic,
                    namespace=metric_namespace(settings),
                    source=name,
                    table=table,
                    lag_minutes=monitoring.lake_lag_minutes,
                )
                for table in source.tables
            ]
            dashboard.add_widgets(*of_source.widgets)
            dashboard.add_widgets(*TableAlarms.widgets(of_tables))
        if monitoring.daily_dollars is not None:
            DailyBudget(
                self,
                "Budget",
                name=f"{settings.name}-a-day",
                dollars=monitoring.daily_dollars,
                tag_name=NAME_TAG,
                tag_value=settings.name,
                topic=self.topic,
            )
        CfnOutput(self, "AlarmTopicArn", value=self.topic.topic_arn)
