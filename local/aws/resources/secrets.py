"""AWS::SecretsManager::RotationSchedule: kept; its function is called by whoever wants to see a rotation."""

from __future__ import annotations

from local.aws.resources.kind import Created, Properties, ResourceKind


def kinds() -> dict[str, ResourceKind]:
    """The type by name."""
    kind = ResourceKind(_create, lambda _identifier, _properties: None, _update)
    return {"AWS::SecretsManager::RotationSchedule": kind}


def _create(_logical_id: str, properties: Properties, _stack: str) -> Created:
    if str(properties.get("RotateImmediatelyOnUpdate", "true")).lower() != "false":
        raise ValueError("RotateImmediatelyOnUpdate: only false is emulated: nothing is rotated by itself")
    return Created(properties["SecretId"], {"Id": properties["SecretId"]})


def _update(_identifier: str, _old: Properties, new: Properties) -> Created:
    return _create("", new, "")
