"""How DMS reaches its endpoints: the source's address from its secret, the target's bucket, each as its role."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3

from local.dms.source import SourceAddress
from local.dms.target import FolderTarget, S3Target, Target, folder_of


@dataclass(frozen=True)
class AwsAccess:
    """The AWS that endpoints live in. DMS itself may do anything; what it does for an endpoint it does as its role."""

    endpoint_url: str
    key_id: str
    key: str
    region: str

    @classmethod
    def from_environment(cls) -> AwsAccess:
        """As the service told its task's process."""
        env = os.environ
        return cls(
            env.get("AWS_ENDPOINT_URL", ""), env.get("AWS_ACCESS_KEY_ID", ""), env.get("AWS_SECRET_ACCESS_KEY", ""),
            env.get("AWS_REGION", ""),
        )  # fmt: skip

    def environment(self) -> dict[str, str]:
        """The same for a task's process, which must not find any other AWS."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": self.key_id,
            "AWS_SECRET_ACCESS_KEY": self.key,
            "AWS_REGION": self.region,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, service: str, role: str | None = None) -> Any:
        """A client, as the role where one is given. Raises botocore's ClientError when it may not be assumed."""
        keys: dict[str, Any] = {"aws_access_key_id": self.key_id, "aws_secret_access_key": self.key}
        if role:
            granted = self.client("sts").assume_role(RoleArn=role, RoleSessionName="dms-session-for-replication-task")
            given = granted["Credentials"]
            keys = {
                "aws_access_key_id": given["AccessKeyId"],
                "aws_secret_access_key": given["SecretAccessKey"],
                "aws_session_token": given["SessionToken"],
            }
        make: Any = boto3.Session(region_name=self.region, **keys).client
        return make(service, endpoint_url=self.endpoint_url)

    def source_address(self, endpoint: Mapping[str, Any]) -> SourceAddress:
        """The source's address from an endpoint record, secret resolved.

        Raises botocore's ClientError where the endpoint's role may not read the secret, KeyError where the secret
        lacks a field that DMS needs.
        """
        own = {**endpoint, **endpoint.get("PostgreSQLSettings", {})}
        if own.get("SecretsManagerSecretId"):
            reader = self.client("secretsmanager", own.get("SecretsManagerAccessRoleArn"))
            value = reader.get_secret_value(SecretId=own["SecretsManagerSecretId"])["SecretString"]
            secret = json.loads(value)
        else:
            names = {"host": "ServerName", "port": "Port", "username": "Username", "password": "Password"}
            secret = {field: own[name] for field, name in names.items()}
        return SourceAddress(
            secret["host"], int(secret["port"]), secret["username"], secret["password"], own["DatabaseName"]
        )

    def target(self, url: str, settings: Mapping[str, Any]) -> Target:
        """The place that ``s3://bucket`` or ``file:///folder`` names, with S3Settings for the former."""
        folder = folder_of(url)
        if folder is not None:
            return FolderTarget(folder)
        return S3Target(self.client("s3", settings["ServiceAccessRoleArn"]), settings)
