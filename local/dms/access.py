"""How a task reaches its endpoints: the source's address from its secret, the target's bucket, as their roles."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import boto3

from local.dms.plan import TaskPlan
from local.dms.source import SourceAddress
from local.dms.target import FolderTarget, S3Target, Target, folder_of


def source_address(endpoint: Mapping[str, Any]) -> SourceAddress:
    """The source's address from an endpoint as the API describes it, secret resolved.

    Raises botocore's ClientError where the endpoint's role may not read the secret, KeyError where the secret lacks
    a field that DMS needs.
    """
    own = {**endpoint, **endpoint.get("PostgreSQLSettings", {})}
    secret_id = own.get("SecretsManagerSecretId")
    if secret_id:
        client = _session(own.get("SecretsManagerAccessRoleArn")).client("secretsmanager")
        secret = json.loads(client.get_secret_value(SecretId=secret_id)["SecretString"])
    else:
        secret = {
            "host": own["ServerName"],
            "port": own["Port"],
            "username": own["Username"],
            "password": own["Password"],
        }
    return SourceAddress(
        secret["host"], int(secret["port"]), secret["username"], secret["password"], own["DatabaseName"]
    )


def target_of(plan: TaskPlan) -> Target:
    """The place a task writes to."""
    folder = folder_of(plan.target_url)
    if folder is not None:
        return FolderTarget(folder)
    return S3Target(_session(plan.s3["ServiceAccessRoleArn"]).client("s3"), plan.s3)


def _session(role: str | None) -> boto3.Session:
    if not role:
        return boto3.Session()
    granted = boto3.client("sts").assume_role(RoleArn=role, RoleSessionName="dms-session-for-replication-task")
    keys = granted["Credentials"]
    return boto3.Session(
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
