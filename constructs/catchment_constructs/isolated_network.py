"""IsolatedNetwork."""

from __future__ import annotations

from aws_cdk import RemovalPolicies, RemovalPolicy
from aws_cdk.aws_ec2 import (
    FlowLogDestination,
    GatewayVpcEndpointAwsService,
    InterfaceVpcEndpointAwsService,
    IpAddresses,
    ISecurityGroup,
    IVpc,
    Peer,
    Port,
    SecurityGroup,
    SubnetConfiguration,
    SubnetType,
    Vpc,
)
from aws_cdk.aws_logs import LogGroup, RetentionDays
from constructs import Construct


class IsolatedNetwork(Construct):
    """A network without a way to or from the internet, in two zones, that reaches AWS through endpoints.

    DMS reads its secrets through one interface endpoint, writes its log through another and its files through the
    gateway endpoint of S3; a function that looks after the databases reads their secrets. Nothing else runs inside.
    Two zones, because DMS and RDS want subnets in two.
    ``outlives_stack`` keeps the network and its subnets, without endpoints, for databases that are kept.

    Example: ``IsolatedNetwork(self, "Network", cidr="10.40.0.0/20", log_retention=RetentionDays.ONE_MONTH)``
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        cidr: str,
        log_retention: RetentionDays,
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
        self.vpc: IVpc = vpc
        if outlives_stack:
            RemovalPolicies.of(vpc).retain(apply_to_resource_types=["AWS::EC2::VPC", "AWS::EC2::Subnet"])
        self._build_flow_log(vpc, log_retention)
        self.replication_security_group: ISecurityGroup = SecurityGroup(
            self, "ReplicationSecurityGroup", vpc=vpc, description="DMS replication instances", allow_all_outbound=False
        )
        # S3 is reached at its public addresses, by a route: anywhere is where endpoints lead to, in a network without
        # a way out. Databases open their own ports.
        self.replication_security_group.add_egress_rule(Peer.any_ipv4(), Port.tcp(443), "Endpoints of AWS services")
        self.agent_security_group: ISecurityGroup = SecurityGroup(
            self,
            "AgentSecurityGroup",
            vpc=vpc,
            description="The function beside the databases",
            # Sources open to it what they need.
            allow_all_outbound=False,
        )
        self._build_endpoints(vpc)

    def _build_flow_log(self, vpc: Vpc, retention: RetentionDays) -> None:
        group = LogGroup(self, "FlowLogGroup", retention=retention, removal_policy=RemovalPolicy.DESTROY)
        vpc.add_flow_log("FlowLog", destination=FlowLogDestination.to_cloud_watch_logs(group))

    def _build_endpoints(self, vpc: Vpc) -> None:
        vpc.add_gateway_endpoint("S3Endpoint", service=GatewayVpcEndpointAwsService.S3)
        guard = SecurityGroup(
            self, "EndpointSecurityGroup", vpc=vpc, description="Endpoints of AWS services", allow_all_outbound=False
        )
        guard.add_ingress_rule(self.replication_security_group, Port.HTTPS, "DMS calls AWS services")
        guard.connections.allow_from(self.agent_security_group, Port.HTTPS, "The agent reads secrets")
        services = {
            "SecretsManagerEndpoint": InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
            "LogsEndpoint": InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
        }
        for construct_id, service in services.items():
            vpc.add_interface_endpoint(construct_id, service=service, security_groups=[guard], open=False)
