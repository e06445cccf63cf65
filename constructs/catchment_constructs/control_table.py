"""ControlTable."""

from __future__ import annotations

from aws_cdk import RemovalPolicy
from aws_cdk.aws_dynamodb import Attribute, AttributeType, BillingMode, ITable, Table, TableEncryption
from constructs import Construct

from catchment_constructs.acknowledge import acknowledge


class ControlTable(Construct):
    """Who is writing which table just now: one item a table, with the holder of its lease.

    Example: ``ControlTable(self, "Control").table``
    """

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        table = Table(
            self,
            "Table",
            partition_key=Attribute(name="table", type=AttributeType.STRING),
            billing_mode=BillingMode.PAY_PER_REQUEST,
            encryption=TableEncryption.DEFAULT,
            removal_policy=RemovalPolicy.DESTROY,
        )
        acknowledge(table, {"AwsSolutions-DDB3": "It holds leases of minutes; what a table contains is in its log."})
        self.table: ITable = table
