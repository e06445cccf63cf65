"""DmsTask."""

from __future__ import annotations

import json
from collections.abc import Sequence

from aws_cdk import Fn
from aws_cdk.aws_dms import CfnReplicationTask
from constructs import Construct

from catchment_constructs.dms_mappings import DmsTable, column_rules, table_mappings, task_settings


class DmsTask(Construct):
    """Full load, then changes, of the tables named, from one endpoint to another.

    CloudFormation makes the task and leaves it in ``ready``; DmsTaskLifecycle starts and stops it.

    Example: ``DmsTask(self, "Task", instance_arn=…, source_arn=…, target_arn=…, tables=[DmsTable(…)], …).arn``
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        instance_arn: str,
        source_arn: str,
        target_arn: str,
        tables: Sequence[DmsTable],
        sequence_column: str,
        before_image_prefix: str,
        lob_max_kb: int,
        parallel_tables: int,
    ) -> None:
        super().__init__(scope, construct_id)
        self.columns = json.dumps(
            column_rules(sequence_column=sequence_column, before_image_prefix=before_image_prefix)
        )
        """What mappings add to the source's columns: a change takes effect only when everything is loaded again."""
        self.mappings = table_mappings(tables, sequence_column=sequence_column, before_image_prefix=before_image_prefix)
        self.settings = task_settings(lob_max_kb=lob_max_kb, parallel_tables=parallel_tables)
        task = CfnReplicationTask(
            self,
            "Resource",
            migration_type="full-load-and-cdc",
            replication_instance_arn=instance_arn,
            source_endpoint_arn=source_arn,
            target_endpoint_arn=target_arn,
            table_mappings=self.mappings,
            replication_task_settings=self.settings,
        )
        self.arn: str = task.ref
        self.definition: object = {"mappings": self.mappings, "settings": self.settings}
        """Differs where the task does."""
        self.metric_name: str = Fn.select(6, Fn.split(":", task.ref))
        """What CloudWatch's ``ReplicationTaskIdentifier`` holds: the last part of the ARN."""
