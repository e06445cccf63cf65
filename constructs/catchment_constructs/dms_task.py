"""DmsTask."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Literal

from aws_cdk import Fn
from aws_cdk.aws_dms import CfnReplicationTask
from aws_cdk.aws_iam import Grant, IGrantable
from constructs import Construct

from catchment_constructs.dms_mappings import DmsTable, column_rules, table_mappings
from catchment_constructs.dms_replication_instance import DmsReplicationInstance
from catchment_constructs.dms_task_settings import LobPolicy, task_settings

_OPERATE = (
    "dms:AddTagsToResource",
    "dms:DescribeTableStatistics",
    "dms:ListTagsForResource",
    "dms:ReloadTables",
    "dms:RemoveTagsFromResource",
    "dms:StartReplicationTask",
    "dms:StopReplicationTask",
)
Migration = Literal["full-load-and-cdc", "full-load", "cdc"]


class DmsTask(Construct):
    """Full load, then changes, of the tables named, from one endpoint to another; or one of both alone.

    ``migration`` ``full-load`` stops when everything is loaded, ``cdc`` follows changes from ``start_position`` on: a
    date (``2026-03-08T12:12:12``), a checkpoint (``checkpoint:V1#…``) or a place in the source's log, which PostgreSQL
    takes only where the source endpoint names its ``SlotName``. Left out: from now on.

    CloudFormation makes the task and leaves it in ``ready``; DmsTaskLifecycle starts and stops it. A change of the
    migration, the endpoints or the instance makes a new task, that is a full load.

    Example: ``DmsTask(self, "Task", instance=instance, source_arn=…, target_arn=…, tables=[DmsTable(…)], …).arn``
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        instance: DmsReplicationInstance,
        source_arn: str,
        target_arn: str,
        tables: Sequence[DmsTable],
        sequence_column: str = "dms_seq",
        before_image_prefix: str = "BI_",
        lobs: LobPolicy,
        parallel_tables: int = 8,
        migration: Migration = "full-load-and-cdc",
        start_position: str | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        if start_position is not None and migration != "cdc":
            raise ValueError(f"start_position {start_position}: only where migration is cdc, not {migration}")
        self.columns = json.dumps(
            column_rules(sequence_column=sequence_column, before_image_prefix=before_image_prefix)
        )
        """What mappings add to the source's columns: a change takes effect only when everything is loaded again."""
        self.mappings = table_mappings(tables, sequence_column=sequence_column, before_image_prefix=before_image_prefix)
        self.settings = task_settings(lobs=lobs, parallel_tables=parallel_tables)
        self.tables: list[str] = [f"{table.schema}.{table.name}" for table in tables]
        """``schema.table`` of each."""
        task = CfnReplicationTask(
            self,
            "Resource",
            migration_type=migration,
            cdc_start_position=start_position,
            replication_instance_arn=instance.arn,
            source_endpoint_arn=source_arn,
            target_endpoint_arn=target_arn,
            table_mappings=self.mappings,
            replication_task_settings=self.settings,
        )
        self.arn: str = task.ref
        self.instance_arn: str = instance.arn
        self.definition: object = [self.mappings, self.settings, migration, start_position]
        """Differs where the task does."""
        self.dimensions = {
            "ReplicationInstanceIdentifier": instance.name,
            "ReplicationTaskIdentifier": Fn.select(6, Fn.split(":", task.ref)),
        }
        """Of its metrics in AWS/DMS."""

    def grant_operate(self, grantee: IGrantable) -> Grant:
        """Let somebody start and stop it, load its tables again, see how they are, and tag it."""
        return Grant.add_to_principal(grantee=grantee, actions=list(_OPERATE), resource_arns=[self.arn])

    def grant_statistics(self, grantee: IGrantable) -> Grant:
        """Let somebody see how its tables are."""
        return Grant.add_to_principal(
            grantee=grantee, actions=["dms:DescribeTableStatistics"], resource_arns=[self.arn]
        )
