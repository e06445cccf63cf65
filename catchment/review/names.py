"""Values of templates in words: what they refer to, by the name people know it by."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from catchment.review.assembly import Assembly
from catchment.review.changes import is_call

_PSEUDO = "AWS::"


def words_for(value: Any, stack: str, assembly: Assembly) -> str:
    """``Landing/Bucket.Arn/*`` for the join of a bucket's ARN and ``/*``; references between stacks are followed."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return ", ".join(words_for(each, stack, assembly) for each in value)
    if isinstance(value, Mapping) and is_call(value):
        [(call, inner)] = value.items()
        return _call(call, inner, stack, assembly)
    if isinstance(value, Mapping) and len(value) == 1:
        return words_for(next(iter(value.values())), stack, assembly)
    return json.dumps(value, sort_keys=True)


def _call(call: str, inner: Any, stack: str, assembly: Assembly) -> str:
    if call == "Fn::Join":
        return str(inner[0]).join(words_for(each, stack, assembly) for each in inner[1])
    if call == "Ref":
        return str(inner).removeprefix(_PSEUDO) if inner.startswith(_PSEUDO) else _name(inner, stack, assembly)
    if call == "Fn::GetAtt":
        logical_id, attribute = inner if isinstance(inner, list) else inner.split(".", 1)
        return _name(logical_id, stack, assembly) + ("" if attribute in ("Arn", "GroupId") else f".{attribute}")
    if call == "Fn::ImportValue" and isinstance(inner, str):
        for other in assembly.values():
            if inner in other.exports:
                return words_for(other.exports[inner], other.name, assembly)
        return inner.rsplit(":", 1)[-1]
    return json.dumps({call: inner}, sort_keys=True)


def _name(logical_id: str, stack: str, assembly: Assembly) -> str:
    found = assembly[stack].resources.get(logical_id) if stack in assembly else None
    return (found.fixed_name or found.name) if found else logical_id
