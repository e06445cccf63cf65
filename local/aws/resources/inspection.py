"""Look through a template for what the local AWS would not do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from local.aws.resources.conditions import EVALUATED, is_evaluated
from local.aws.resources.coverage import Coverage

POLICY_TYPES = frozenset({"AWS::IAM::Role", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"})
"""Types whose policies decide what a function may do; trust policies are not asked here."""


def objections(
    template: Mapping[str, Any], conditions: Mapping[str, bool], coverage: Mapping[str, Coverage]
) -> list[str]:
    """One line for each resource type, property or policy condition that is not emulated; empty when all is well."""
    found = []
    for logical_id, resource in sorted((template.get("Resources") or {}).items()):
        condition = resource.get("Condition")
        if condition and not conditions.get(condition, True):
            continue
        kind = resource["Type"]
        known = _coverage(kind, coverage)
        if known is None:
            found.append(f"{logical_id}: resource type {kind} is not emulated")
            continue
        properties = resource.get("Properties") or {}
        found += [f"{logical_id} ({kind}): property {name} is not emulated" for name in known.unknown(properties)]
        if kind in POLICY_TYPES:
            found += [
                f"{logical_id} ({kind}): policy condition {key} is not evaluated; evaluated are {', '.join(EVALUATED)}"
                for key in sorted(set(_condition_keys(properties)))
                if not is_evaluated(key)
            ]
    return found


def _coverage(kind: str, coverage: Mapping[str, Coverage]) -> Coverage | None:
    if kind.startswith("Custom::") or kind == "AWS::CloudFormation::CustomResource":
        return Coverage(any_property=True)
    return coverage.get(kind)


def _condition_keys(properties: Mapping[str, Any]) -> Iterator[str]:
    for document in _identity_documents(properties):
        statements = document.get("Statement", [])
        for statement in statements if isinstance(statements, list) else [statements]:
            for tests in (statement.get("Condition") or {}).values():
                yield from tests


def _identity_documents(properties: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if "PolicyDocument" in properties:
        yield properties["PolicyDocument"]
    for policy in properties.get("Policies") or []:
        yield policy["PolicyDocument"]
