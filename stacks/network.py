"""The Network stack."""

from __future__ import annotations

from aws_cdk import RemovalPolicy, Stack
from aws_cdk.aws_ec2 import SecurityGroup
from aws_cdk.aws_kms import IKey
from constructs import Construct

from catchment.settings import Settings
from catchment_constructs.dms_account_roles import DmsAccountRoles
from catchment_constructs.imported_network import ImportedNetwork, ImportedSubnet
from catchment_constructs.isolated_network import IsolatedNetwork
from catchment_constructs.replication_network import ReplicationNetwork
from stacks.choices import database_removal, log_retention, stack_name
from stacks.runtime import function_code


class NetworkStack(Stack):
    """The network of sources and replication, made here or there already, and the roles that let DMS work in it."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, key: IKey) -> None:
        super().__init__(scope, construct_id, stack_name=stack_name(settings, construct_id))
        self.network: ReplicationNetwork = self._import(settings) or self._build(settings, key)
        # Here and not beside the instance: databases take minutes, and by then DMS sees the roles.
        if settings.replication.account_roles == "ensure":
            DmsAccountRoles(
                self,
                "AccountRoles",
                code=function_code(),
                log_retention=log_retention(settings),
                boundary_arn=settings.permission_boundary_arn,
                wait_seconds=settings.replication.wait_seconds,
            )

    def _import(self, settings: Settings) -> ImportedNetwork | None:
        network, vpc = settings.network, settings.network.vpc
        if vpc is None:
            return None
        group = vpc.endpoint_security_group_id
        return ImportedNetwork(
            self,
            "Network",
            vpc_id=vpc.vpc_id,
            subnets=[ImportedSubnet(**subnet.model_dump()) for subnet in vpc.subnets],
            endpoints=vpc.endpoints,
            endpoint_group=None
            if group is None
            else SecurityGroup.from_security_group_id(self, "PresentEndpointSecurityGroup", group),
            s3_prefix_list_id=network.s3_prefix_list_id,
            feeds=settings.replica is not None,
        )

    def _build(self, settings: Settings, key: IKey) -> IsolatedNetwork:
        assert settings.network.cidr is not None, "settings have one of cidr and vpc"
        return IsolatedNetwork(
            self,
            "Network",
            cidr=settings.network.cidr,
            log_retention=log_retention(settings),
            key=key,
            s3_prefix_list_id=settings.network.s3_prefix_list_id,
            feeds=settings.replica is not None,
            outlives_stack=database_removal(settings) == RemovalPolicy.RETAIN,
        )
