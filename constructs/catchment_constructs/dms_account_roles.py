"""DmsAccountRoles."""

from __future__ import annotations

from aws_cdk import RemovalPolicy
from aws_cdk.aws_iam import ManagedPolicy, Role, ServicePrincipal
from constructs import Construct

from catchment_constructs.acknowledge import acknowledge


class DmsAccountRoles(Construct):
    """The two roles that DMS looks up by name, once an account. The console makes them, CloudFormation does not.

    They outlive the stack: other replication instances of the account need them too. IAM takes a while until DMS sees
    them, so they belong into a stack that is deployed well before the first subnet group of DMS.

    Example: ``DmsAccountRoles(self, "AccountRoles")``
    """

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self._build_role("VpcRole", "dms-vpc-role", "AmazonDMSVPCManagementRole")
        self._build_role("LogsRole", "dms-cloudwatch-logs-role", "AmazonDMSCloudWatchLogsRole")

    def _build_role(self, construct_id: str, name: str, policy: str) -> None:
        role = Role(
            self,
            construct_id,
            role_name=name,
            assumed_by=ServicePrincipal("dms.amazonaws.com"),
            managed_policies=[ManagedPolicy.from_aws_managed_policy_name(f"service-role/{policy}")],
        )
        role.apply_removal_policy(RemovalPolicy.RETAIN)
        acknowledge(
            role,
            {
                f"AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/{policy}]": (
                    "DMS documents this role with this policy, and looks it up by its name."
                )
            },
        )
