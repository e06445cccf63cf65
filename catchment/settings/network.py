"""The network of sources and replication: made here, or there already."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, model_validator

from catchment.settings.values import Allowed, Part, not_allowed

EndpointName = Literal["s3", "secretsmanager", "logs", "dynamodb", "sqs", "ssm", "dms"]
"""Endpoints that something inside uses: DMS writes files, DMS and the agent read secrets, DMS writes its log.

Those from dynamodb on are the replica's: its leases, its queues, and what the source's task says of a load.
"""


class SubnetSettings(Part):
    """A subnet of a network that is there already."""

    subnet_id: Annotated[str, Allowed("the id of a subnet", r"subnet-[0-9a-f]{8,17}")]
    availability_zone: Annotated[
        str, Allowed("a zone of the region, for example eu-central-1a", r"[a-z]{2}(-[a-z]+)+-\d[a-z]")
    ]
    route_table_id: Annotated[str, Allowed("the id of a route table", r"rtb-[0-9a-f]{8,17}")] | None = None
    """Wanted where the network has no endpoint of S3."""


def _in_two_zones(subnets: tuple[SubnetSettings, ...]) -> tuple[SubnetSettings, ...]:
    if len({subnet.availability_zone for subnet in subnets}) < max(2, len(subnets)):
        raise not_allowed("allowed: two or more, each in a zone of its own")
    return subnets


class VpcSettings(Part):
    """A network that is there already. Nothing of it is changed; groups and missing endpoints are made in it."""

    vpc_id: Annotated[str, Allowed("the id of a VPC", r"vpc-[0-9a-f]{8,17}")]
    subnets: Annotated[tuple[SubnetSettings, ...], AfterValidator(_in_two_zones)]
    endpoints: tuple[EndpointName, ...] = ()
    """Those that are reached from the subnets already."""
    endpoint_security_group_id: Annotated[str, Allowed("the id of a security group", r"sg-[0-9a-f]{8,17}")] | None = (
        None
    )
    """The group of those interface endpoints; it gets rules that let replication and the agent in."""

    @model_validator(mode="after")
    def _s3_is_reached(self) -> VpcSettings:
        if "s3" not in self.endpoints and any(subnet.route_table_id is None for subnet in self.subnets):
            what = "allowed without s3: with a route_table_id for each subnet, where its endpoint is made"
            raise not_allowed(what, field="endpoints")
        return self


class NetworkSettings(Part):
    """The network of sources and replication. It needs no way to or from the internet."""

    cidr: (
        Annotated[
            str,
            Allowed("an IPv4 range from /16 to /24, for example 10.40.0.0/20", r"\d+\.\d+\.\d+\.\d+/(1[6-9]|2[0-4])"),
        ]
        | None
    ) = None
    """One of this or ``vpc``."""
    vpc: VpcSettings | None = None
    s3_prefix_list_id: Annotated[str, Allowed("the id of a prefix list", r"pl-[0-9a-f]{8,17}")] | None = None
    """S3's in the region; left out: replication may reach anywhere by HTTPS, as far as the network has routes."""

    @model_validator(mode="after")
    def _one_of_both(self) -> NetworkSettings:
        if (self.cidr is None) == (self.vpc is None):
            raise not_allowed("exactly one of cidr and vpc has to be given", field="cidr")
        return self
