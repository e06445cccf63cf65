"""A cloud assembly (``cdk.out``) as stacks and resources with the names people know them by."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from catchment.errors import SettingsError

Properties = Mapping[str, Any]

_LOGICAL_ID = "aws:cdk:logicalId"
_GENERIC = {"Resource", "Default"}
_NAMES = (
    "BucketName",
    "DBInstanceIdentifier",
    "FunctionName",
    "Name",
    "QueueName",
    "ReplicationInstanceIdentifier",
    "ReplicationTaskIdentifier",
    "TableName",
    "TopicName",
)


@dataclass(frozen=True)
class Resource:
    """One resource of a template. ``name`` is for people: its construct path, without what every path has."""

    stack: str
    logical_id: str
    type: str
    name: str
    properties: Properties
    deletion_policy: str
    replace_policy: str

    @property
    def fixed_name(self) -> str | None:
        """The name the template gives it, which nothing else may have at the same time; None where AWS makes one up."""
        for field_name in _NAMES:
            if isinstance(found := self.properties.get(field_name), str):
                return found
        return None


@dataclass(frozen=True)
class Stack:
    """One stack: resources by logical id, what it exports, by name, and the contracts of tables that it publishes."""

    name: str
    resources: Mapping[str, Resource]
    exports: Mapping[str, Any] = field(default_factory=dict)
    contracts: Mapping[str, Any] = field(default_factory=dict)
    """By source: the ``landing`` and ``tables`` of a tables file."""
    deployed_as: str = ""
    """What CloudFormation knows it by; empty where nobody said."""


Assembly = Mapping[str, Stack]
"""Stacks by their name in the app (``Replication``), in the order they are deployed."""


def read_assembly(folder: Path) -> dict[str, Stack]:
    """Read what ``cdk synth`` wrote. Raises SettingsError where ``folder`` is not a cloud assembly."""
    manifest = folder / "manifest.json"
    if not manifest.is_file():
        raise SettingsError("diff", "assembly", str(folder), "allowed is a folder that cdk synth wrote (cdk.out)")
    artifacts = json.loads(manifest.read_text(encoding="utf-8"))["artifacts"]
    return {
        artifact.get("displayName", name): _stack(folder, name, artifact)
        for name, artifact in artifacts.items()
        if artifact["type"] == "aws:cloudformation:stack"
    }


def _stack(folder: Path, artifact_name: str, artifact: Mapping[str, Any]) -> Stack:
    template = json.loads((folder / artifact["properties"]["templateFile"]).read_text(encoding="utf-8"))
    name = artifact.get("displayName", artifact_name)
    paths = dict(_paths(folder, artifact))
    resources = {
        logical_id: _resource(name, logical_id, paths.get(logical_id, logical_id), found)
        for logical_id, found in template.get("Resources", {}).items()
    }
    outputs = template.get("Outputs", {}).values()
    exports = {output["Export"]["Name"]: output["Value"] for output in outputs if "Export" in output}
    deployed_as = artifact["properties"].get("stackName", artifact_name)
    return Stack(name, resources, exports, _contracts(folder, artifact_name), deployed_as)


def _contracts(folder: Path, artifact_name: str) -> dict[str, Any]:
    """The asset that holds tables files by source, told by what is in it."""
    listed = folder / f"{artifact_name}.assets.json"
    if not listed.is_file():
        return {}
    for asset in json.loads(listed.read_text(encoding="utf-8"))["files"].values():
        path = folder / asset["source"].get("path", "")  # none: built by a command when it is published
        if asset["source"].get("packaging") == "file" and path.suffix == ".json" and not path.match("*.template.json"):
            found = json.loads(path.read_text(encoding="utf-8"))
            if isinstance(found, dict) and found and all("tables" in source for source in found.values()):
                return found
    return {}


def _paths(folder: Path, artifact: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Construct paths by logical id."""
    metadata = artifact.get("metadata", {})
    if file := artifact.get("additionalMetadataFile"):
        metadata = {**metadata, **json.loads((folder / file).read_text(encoding="utf-8"))}
    for path, entries in metadata.items():
        for entry in entries:
            if entry["type"] == _LOGICAL_ID:
                yield entry["data"], path


def _resource(stack: str, logical_id: str, path: str, found: Mapping[str, Any]) -> Resource:
    words = [part for part in path.strip("/").split("/") if part not in _GENERIC]
    name = "/".join(words[1:] if len(words) > 1 and words[0] == stack else words)
    policy = str(found.get("DeletionPolicy", "Delete"))
    return Resource(
        stack,
        logical_id,
        found["Type"],
        name,
        found.get("Properties", {}),
        policy,
        str(found.get("UpdateReplacePolicy", "Delete")),
    )
