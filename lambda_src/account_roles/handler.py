"""Custom resource: the roles that DMS looks up by name, made where the account has none, and never taken away.

AWS Database Migration Service User Guide, "Creating the IAM roles to use with AWS DMS".
"""

from __future__ import annotations

from typing import Any

import boto3

from lambda_src.account_roles.roles import AccountRole
from lambda_src.waiting import waiting_custom_resource


@waiting_custom_resource(physical_id=lambda event: str(event["LogicalResourceId"]))
def handler(event: dict[str, Any], memory: dict[str, Any]) -> str | None:
    """Create and update make what is missing and wait until it is seen; delete does nothing: others use the roles."""
    if event["RequestType"] == "Delete":
        return None
    properties = event["ResourceProperties"]
    iam = boto3.client("iam")
    for name, policy_arn in sorted(properties["Roles"].items()):
        role = AccountRole(iam, name, policy_arn, boundary_arn=properties.get("BoundaryArn"))
        if (waited_for := role.ensure(memory.setdefault(name, []))) is not None:
            return waited_for
    return None
