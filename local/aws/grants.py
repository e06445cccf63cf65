"""Which rights of deployed roles have been used so far, and which not."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

from local.aws.host import LocalAws

USED = "used.jsonl"
"""In the folder of the local AWS: role, action and resource of each kind of request that a role was allowed."""


class Grant(NamedTuple):
    """One action on one resource, both as the policy spells them."""

    role: str
    action: str
    resource: str


def granted(aws: LocalAws) -> set[Grant]:
    """What the inline policies of all roles allow now."""
    return set(_granted(aws.client("iam")))


def unused(grants: set[Grant], folder: Path) -> list[Grant]:
    """Those that no request so far needed."""
    used: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for line in (folder / USED).read_text().splitlines():
        use = json.loads(line)
        used[use["role"]].append((use["action"], use["resource"]))
    return sorted(
        grant for grant in grants if not any(_matches(grant, action, resource) for action, resource in used[grant.role])
    )


def _matches(grant: Grant, action: str, resource: str) -> bool:
    return fnmatchcase(action.lower(), grant.action.lower()) and fnmatchcase(resource, grant.resource)


def _granted(iam: Any) -> Iterator[Grant]:
    for page in iam.get_paginator("list_roles").paginate():
        for role in (each["RoleName"] for each in page["Roles"]):
            for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
                document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
                for statement in document["Statement"]:
                    if statement["Effect"] == "Allow":
                        for action in _list(statement["Action"]):
                            yield from (Grant(role, action, resource) for resource in _list(statement["Resource"]))


def _list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]
