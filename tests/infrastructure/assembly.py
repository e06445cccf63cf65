"""A cloud assembly as the tests look at it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aws_cdk.assertions import Template

STACKS = ("Network", "Lake", "Sources", "Apply", "Replication", "Monitoring")

Resource = dict[str, Any]


class Assembly:
    """The folder that a synthesis wrote."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def json(self, stack: str) -> dict[str, Any]:
        """A stack's template."""
        return dict(json.loads((self.folder / f"{stack}.template.json").read_text()))

    def template(self, stack: str) -> Template:
        """A stack's template, for CDK's assertions."""
        return Template.from_json(self.json(stack))

    def resources(self, stack: str, kind: str) -> dict[str, Resource]:
        """The resources of one type, by logical id. Sources has none where somebody else runs every database."""
        found = self.json(stack).get("Resources", {}).items()
        return {logical_id: resource for logical_id, resource in found if resource["Type"] == kind}

    def properties(self, stack: str, kind: str) -> list[dict[str, Any]]:
        """The properties of each resource of one type."""
        return [resource.get("Properties", {}) for resource in self.resources(stack, kind).values()]

    def everywhere(self, kind: str) -> Iterator[tuple[str, Resource]]:
        """The resources of one type in any stack, with ``stack/logical id``."""
        for stack in STACKS:
            for logical_id, resource in self.resources(stack, kind).items():
                yield f"{stack}/{logical_id}", resource


def only(found: list[dict[str, Any]], **wanted: Any) -> dict[str, Any]:
    """The one whose properties are as wanted."""
    (match,) = [each for each in found if all(each.get(name) == value for name, value in wanted.items())]
    return match
