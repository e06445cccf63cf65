"""ImportedNetwork."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from aws_cdk.aws_ec2 import ISecurityGroup, Vpc
from constructs import Construct

from catchment_constructs.replication_network import ReplicationNetwork


@dataclass(frozen=True, kw_only=True)
class ImportedSubnet:
    """A subnet that is there already, in a zone of its own."""

    subnet_id: str
    availability_zone: str
    route_table_id: str | None = None
    """Wanted where the gateway endpoint of S3 has to be made."""


class ImportedNetwork(ReplicationNetwork):
    """A network that is there already: the groups and the endpoints that are missing are made in it, and nothing else.

    ``endpoints`` are those that it has (``s3``, ``secretsmanager``, ``logs``; where it ``feeds`` a replica also
    ``dynamodb``, ``sqs``, ``ssm``, ``dms``), by way of another network as well.
    ``endpoint_group`` is the group of its interface endpoints; it gets rules that let replication and the agent in.
    Nothing is looked up: synthesis needs no credentials.

    Example: ``ImportedNetwork(self, "Network", vpc_id="vpc-…", subnets=[ImportedSubnet(…), ImportedSubnet(…)])``
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc_id: str,
        subnets: Sequence[ImportedSubnet],
        endpoints: Collection[str] = (),
        endpoint_group: ISecurityGroup | None = None,
        s3_prefix_list_id: str | None = None,
        feeds: bool = False,
    ) -> None:
        super().__init__(scope, construct_id)
        tables = [subnet.route_table_id for subnet in subnets if subnet.route_table_id is not None]
        gateways = {"s3", "dynamodb"} if feeds else {"s3"}
        if gateways - set(endpoints) and len(tables) < len(subnets):
            raise ValueError("without an endpoint of S3 (or DynamoDB) each subnet needs its route_table_id")
        vpc = Vpc.from_vpc_attributes(
            self,
            "Vpc",
            vpc_id=vpc_id,
            availability_zones=[subnet.availability_zone for subnet in subnets],
            isolated_subnet_ids=[subnet.subnet_id for subnet in subnets],
            isolated_subnet_route_table_ids=tables if len(tables) == len(subnets) else None,
        )
        self._open(
            vpc,
            present=endpoints,
            present_group=endpoint_group,
            s3_prefix_list_id=s3_prefix_list_id,
            feeds=feeds,
        )
