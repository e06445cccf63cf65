"""Reading the secrets of databases."""

from __future__ import annotations

from collections.abc import Iterable

from aws_cdk.aws_kms import IKey
from aws_cdk.aws_secretsmanager import ISecret

from catchment_constructs.python_function import PythonFunction


def let_read_secrets(function: PythonFunction, secrets: Iterable[tuple[ISecret, IKey | None]]) -> None:
    """Let a function read secrets, each with the key that encrypts it; None: Secrets Manager's own of this account.

    Not by grant_read: it would write the function's role into the policy of a key that another stack owns.
    """
    known = list(secrets)
    function.allow(
        actions=["secretsmanager:GetSecretValue"],
        # A secret known by its name has six characters more in its ARN, which IAM wants to see.
        resources=[secret.secret_full_arn or f"{secret.secret_arn}-??????" for secret, _ in known],
    )
    keys = {key.node.path: key.key_arn for _, key in known if key is not None}
    if keys:
        function.allow(actions=["kms:Decrypt"], resources=list(keys.values()))
