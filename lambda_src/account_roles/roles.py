"""A role that belongs to the account: looked at, and completed one step at a time."""

from __future__ import annotations

import json
import logging
from typing import Any

DMS = "dms.amazonaws.com"
DESCRIPTION = "AWS DMS looks this role up by its name; every replication instance of the account uses it"

_LOG = logging.getLogger(__name__)


class NotForDms(Exception):
    """There is a role of that name, and DMS may not take it."""


class AccountRole:
    """The role ``name``, with the managed policy that DMS documents for it. ``iam`` is a boto3 client.

    What somebody else made stays as it is, but for that policy where it is missing.
    """

    def __init__(self, iam: Any, name: str, policy_arn: str, *, boundary_arn: str | None = None) -> None:
        self._iam, self._name, self._policy, self._boundary = iam, name, policy_arn, boundary_arn

    def ensure(self, done: list[str]) -> str | None:
        """Make what is missing; says what has to be seen yet, None once all is. ``done`` remembers what was made.

        Raises NotForDms where another role has the name.
        """
        role = self._find()
        if role is None:
            if "created" not in done:
                self._create()
                done.append("created")
            return f"the role {self._name} is not seen yet"
        if not _trusts_dms(role["AssumeRolePolicyDocument"]):
            raise NotForDms(
                f"{role['Arn']}: its trust policy does not let {DMS} take it; DMS uses the role of that name"
            )
        if not self._has_policy():
            if "attached" not in done:
                _LOG.info("%s: attach %s", self._name, self._policy)
                self._iam.attach_role_policy(RoleName=self._name, PolicyArn=self._policy)
                done.append("attached")
            return f"{self._policy} is not seen at the role {self._name} yet"
        return None

    def _find(self) -> dict[str, Any] | None:
        try:
            return dict(self._iam.get_role(RoleName=self._name)["Role"])
        except self._iam.exceptions.NoSuchEntityException:
            return None

    def _create(self) -> None:
        _LOG.info("%s: create", self._name)
        trust = {"Effect": "Allow", "Principal": {"Service": DMS}, "Action": "sts:AssumeRole"}
        boundary = {"PermissionsBoundary": self._boundary} if self._boundary else {}
        try:
            self._iam.create_role(
                RoleName=self._name,
                AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
                Description=DESCRIPTION,
                **boundary,
            )
        except self._iam.exceptions.EntityAlreadyExistsException:
            _LOG.info("%s: somebody else was faster", self._name)

    def _has_policy(self) -> bool:
        pages = self._iam.get_paginator("list_attached_role_policies").paginate(RoleName=self._name)
        return any(each["PolicyArn"] == self._policy for page in pages for each in page["AttachedPolicies"])


def _trusts_dms(document: dict[str, Any]) -> bool:
    """Whether a trust policy names the service. A condition is not evaluated: whoever wrote it will have meant it."""
    statements = document["Statement"]
    for statement in statements if isinstance(statements, list) else [statements]:
        principal = statement.get("Principal", {})
        services = principal.get("Service", []) if isinstance(principal, dict) else []
        if statement["Effect"] == "Allow" and DMS in ([services] if isinstance(services, str) else services):
            return True
    return False
