"""DmsSourceEndpoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws_cdk import Aws
from aws_cdk.aws_dms import CfnEndpoint
from aws_cdk.aws_iam import PolicyStatement, Role, ServicePrincipal
from aws_cdk.aws_kms import IKey
from aws_cdk.aws_secretsmanager import ISecret
from constructs import Construct

SETTINGS_PROPERTY = {
    "postgres": "PostgreSqlSettings",
    "mysql": "MySqlSettings",
    "mariadb": "MySqlSettings",
    "oracle": "OracleSettings",
    "sqlserver": "MicrosoftSqlServerSettings",
}
"""The endpoint property that holds an engine's settings, by the DMS engine name."""


class DmsSourceEndpoint(Construct):
    """A source endpoint that reads host, port, user and password from a secret, over an encrypted connection.

    ``settings`` are the engine's own, in the spelling of the DMS API. ``key`` encrypts the secret; None for Secrets
    Manager's own key of this account, which lets in whoever may read the secret.

    Example: ``DmsSourceEndpoint(self, "Source", engine="postgres", secret=secret, database="sales", …).arn``
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        engine: str,
        secret: ISecret,
        key: IKey | None = None,
        database: str | None = None,
        ssl_mode: str = "require",
        certificate_arn: str | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        role = Role(
            self,
            "SecretRole",
            assumed_by=ServicePrincipal(
                f"dms.{Aws.REGION}.{Aws.URL_SUFFIX}",
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            ),
        )
        # Not by grant_read: it would write this role into the policy of a key that another stack owns.
        role.add_to_policy(
            PolicyStatement(
                actions=["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"],
                # A secret known by its name has six characters more in its ARN, which IAM wants to see.
                resources=[secret.secret_full_arn or f"{secret.secret_arn}-??????"],
            )
        )
        if key is not None:
            role.add_to_policy(PolicyStatement(actions=["kms:Decrypt", "kms:DescribeKey"], resources=[key.key_arn]))
        endpoint = CfnEndpoint(
            self,
            "Resource",
            endpoint_type="source",
            engine_name=engine,
            database_name=database,
            ssl_mode=ssl_mode,
            certificate_arn=certificate_arn,
        )
        own = {
            **(settings or {}),
            "SecretsManagerSecretId": secret.secret_arn,
            "SecretsManagerAccessRoleArn": role.role_arn,
        }
        endpoint.add_property_override(SETTINGS_PROPERTY[engine], own)
        endpoint.node.add_dependency(role)
        self.arn: str = endpoint.ref
        self.definition: object = {
            "engine": engine,
            "database": database,
            "ssl": ssl_mode,
            "certificate": certificate_arn,
            "settings": own,
        }
        """Differs where the endpoint does; may hold tokens."""
