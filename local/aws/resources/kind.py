"""What a CloudFormation resource type has to be able to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Properties = dict[str, Any]
"""A resource's properties, intrinsic functions resolved."""


@dataclass(frozen=True)
class Created:
    """A made resource: what ``Ref`` gives, and what ``Fn::GetAtt`` gives by attribute name."""

    physical_id: str
    attributes: dict[str, Any]


@dataclass(frozen=True)
class ResourceKind:
    """Create, update and delete of one type. Each raises ValueError with the reason when it cannot be done."""

    create: Callable[[str, Properties, str], Created]
    """From logical id, properties and stack name."""

    delete: Callable[[str, Properties], None]
    """By physical id and properties; a resource that has gone is no error."""

    update: Callable[[str, Properties, Properties], Created] | None = None
    """In place, by physical id, old and new properties. None: every change makes a new resource."""

    replacing: frozenset[str] = frozenset()
    """Properties whose change makes a new resource ("Update requires: Replacement")."""

    slow: bool = False
    """Whether it waits for something: then it runs in a thread of its own, for the server goes on answering."""
