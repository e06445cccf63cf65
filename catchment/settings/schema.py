"""A JSON Schema of cdk.json, for editors: names, values that are allowed, and what each setting means."""

from __future__ import annotations

from typing import Any

from catchment.settings.models import Settings

_NOT_SAID = ("environment",)


def json_schema() -> dict[str, Any]:
    """The schema. No part requires anything: what ``defaults`` leave out an environment may say."""
    found = Settings.model_json_schema(ref_template="#/$defs/{model}")
    parts = {name: _optional(part) for name, part in found.pop("$defs").items()}
    parts["Environment"] = _optional(found)
    for name in _NOT_SAID:
        del parts["Environment"]["properties"][name]
    like = {"type": "string", "description": "The environment that this one overrides, in place of the defaults."}
    own = {**parts["Environment"], "properties": {"like": like, **parts["Environment"]["properties"]}}
    context = {
        "type": "object",
        "properties": {
            "env": {"type": "string", "description": "The environment where none is named by -c env=…"},
            "defaults": {"$ref": "#/$defs/Environment"},
            "environments": {"type": "object", "additionalProperties": own},
        },
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Catchment's settings in cdk.json",
        "type": "object",
        "properties": {"context": context},
        "$defs": parts,
    }


def _optional(part: dict[str, Any]) -> dict[str, Any]:
    """A part of which any setting may be left out, or taken away by null."""
    properties = {name: _nullable(field) for name, field in part.get("properties", {}).items()}
    return {**{name: value for name, value in part.items() if name != "required"}, "properties": properties}


def _nullable(field: dict[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {name: field[name] for name in ("description", "title") if name in field}
    if "anyOf" in field and {"type": "null"} in field["anyOf"]:
        return field
    inner = {name: value for name, value in field.items() if name not in described}
    return {**described, "anyOf": [inner, {"type": "null"}]}
