"""How DMS reaches its endpoints: the source's address from its secret, the target's bucket, each as its role."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3

from local.dms.source import SourceAddress
from local.dms.target import FolderTarget, S3Target, Target, folder_of

Keys = Mapping[str, str]
"""Credentials in the words of boto3: aws_access_key_id, aws_secret_access_key, aws_session_token."""

AssumeRole = Callable[[str, str], Keys]
"""Gives a role's credentials to a service: (role ARN, service principal such as ``dms.amazonaws.com``)."""

_ROLES = "CATCHMENT_DMS_ROLES"


@dataclass(frozen=True)
class AwsAccess:
    """The AWS that endpoints live in, reached with ``keys`` or, for an endpoint that names a role, as that role.

    ``assume`` gives a role's credentials, ``roles`` holds those given already. Where there is neither, roles are
    not taken and DMS's own keys serve.
    """

    endpoint_url: str
    region: str
    keys: Keys = field(default_factory=dict)
    assume: AssumeRole | None = None
    roles: Mapping[str, Keys] = field(default_factory=dict)

    @classmethod
    def from_environment(cls) -> AwsAccess:
        """As the service told its task's process."""
        env = os.environ
        keys = {"aws_access_key_id": env["AWS_ACCESS_KEY_ID"], "aws_secret_access_key": env["AWS_SECRET_ACCESS_KEY"]}
        return cls(env["AWS_ENDPOINT_URL"], env["AWS_REGION"], keys, roles=json.loads(env.get(_ROLES, "{}")))

    def environment(self, endpoints: tuple[Mapping[str, Any], ...] = ()) -> dict[str, str]:
        """The same for the process of a task on those endpoints, which must not find any other AWS."""
        wanted = [self._role_of(endpoint) for endpoint in endpoints]
        roles = {role: dict(self.assume(role, principal)) for role, principal in wanted if role and self.assume}
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": self.keys["aws_access_key_id"],
            "AWS_SECRET_ACCESS_KEY": self.keys["aws_secret_access_key"],
            "AWS_REGION": self.region,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            _ROLES: json.dumps(roles),
        }

    def client(self, service: str, endpoint: Mapping[str, Any] | None = None) -> Any:
        """A client, as the endpoint's role where it names one."""
        role, principal = self._role_of(endpoint or {})
        keys = self.keys
        if role and role in self.roles:
            keys = self.roles[role]
        elif role and self.assume is not None:
            keys = self.assume(role, principal)
        named: dict[str, Any] = dict(keys)
        make: Any = boto3.Session(region_name=self.region, **named).client
        return make(service, endpoint_url=self.endpoint_url)

    def _role_of(self, endpoint: Mapping[str, Any]) -> tuple[str | None, str]:
        # the access role of a secret trusts the regional service principal (AWS DMS User Guide, Security)
        if "S3Settings" in endpoint:
            return endpoint["S3Settings"].get("ServiceAccessRoleArn"), "dms.amazonaws.com"
        role = endpoint.get("PostgreSQLSettings", {}).get("SecretsManagerAccessRoleArn")
        return role, f"dms.{self.region}.amazonaws.com"

    def source_address(self, endpoint: Mapping[str, Any]) -> SourceAddress:
        """The source's address from an endpoint record, secret resolved.

        Raises botocore's ClientError where the endpoint's role may not read the secret, KeyError where the secret
        lacks a field that DMS needs.
        """
        own = {**endpoint, **endpoint.get("PostgreSQLSettings", {})}
        if own.get("SecretsManagerSecretId"):
            reader = self.client("secretsmanager", endpoint)
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
        return S3Target(self.client("s3", {"S3Settings": settings}), settings)
