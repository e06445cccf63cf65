"""DmsReplicationInstance."""

from __future__ import annotations

from aws_cdk.aws_dms import CfnReplicationInstance, CfnReplicationSubnetGroup
from aws_cdk.aws_ec2 import ISecurityGroup, IVpc, SubnetType
from aws_cdk.aws_kms import IKey
from constructs import Construct


class DmsReplicationInstance(Construct):
    """A private, encrypted replication instance in isolated subnets.

    It is named, because CloudWatch knows its metrics by that name alone. So CloudFormation refuses to replace it,
    which would reload every table of every task on it.

    Example: ``DmsReplicationInstance(self, "Instance", name="catchment-dev", vpc=vpc, …).arn``
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
        instance_class: str = "dms.t3.medium",
        engine_version: str = "3.5.4",
        storage_gb: int = 50,
        multi_az: bool = False,
    ) -> None:
        super().__init__(scope, construct_id)
        subnets = CfnReplicationSubnetGroup(
            self,
            "Subnets",
            replication_subnet_group_description="Isolated subnets of the replication instance",
            subnet_ids=vpc.select_subnets(subnet_type=SubnetType.PRIVATE_ISOLATED).subnet_ids,
        )
        instance = CfnReplicationInstance(
            self,
            "Resource",
            replication_instance_identifier=name,
            replication_instance_class=instance_class,
            engine_version=engine_version,
            allocated_storage=storage_gb,
            multi_az=multi_az,
            # Public is what DMS does unless told otherwise.
            publicly_accessible=False,
            auto_minor_version_upgrade=False,
            kms_key_id=key.key_arn,
            replication_subnet_group_identifier=subnets.ref,
            vpc_security_group_ids=[security_group.security_group_id],
        )
        self.name: str = name
        self.arn: str = instance.ref
