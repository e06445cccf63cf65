"""What differs between two assemblies, resource by resource and property by property."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from catchment.review.assembly import Assembly, Resource

Path = tuple[str, ...]

IGNORED = {"AWS::CDK::Metadata"}
_HASH = re.compile(r"\b[0-9a-f]{64}\b")


@dataclass(frozen=True)
class Difference:
    """A property that has another value; None for a side where it is not set."""

    path: Path
    before: Any
    after: Any

    @property
    def top(self) -> str:
        """The property of the resource it lies in."""
        return self.path[0]

    @property
    def dotted(self) -> str:
        """Its name for people."""
        return ".".join(self.path)

    @property
    def asset(self) -> bool:
        """Whether it is the same but for the hash in the name of an asset."""
        return bool(without_hashes(self.before) == without_hashes(self.after))


@dataclass(frozen=True)
class Change:
    """A resource that comes (no ``before``), goes (no ``after``) or has other properties than before."""

    before: Resource | None
    after: Resource | None
    differences: tuple[Difference, ...] = ()

    @property
    def resource(self) -> Resource:
        """As it will be; as it was, where it goes."""
        found = self.after or self.before
        assert found is not None
        return found

    @property
    def key(self) -> tuple[str, str]:
        """Stack and logical id."""
        return self.resource.stack, self.resource.logical_id

    def differing(self, *tops: str) -> list[Difference]:
        """The differences within these properties."""
        return [difference for difference in self.differences if difference.top in tops]


def changes(before: Assembly, after: Assembly) -> Iterator[Change]:
    """Every resource that is not the same in both."""
    for name in dict.fromkeys((*before, *after)):
        old = before[name].resources if name in before else {}
        new = after[name].resources if name in after else {}
        for logical_id in dict.fromkeys((*old, *new)):
            change = _change(old.get(logical_id), new.get(logical_id))
            if change is not None and change.resource.type not in IGNORED:
                yield change


def _change(before: Resource | None, after: Resource | None) -> Change | None:
    if before is None or after is None:
        return Change(before, after)
    if before.type != after.type:  # CloudFormation refuses it; a new logical id is what CDK makes of it
        return Change(before, after, (Difference(("Type",), before.type, after.type),))
    found = tuple(differences(before.properties, after.properties))
    if not found and before.deletion_policy == after.deletion_policy:
        return None
    if before.deletion_policy != after.deletion_policy:
        found += (Difference(("DeletionPolicy",), before.deletion_policy, after.deletion_policy),)
    return Change(before, after, found)


def differences(before: Any, after: Any, path: Path = ()) -> Iterator[Difference]:
    """The deepest properties that differ. Lists are compared whole, JSON in a text by what it says."""
    before, after = document(before), document(after)
    if isinstance(before, Mapping) and isinstance(after, Mapping) and not (is_call(before) or is_call(after)):
        for name in dict.fromkeys((*before, *after)):
            yield from differences(before.get(name), after.get(name), (*path, name))
    elif before != after:
        yield Difference(path, before, after)


def document(value: Any) -> Any:
    """What a text that is a JSON object says; any other value as it is."""
    if isinstance(value, str) and value.startswith("{"):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def is_call(value: Mapping[str, Any]) -> bool:
    """Whether it is one of CloudFormation's functions."""
    return len(value) == 1 and (next(iter(value)) == "Ref" or next(iter(value)).startswith("Fn::"))


def without_hashes(value: Any) -> Any:
    """The value with ``(asset)`` for the hash of each asset in it."""
    return json.loads(_HASH.sub("(asset)", json.dumps(value)))
