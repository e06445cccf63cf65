"""How DMS reaches its endpoints: the source's address from its secret, the target's bucket, each as its role."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
import botocore.session
from boto3.exceptions import Boto3Error
from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
from botocore.exceptions import BotoCoreError, ClientError

from local.dms.address import SourceAddress
from local.dms.settings import SOURCE_SETTINGS
from local.dms.target import FolderTarget, S3Target, Target, folder_of

AWS_ERRORS = (ClientError, BotoCoreError, Boto3Error)
"""What a call to AWS raises when it fails."""

SESSION_NAME = "dms-session-for-replication-task"
"""The role session by which DMS is known, so that the local AWS judges a role's trust as that in the service."""


@dataclass(frozen=True)
class AwsAccess:
    """The AWS that endpoints live in. An endpoint that names a role is reached as that role."""

    endpoint_url: str
    region: str
    key_id: str = ""
    key: str = ""

    @classmethod
    def from_environment(cls) -> AwsAccess:
        """As the service told its task's process."""
        env = os.environ
        return cls(env["AWS_ENDPOINT_URL"], env["AWS_REGION"], env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"])

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
        """A client, as the role where one is given; its credentials are renewed as long as it is used.

        Its first call raises botocore's ClientError when the role may not be assumed.
        """
        session = botocore.session.Session()
        session.set_credentials(self.key_id, self.key)
        if role:
            fetcher = AssumeRoleCredentialFetcher(
                lambda name, **keys: session.create_client(
                    name, endpoint_url=self.endpoint_url, **{**keys, "region_name": self.region}
                ),
                session.get_credentials(),
                role,
                extra_args={"RoleSessionName": SESSION_NAME},
            )
            assumed = DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")
            session = botocore.session.Session()
            # botocore has no public way to give a session credentials that renew themselves
            session._credentials = assumed  # type: ignore[attr-defined]
        make: Any = boto3.Session(botocore_session=session, region_name=self.region).client
        return make(service, endpoint_url=self.endpoint_url)

    def source_address(self, endpoint: Mapping[str, Any]) -> SourceAddress:
        """The source's address from an endpoint record, secret resolved.

        Raises botocore's ClientError where the endpoint's role may not read the secret, KeyError where the secret
        lacks a field that DMS needs.
        """
        own = {**endpoint, **endpoint.get(SOURCE_SETTINGS[endpoint["EngineName"]], {})}
        if own.get("SecretsManagerSecretId"):
            reader = self.client("secretsmanager", own.get("SecretsManagerAccessRoleArn"))
            value = reader.get_secret_value(SecretId=own["SecretsManagerSecretId"])["SecretString"]
            secret = json.loads(value)
        else:
            names = {"host": "ServerName", "port": "Port", "username": "Username", "password": "Password"}
            secret = {field: own[name] for field, name in names.items()}
        return SourceAddress(
            secret["host"], int(secret["port"]), secret["username"], secret["password"], own.get("DatabaseName") or ""
        )

    def target(self, url: str, settings: Mapping[str, Any]) -> Target:
        """The place that ``s3://bucket`` or ``file:///folder`` names, with S3Settings for the former."""
        folder = folder_of(url)
        if folder is not None:
            return FolderTarget(folder)
        return S3Target(self.client("s3", settings["ServiceAccessRoleArn"]), settings)
