"""Which resources CloudFormation makes anew, because of what changed in them or in what they refer to."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER, ResourceNotFoundError

from catchment.review.assembly import Assembly
from catchment.review.changes import Change, Path, is_call

_REGION = "us-east-1"
Key = tuple[str, str]


@dataclass(frozen=True)
class Replacement:
    """``because``: the property, or the resource whose replacement is passed on by a reference."""

    because: str
    certain: bool = True


@lru_cache(maxsize=256)
def create_only(resource_type: str) -> tuple[frozenset[Path], frozenset[Path]]:
    """Properties whose change replaces a resource of the type, always and sometimes.

    From the CloudFormation resource schemas that cfn-lint ships (createOnlyProperties,
    conditionalCreateOnlyProperties); none for a type that has no schema.
    """
    try:
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(_REGION, resource_type).schema
    except ResourceNotFoundError:
        return frozenset(), frozenset()
    always, sometimes = (
        frozenset(tuple(pointer.split("/")[2:]) for pointer in schema.get(name, ()))
        for name in ("createOnlyProperties", "conditionalCreateOnlyProperties")
    )
    return always, sometimes


def replacements(found: Iterable[Change], after: Assembly) -> dict[Key, Replacement]:
    """Replaced resources by stack and logical id; passed on along references, also those between stacks."""
    replaced: dict[Key, Replacement] = {}
    for change in found:
        if change.before is not None and change.after is not None and (why := _of_itself(change)) is not None:
            replaced[change.key] = why
    readers = _readers(after)
    waiting = [key for key, why in replaced.items() if why.certain]
    while waiting:
        key = waiting.pop()
        for reader, path in readers.get(key, ()):
            if reader not in replaced and _matches(path, create_only(_type(after, reader))[0]):
                replaced[reader] = Replacement(f"{'.'.join(path)} is that of {key[1]}, which is replaced")
                waiting.append(reader)
    return replaced


def _of_itself(change: Change) -> Replacement | None:
    always, sometimes = create_only(change.resource.type)
    for difference in change.differences:
        if difference.top == "Type" or _matches(difference.path, always):
            return Replacement(difference.dotted)
    for difference in change.differences:
        if _matches(difference.path, sometimes):
            return Replacement(difference.dotted, certain=False)
    return None


def _matches(path: Path, pointers: frozenset[Path]) -> bool:
    """Whether the property is one of them, lies in one of them, or holds one of them."""
    return any(path[: len(pointer)] == pointer or pointer[: len(path)] == path for pointer in pointers)


def _type(assembly: Assembly, key: Key) -> str:
    return assembly[key[0]].resources[key[1]].type


def _readers(assembly: Assembly) -> Mapping[Key, list[tuple[Key, Path]]]:
    """Who refers to a resource, and in which property."""
    exported = {
        name: target
        for stack in assembly.values()
        for name, value in stack.exports.items()
        for target in _targets(stack.name, value, {})
    }
    found: dict[Key, list[tuple[Key, Path]]] = defaultdict(list)
    for stack in assembly.values():
        for resource in stack.resources.values():
            for path, value in _leaves(resource.properties):
                for target in _targets(stack.name, value, exported):
                    found[target].append(((stack.name, resource.logical_id), path))
    return found


def _leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Calls of functions and plain values, with the properties they are in; places in lists are left out."""
    if isinstance(value, Mapping) and not is_call(value):
        for name, inner in value.items():
            yield from _leaves(inner, (*path, name))
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, path)
    else:
        yield path, value


def _targets(stack: str, value: Any, exported: Mapping[str, Key]) -> Iterator[Key]:
    """What a value refers to, however deep."""
    if isinstance(value, list):
        for inner in value:
            yield from _targets(stack, inner, exported)
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            if name == "Ref":
                yield stack, inner
            elif name == "Fn::GetAtt":
                yield stack, inner[0] if isinstance(inner, list) else inner.split(".")[0]
            elif name == "Fn::ImportValue" and isinstance(inner, str):
                yield from [exported[inner]] if inner in exported else []
            elif name == "Fn::Sub":
                text = inner if isinstance(inner, str) else inner[0]
                yield from ((stack, found) for found in re.findall(r"\$\{([A-Za-z0-9]+)", text))
            else:
                yield from _targets(stack, inner, exported)
