"""PythonFunction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import Duration, RemovalPolicy, Size
from aws_cdk.aws_iam import PolicyStatement, Role, ServicePrincipal
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


class PythonFunction(Construct):
    """A function with a role of its own that may write its own log, and nothing else until it is granted more.

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
    ) -> None:
        super().__init__(scope, construct_id)
        log_group = LogGroup(self, "Log", retention=log_retention, removal_policy=RemovalPolicy.DESTROY)
        self.role = Role(self, "Role", assumed_by=ServicePrincipal("lambda.amazonaws.com"))
        log_group.grant_write(self.role)
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
        )
        self.function: IFunction = self._function

    def tell(self, name: str, value: str) -> None:
        """Set an environment variable."""
        self._function.add_environment(name, value)

    def allow(self, *, actions: Sequence[str], resources: Sequence[str]) -> None:
        """Let the function do what no ``grant`` method of a construct offers."""
        self.role.add_to_policy(PolicyStatement(actions=list(actions), resources=list(resources)))

    def acknowledge(self, reasons: Mapping[str, str]) -> None:
        """Say why a finding about the function's role is no danger."""
        acknowledge(self.role, reasons)
