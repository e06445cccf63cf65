"""DmsAccountRoles."""

from __future__ import annotations

from aws_cdk import ArnFormat, Aws, Stack
from aws_cdk.aws_iam import PolicyStatement
from aws_cdk.aws_lambda import Code
from aws_cdk.aws_logs import RetentionDays
from constructs import Construct

from catchment_constructs.waiting_function import WaitingFunction

HANDLER = "lambda_src.account_roles.handler.handler"
"""In ``own_code()``."""

ROLES = {
    "dms-vpc-role": "AmazonDMSVPCManagementRole",
    "dms-cloudwatch-logs-role": "AmazonDMSCloudWatchLogsRole",
}
"""The managed policy of each (AWS DMS User Guide, "Creating the IAM roles to use with AWS DMS")."""
REDSHIFT_ROLE = {"dms-access-for-endpoint": "AmazonDMSRedshiftS3Role"}
"""Needed besides where Redshift is a target."""


class DmsAccountRoles(Construct):
    """The roles that DMS looks up by name, once an account. The console makes them, CloudFormation does not.

    A function makes those that the account has not, attaches the policy that one lacks, and takes nothing away: not
    what others gave a role, and no role when the stack goes, for other replication instances of the account need them.
    IAM takes a while until DMS sees them, so they belong into a stack that is deployed well before the first subnet
    group of DMS. ``boundary_arn`` bounds a role that is made.

    Example: ``DmsAccountRoles(self, "AccountRoles")``
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        code: Code | None = None,
        handler: str = HANDLER,
        log_retention: RetentionDays = RetentionDays.THREE_MONTHS,
        for_redshift: bool = False,
        boundary_arn: str | None = None,
        wait_seconds: int = 15,
    ) -> None:
        super().__init__(scope, construct_id)
        self._worker = WaitingFunction(
            self, "Worker", code=code, handler=handler, log_retention=log_retention, wait_seconds=wait_seconds
        )
        names = {**ROLES, **(REDSHIFT_ROLE if for_redshift else {})}
        policies = {
            name: f"arn:{Aws.PARTITION}:iam::aws:policy/service-role/{policy}" for name, policy in names.items()
        }
        self._allow(policies)
        properties = {"Roles": policies, **({"BoundaryArn": boundary_arn} if boundary_arn else {})}
        self._worker.resource(self, "Roles", "Custom::DmsAccountRoles", properties)

    def _allow(self, policies: dict[str, str]) -> None:
        for name, policy in policies.items():
            role = Stack.of(self).format_arn(
                service="iam", region="", resource="role", resource_name=name, arn_format=ArnFormat.SLASH_RESOURCE_NAME
            )
            self._worker.allow(
                actions=["iam:GetRole", "iam:CreateRole", "iam:ListAttachedRolePolicies"], resources=[role]
            )
            self._worker.role.add_to_policy(
                PolicyStatement(
                    actions=["iam:AttachRolePolicy"],
                    resources=[role],
                    conditions={"ArnEquals": {"iam:PolicyARN": policy}},
                )
            )
