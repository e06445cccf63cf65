"""DmsServerlessReplication."""

from __future__ import annotations

import json
from collections.abc import Sequence

from aws_cdk import Aws, Fn
from aws_cdk.aws_dms import CfnReplicationConfig, CfnReplicationSubnetGroup
from aws_cdk.aws_ec2 import ISecurityGroup, IVpc, SubnetType
from aws_cdk.aws_iam import Grant, IGrantable
from aws_cdk.aws_kms import IKey
from constructs import Construct

from catchment_constructs.dms_mappings import DmsTable, column_rules, table_mappings
from catchment_constructs.dms_task import Migration
from catchment_constructs.dms_task_settings import LobPolicy, task_settings

_OPERATE = (
    "dms:AddTagsToResource",
    "dms:DescribeReplicationTableStatistics",
    "dms:ListTagsForResource",
    "dms:ReloadReplicationTables",
    "dms:RemoveTagsFromResource",
    "dms:StartReplication",
    "dms:StopReplication",
)
UNITS = (1, 2, 4, 8, 16, 32, 64, 128, 192, 256, 384)
"""What capacity may be, in DMS capacity units of 2 GB of memory (AWS DMS API Reference, ComputeConfig)."""


class DmsServerlessReplication(Construct):
    """Full load, then changes, of the tables named, with capacity that DMS chooses: a DmsTask without an instance.

    CloudFormation makes the configuration and neither starts nor stops its replication; DmsTaskLifecycle does. When it
    has stood still for two days, DMS takes away what it runs on, and all it can do then is to load everything again.
    It follows changes from when it is started, from no earlier position.

    Example: ``DmsServerlessReplication(self, "Task", vpc=vpc, min_units=1, max_units=8, source_arn=…, …).arn``
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        vpc: IVpc,
        security_group: ISecurityGroup,
        key: IKey,
        min_units: int,
        max_units: int,
        multi_az: bool = False,
        source_arn: str,
        target_arn: str,
        tables: Sequence[DmsTable],
        sequence_column: str = "dms_seq",
        before_image_prefix: str = "BI_",
        lobs: LobPolicy,
        parallel_tables: int = 8,
        migration: Migration = "full-load-and-cdc",
    ) -> None:
        super().__init__(scope, construct_id)
        if min_units not in UNITS or max_units not in UNITS or min_units > max_units:
            raise ValueError(f"{min_units} to {max_units} units: each of {', '.join(map(str, UNITS))}, rising")
        self.columns = json.dumps(
            column_rules(sequence_column=sequence_column, before_image_prefix=before_image_prefix)
        )
        """See DmsTask."""
        self.mappings = table_mappings(tables, sequence_column=sequence_column, before_image_prefix=before_image_prefix)
        self.settings = task_settings(lobs=lobs, parallel_tables=parallel_tables)
        self.tables: list[str] = [f"{table.schema}.{table.name}" for table in tables]
        """``schema.table`` of each."""
        subnets = CfnReplicationSubnetGroup(
            self,
            "Subnets",
            replication_subnet_group_description="Isolated subnets of the serverless replication",
            subnet_ids=vpc.select_subnets(subnet_type=SubnetType.PRIVATE_ISOLATED).subnet_ids,
        )
        config = CfnReplicationConfig(
            self,
            "Resource",
            replication_config_identifier=name,
            replication_type=migration,
            source_endpoint_arn=source_arn,
            target_endpoint_arn=target_arn,
            table_mappings=json.loads(self.mappings),
            replication_settings=json.loads(self.settings),
            compute_config=CfnReplicationConfig.ComputeConfigProperty(
                min_capacity_units=min_units,
                max_capacity_units=max_units,
                multi_az=multi_az,
                kms_key_id=key.key_arn,
                replication_subnet_group_id=subnets.ref,
                vpc_security_group_ids=[security_group.security_group_id],
            ),
        )
        self.arn: str = config.ref
        self.instance_arn: None = None
        self.definition: object = [self.mappings, self.settings, migration, min_units, max_units, multi_az]
        """Differs where the replication does."""
        self.dimensions = {"ReplicationConfigId": f"{Aws.ACCOUNT_ID}:{Fn.select(6, Fn.split(':', config.ref))}"}
        """Of its metrics in AWS/DMS. Undocumented, seen in the field."""

    def grant_operate(self, grantee: IGrantable) -> Grant:
        """Let somebody start and stop it, load its tables again, see how they are, and tag it."""
        return Grant.add_to_principal(grantee=grantee, actions=list(_OPERATE), resource_arns=[self.arn])

    def grant_statistics(self, grantee: IGrantable) -> Grant:
        """Let somebody see how its tables are."""
        return Grant.add_to_principal(
            grantee=grantee, actions=["dms:DescribeReplicationTableStatistics"], resource_arns=[self.arn]
        )
