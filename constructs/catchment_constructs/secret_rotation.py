"""SecretRotation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import Aws, Stack
from aws_cdk.aws_ec2 import ISecurityGroup, IVpc
from aws_cdk.aws_kms import IKey
from aws_cdk.aws_lambda import CfnPermission, Code, IFunction, ILayerVersion
from aws_cdk.aws_logs import RetentionDays
from aws_cdk.aws_secretsmanager import CfnRotationSchedule, ISecret
from constructs import Construct

from catchment_constructs.python_function import PythonFunction


@dataclass(frozen=True, kw_only=True)
class RotatedSecret:
    """A secret with ``host``, ``port``, ``username`` and ``password`` of a database."""

    engine: str
    """As the handler knows it."""
    secret: ISecret
    key: IKey
    """What encrypts it."""
    database: str
    every_days: int


class SecretRotation(Construct):
    """Changes the passwords of databases on a schedule, by a function in their network.

    A function of one's own, because CloudFormation's hosted one is a stack that tags and permission boundaries do not
    reach. It is told by ``SOURCES`` and ``EXCLUDED``, the characters that no password may hold; its security group has
    to be let into each database and to Secrets Manager. The first change is a schedule after the deployment.

    Example: ``SecretRotation(self, "Rotation", secrets={"sales": RotatedSecret(…)}, vpc=vpc, …)``
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        secrets: Mapping[str, RotatedSecret],
        excluded_characters: str,
        vpc: IVpc,
        security_group: ISecurityGroup,
        code: Code,
        handler: str,
        layer: ILayerVersion,
        log_retention: RetentionDays,
    ) -> None:
        super().__init__(scope, construct_id)
        self._worker = PythonFunction(
            self,
            "Worker",
            code=code,
            handler=handler,
            layers=[layer],
            memory_mb=256,
            timeout_seconds=60,
            log_retention=log_retention,
            environment={
                "EXCLUDED": excluded_characters,
                "SOURCES": Stack.of(self).to_json_string(
                    [
                        {"secret": each.secret.secret_arn, "engine": each.engine, "database": each.database}
                        for each in secrets.values()
                    ]
                ),
            },
            vpc=vpc,
            security_group=security_group,
        )
        self.function: IFunction = self._worker.function
        self._worker.allow(
            actions=[
                "secretsmanager:DescribeSecret",
                "secretsmanager:GetSecretValue",
                "secretsmanager:PutSecretValue",
                "secretsmanager:UpdateSecretVersionStage",
            ],
            resources=[each.secret.secret_arn for each in secrets.values()],
        )
        keys = {each.key.node.path: each.key.key_arn for each in secrets.values()}
        self._worker.allow(actions=["kms:Decrypt", "kms:GenerateDataKey"], resources=list(keys.values()))
        for name, rotated in secrets.items():
            self._schedule(name, rotated)

    def _schedule(self, name: str, rotated: RotatedSecret) -> None:
        permission = CfnPermission(
            self,
            f"{name}-Invoke",
            action="lambda:InvokeFunction",
            function_name=self.function.function_arn,
            principal="secretsmanager.amazonaws.com",
            source_account=Aws.ACCOUNT_ID,
            source_arn=rotated.secret.secret_arn,
        )
        schedule = CfnRotationSchedule(
            self,
            f"{name}-Schedule",
            secret_id=rotated.secret.secret_arn,
            rotation_lambda_arn=self.function.function_arn,
            rotation_rules=CfnRotationSchedule.RotationRulesProperty(automatically_after_days=rotated.every_days),
            rotate_immediately_on_update=False,
        )
        schedule.node.add_dependency(permission, self._worker.role)
