"""IsolatedNetwork."""

from __future__ import annotations

from aws_cdk import RemovalPolicies, RemovalPolicy
from aws_cdk.aws_ec2 import (
    FlowLogDestination,
    IpAddresses,
    SubnetConfiguration,
    SubnetType,
    Vpc,
)
from aws_cdk.aws_kms import IKey
from aws_cdk.aws_logs import CfnLogGroup, LogGroup, RetentionDays
from constructs import Construct

from catchment_constructs.replication_network import ReplicationNetwork


class IsolatedNetwork(ReplicationNetwork):
    """A network without a way to or from the internet, in two zones, that reaches AWS through endpoints.

    Two zones, because DMS and RDS want subnets in two. What flows is logged, encrypted with ``key``, whose policy has
    to let CloudWatch Logs use it. ``outlives_stack`` keeps the network and its subnets, without endpoints, for
    databases that are kept. ``s3_prefix_list_id`` is that of S3 in the region, if it is known.

    Example: ``IsolatedNetwork(self, "Network", cidr="10.40.0.0/20", log_retention=RetentionDays.ONE_MONTH)``
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        cidr: str,
        log_retention: RetentionDays,
        key: IKey | None = None,
        s3_prefix_list_id: str | None = None,
        feeds: bool = False,
        outlives_stack: bool = False,
    ) -> None:
        super().__init__(scope, construct_id)
        vpc = Vpc(
            self,
            "Vpc",
            ip_addresses=IpAddresses.cidr(cidr),
            max_azs=2,
            nat_gateways=0,
            subnet_configuration=[SubnetConfiguration(name="isolated", subnet_type=SubnetType.PRIVATE_ISOLATED)],
            restrict_default_security_group=False,
        )
        if outlives_stack:
            RemovalPolicies.of(vpc).retain(apply_to_resource_types=["AWS::EC2::VPC", "AWS::EC2::Subnet"])
        self._build_flow_log(vpc, log_retention, key)
        self._open(vpc, s3_prefix_list_id=s3_prefix_list_id, feeds=feeds)

    def _build_flow_log(self, vpc: Vpc, retention: RetentionDays, key: IKey | None) -> None:
        group = LogGroup(self, "FlowLogGroup", retention=retention, removal_policy=RemovalPolicy.DESTROY)
        if key is not None:
            # Not by the L2's encryption_key: it would write this group into the policy of another stack's key.
            resource = group.node.default_child
            assert isinstance(resource, CfnLogGroup)
            resource.kms_key_id = key.key_arn
        vpc.add_flow_log("FlowLog", destination=FlowLogDestination.to_cloud_watch_logs(group))
