"""PythonFunction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import Duration, RemovalPolicy, Size, Stack
from aws_cdk.aws_ec2 import ISecurityGroup, IVpc, SubnetSelection, SubnetType
from aws_cdk.aws_iam import Effect, Policy, PolicyStatement, Role, ServicePrincipal
from aws_cdk.aws_lambda import (
    ApplicationLogLevel,
    Architecture,
    Code,
    Function,
    IFunction,
    ILayerVersion,
    LoggingFormat,
    Runtime,
)
from aws_cdk.aws_logs import LogGroup, RetentionDays
from constructs import Construct

from catchment_constructs.acknowledge import acknowledge

PYTHON = Runtime.PYTHON_3_14
"""The Python all functions run on; layers are built for it."""

_INTERFACES_LOOKED_AT = ("ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets")
_INTERFACES_MADE = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:UnassignPrivateIpAddresses",
)


class PythonFunction(Construct):
    """A function with a role of its own that may write its own log, and nothing else until it is granted more.

    With ``vpc`` it runs in its isolated subnets, and reaches what ``security_group`` lets it reach.

    Example: ``PythonFunction(self, "Sweep", code=code, handler="lambda_src.sweep.handler.handler", …).function``
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        code: Code,
        handler: str,
        memory_mb: int,
        timeout_seconds: int,
        log_retention: RetentionDays,
        disk_mb: int | None = None,
        environment: Mapping[str, str] | None = None,
        layers: Sequence[ILayerVersion] = (),
        vpc: IVpc | None = None,
        security_group: ISecurityGroup | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        log_group = LogGroup(self, "Log", retention=log_retention, removal_policy=RemovalPolicy.DESTROY)
        self.log_group_name: str = log_group.log_group_name
        self.role = Role(self, "Role", assumed_by=ServicePrincipal("lambda.amazonaws.com"))
        log_group.grant_write(self.role)
        if vpc is not None:
            self._allow_lambda_to_attach()
        self._function = Function(
            self,
            "Function",
            runtime=PYTHON,
            architecture=Architecture.ARM_64,
            code=code,
            handler=handler,
            memory_size=memory_mb,
            ephemeral_storage_size=None if disk_mb is None else Size.mebibytes(disk_mb),
            timeout=Duration.seconds(timeout_seconds),
            environment=dict(environment or {}),
            layers=list(layers),
            role=self.role,
            log_group=log_group,
            logging_format=LoggingFormat.JSON,
            application_log_level_v2=ApplicationLogLevel.INFO,
            vpc=vpc,
            vpc_subnets=None if vpc is None else SubnetSelection(subnet_type=SubnetType.PRIVATE_ISOLATED),
            security_groups=None if security_group is None else [security_group],
        )
        if vpc is not None:
            self._deny_code_what_lambda_may()
        self.function: IFunction = self._function

    def tell(self, name: str, value: str) -> None:
        """Set an environment variable."""
        self._function.add_environment(name, value)

    def allow(self, *, actions: Sequence[str], resources: Sequence[str]) -> None:
        """Let the function do what no ``grant`` method of a construct offers."""
        self.role.add_to_policy(PolicyStatement(actions=list(actions), resources=list(resources)))

    def _allow_lambda_to_attach(self) -> None:
        """AWS Lambda Developer Guide, "Giving Lambda functions access to resources in an Amazon VPC"."""
        interfaces = Stack.of(self).format_arn(service="ec2", resource="*", resource_name="*")
        self.allow(actions=_INTERFACES_LOOKED_AT, resources=["*"])
        self.allow(actions=_INTERFACES_MADE, resources=[interfaces])
        shown = "arn:<AWS::Partition>:ec2:<AWS::Region>:<AWS::AccountId>:*/*"
        self.acknowledge(
            {
                "AwsSolutions-IAM5[Resource::*]": "EC2 describes interfaces and subnets for all resources or for none.",
                f"AwsSolutions-IAM5[Resource::{shown}]": "Lambda makes its interfaces; the code is denied to.",
            }
        )

    def _deny_code_what_lambda_may(self) -> None:
        """The role's rights in EC2 are Lambda's own, which does not ask from within the function."""
        Policy(
            self,
            "NotFromCode",
            roles=[self.role],
            statements=[
                PolicyStatement(
                    effect=Effect.DENY,
                    actions=[*_INTERFACES_LOOKED_AT, *_INTERFACES_MADE],
                    resources=["*"],
                    conditions={"ArnEquals": {"lambda:SourceFunctionArn": self._function.function_arn}},
                )
            ],
        )

    def acknowledge(self, reasons: Mapping[str, str]) -> None:
        """Say why a finding about the function's role is no danger."""
        acknowledge(self.role, reasons)
