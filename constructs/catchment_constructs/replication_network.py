"""ReplicationNetwork."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from aws_cdk.aws_ec2 import (
    Connections,
    GatewayVpcEndpointAwsService,
    InterfaceVpcEndpointAwsService,
    ISecurityGroup,
    IVpc,
    Peer,
    Port,
    SecurityGroup,
)
from constructs import Construct

SERVICES = {
    "secretsmanager": ("SecretsManagerEndpoint", InterfaceVpcEndpointAwsService.SECRETS_MANAGER),
    "logs": ("LogsEndpoint", InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS),
}
"""What is called from inside by an interface endpoint: DMS and the agent read secrets, DMS writes its log."""

FEEDER_SERVICES = {
    "sqs": ("SqsEndpoint", InterfaceVpcEndpointAwsService.SQS),
    "ssm": ("SsmEndpoint", InterfaceVpcEndpointAwsService.SSM),
    "dms": ("DmsEndpoint", InterfaceVpcEndpointAwsService.DATABASE_MIGRATION_SERVICE),
}
"""What the feeder of a replica calls besides: its queues, and DMS for what its task says of a load. Its leases are in
DynamoDB, which has a gateway endpoint as S3 has."""

NOWHERE = Peer.ipv4("255.255.255.255/32")


class ReplicationNetwork(Construct):
    """The network of replication, the databases' agent and, where it ``feeds`` a replica, of its feeder.

    Each has a security group; the endpoints that they use are here.

    Groups let out what is needed: to the endpoints here, and to each database by its own ``allow_from``. S3 is reached
    at its public addresses by the route of a gateway endpoint: where its prefix list is not known, replication may
    reach anywhere by HTTPS, which in a network without a way out is nowhere else.
    """

    vpc: IVpc
    replication_security_group: ISecurityGroup
    agent_security_group: ISecurityGroup
    feeder_security_group: ISecurityGroup | None

    def _open(
        self,
        vpc: IVpc,
        *,
        present: Collection[str] = (),
        present_group: ISecurityGroup | None = None,
        s3_prefix_list_id: str | None = None,
        feeds: bool = False,
    ) -> None:
        """Make the groups, and the endpoints that are not ``present``, whose group is ``present_group`` if known."""
        self.vpc = vpc
        self.replication_security_group = self._group("ReplicationSecurityGroup", "DMS replication instances")
        self.agent_security_group = self._group("AgentSecurityGroup", "The function beside the databases")
        if "s3" not in present:
            vpc.add_gateway_endpoint("S3Endpoint", service=GatewayVpcEndpointAwsService.S3)
        if feeds and "dynamodb" not in present:
            vpc.add_gateway_endpoint("DynamoDbEndpoint", service=GatewayVpcEndpointAwsService.DYNAMODB)
        services = {**SERVICES, **(FEEDER_SERVICES if feeds else {})}
        missing = {name: service for name, service in services.items() if name not in present}
        guards = [self._build_endpoints(missing)] if missing else []
        guards += [present_group] if present_group is not None else []
        elsewhere = present_group is None and bool(set(services) & set(present))
        self._let_out(self.agent_security_group, guards, "The agent reads secrets", anywhere=elsewhere)
        if s3_prefix_list_id is not None:
            s3 = Peer.prefix_list(s3_prefix_list_id)
            self.replication_security_group.add_egress_rule(s3, Port.HTTPS, "DMS writes files")
        anywhere = elsewhere or s3_prefix_list_id is None
        self._let_out(self.replication_security_group, guards, "DMS calls AWS services", anywhere=anywhere)
        self.feeder_security_group = self._build_feeder_group(guards) if feeds else None

    def _group(self, construct_id: str, description: str) -> ISecurityGroup:
        return SecurityGroup(self, construct_id, vpc=self.vpc, description=description, allow_all_outbound=False)

    def _build_feeder_group(self, guards: list[ISecurityGroup]) -> ISecurityGroup:
        group = self._group("FeederSecurityGroup", "The function that feeds the replica")
        # S3 and DynamoDB are reached at their public addresses, by the routes of their gateway endpoints
        self._let_out(group, guards, "The feeder calls AWS services", anywhere=True)
        return group

    def _build_endpoints(self, services: Mapping[str, tuple[str, InterfaceVpcEndpointAwsService]]) -> ISecurityGroup:
        guard = self._group("EndpointSecurityGroup", "Endpoints of AWS services")
        for construct_id, service in services.values():
            self.vpc.add_interface_endpoint(construct_id, service=service, security_groups=[guard], open=False)
        return guard

    @staticmethod
    def _let_out(group: ISecurityGroup, guards: list[ISecurityGroup], description: str, *, anywhere: bool) -> None:
        if anywhere:
            group.add_egress_rule(Peer.any_ipv4(), Port.HTTPS, "Endpoints of AWS services")
        else:
            # EC2 lets a new group reach everything unless its own definition has a rule; those below are added to it.
            group.add_egress_rule(NOWHERE, Port.HTTPS, "Nowhere")
        for guard in guards:
            if anywhere:
                guard.add_ingress_rule(group, Port.HTTPS, description)
            else:
                Connections(security_groups=[guard]).allow_from(group, Port.HTTPS, description)
