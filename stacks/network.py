"""The Network stack."""

from __future__ import annotations

from aws_cdk import RemovalPolicy, Stack
from constructs import Construct

from catchment.settings import Settings
from catchment_constructs.dms_account_roles import DmsAccountRoles
from catchment_constructs.isolated_network import IsolatedNetwork
from stacks.choices import database_removal, log_retention, stack_name


class NetworkStack(Stack):
    """The isolated network of sources and replication, and the roles that let DMS work in it."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings) -> None:
        super().__init__(scope, construct_id, stack_name=stack_name(settings, construct_id))
        self.network = IsolatedNetwork(
            self,
            "Network",
            cidr=settings.network.cidr,
            log_retention=log_retention(settings),
            outlives_stack=database_removal(settings) == RemovalPolicy.RETAIN,
        )
        # Here and not beside the instance: databases take minutes, and by then DMS sees the roles.
        if settings.replication.create_account_roles:
            DmsAccountRoles(self, "AccountRoles")
