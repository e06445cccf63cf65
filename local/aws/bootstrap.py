"""A bootstrapped account: what ``cdk bootstrap`` would have left behind, as far as deployments ask for it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from local.aws.host import LocalAws

QUALIFIER = "hnb659fds"
"""CDK's default, which apps use unless they name another."""

VERSION = "30"
"""At least what the stacks' rules on their parameter BootstrapVersion ask for."""

ROLES = ("deploy", "file-publishing", "image-publishing", "lookup", "cfn-exec")


def bootstrap(aws: LocalAws) -> None:
    """Make the asset bucket, the version parameter, and the roles, which may do everything."""
    s3, ssm, iam = (aws.client(service) for service in ("s3", "ssm", "iam"))
    s3.create_bucket(Bucket=asset_bucket(aws.account, aws.region))
    ssm.put_parameter(Name=f"/cdk-bootstrap/{QUALIFIER}/version", Value=VERSION, Type="String", Overwrite=True)
    trust = _statement(
        Principal={"AWS": aws.account, "Service": "cloudformation.amazonaws.com"}, Action="sts:AssumeRole"
    )
    for role in ROLES:
        name = f"cdk-{QUALIFIER}-{role}-role-{aws.account}-{aws.region}"
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
        iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=_statement(Action="*", Resource="*"))


def asset_bucket(account: str, region: str) -> str:
    """Name of the bucket that assets are published to."""
    return f"cdk-{QUALIFIER}-assets-{account}-{region}"


def _statement(**statement: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})
