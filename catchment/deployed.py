"""What is deployed of an environment: the outputs of its stacks, and its databases."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from catchment.engines.client_text import Target
from catchment.engines.connection import is_here
from catchment.engines.trust import Trust
from catchment.errors import SettingsError
from catchment.settings import SourceSettings

RDS_CERTIFICATES_URL = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"
RDS_CERTIFICATES = "global-bundle.pem"


def stack_outputs(environment: str, stacks: Sequence[str]) -> dict[str, str]:
    """The outputs of these stacks. Raises SettingsError, which names ``environment``, where one cannot be read."""
    formation, found = boto3.client("cloudformation"), dict[str, str]()
    for stack in stacks:
        try:
            [described] = formation.describe_stacks(StackName=stack)["Stacks"]
        except (ClientError, BotoCoreError) as error:
            raise SettingsError(
                "command line", "--env", environment, f"the stack {stack} cannot be read: {error}"
            ) from error
        found |= {each["OutputKey"]: each["OutputValue"] for each in described.get("Outputs", [])}
    return found


def source_login(environment: str, stack_prefix: str, name: str) -> dict[str, Any]:
    """The secret of a deployed source: host, port, username, password. Raises SettingsError."""
    outputs = stack_outputs(environment, [f"{stack_prefix}-{environment}-sources"])
    return read_secret(environment, outputs[f"{name.replace('-', '')}SecretArn"])


def read_secret(environment: str, arn: str) -> dict[str, Any]:
    """A secret that is a JSON object. Raises SettingsError, which names ``environment``, where it cannot be read."""
    try:
        value = boto3.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
    except (ClientError, BotoCoreError) as error:
        raise SettingsError(
            "command line", "--env", environment, f"the secret {arn} cannot be read: {error}"
        ) from error
    return dict(json.loads(value))


def replica_login(environment: str, stack_prefix: str) -> dict[str, Any]:
    """The same of the deployed replica."""
    outputs = stack_outputs(environment, [f"{stack_prefix}-{environment}-replica"])
    return read_secret(environment, outputs["ReplicaSecretArn"])


def database_target(login: Mapping[str, Any], database: str, certificate: str | None, *, with_password: bool) -> Target:
    """A database as a client is to reach it; one on this machine is spoken to without TLS."""
    host = str(login["host"])
    return Target(
        host=host,
        port=int(login["port"]),
        database=database,
        user=str(login["username"]),
        password=str(login["password"]) if with_password else None,
        encrypted=not is_here(host),
        certificate=None if is_here(host) else certificate,
    )


def source_trust(source: SourceSettings) -> Trust:
    """Whose certificate is taken: RDS has ones that can be verified, whatever DMS has been given."""
    verified = source.rds is not None or source.dms_ssl_mode.startswith("verify-")
    return Trust(verified, Path(source.certificate_file) if source.certificate_file is not None else None)
