"""IAM and resource policies: what somebody may do from now on, and may no more."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from catchment.review.assembly import Assembly, Resource
from catchment.review.changes import Change, without_hashes
from catchment.review.context import Context, Rule, effect
from catchment.review.effects import Effect, Level
from catchment.review.names import words_for
from catchment.review.nouns import called
from catchment.review.rules.generic import generic

_SOURCE = "AWS IAM User Guide, Policy evaluation logic"
_DOCUMENTS = ("PolicyDocument", "AssumeRolePolicyDocument", "Policies")
_WHOLE = frozenset((*_DOCUMENTS, "ManagedPolicyArns"))
_SHOWN = 3

Grant = tuple[str, str, str, str, str]
"""Effect, action, resource, principal, condition."""


def policy(change: Change, context: Context) -> Iterator[Effect]:
    """A role or a policy: the single grants that come and go, not the documents' text."""
    granted = list(_granted(change, context))
    yield from granted
    others = [difference for difference in change.differences if difference.top not in _WHOLE]
    if others:
        yield from generic(change, context, _WHOLE)
    elif not granted and change.before and change.after:
        words = f"writes {called(change.resource)} otherwise, with the same permissions"
        yield effect(Level.NONE, change.resource, words, _SOURCE)
    elif not granted:
        yield from generic(change, context)


def _granted(change: Change, context: Context) -> Iterator[Effect]:
    before, after = set(_grants(change.before, context.before)), set(_grants(change.after, context.after))
    name = called(change.resource)
    come, gone = sorted(after - before), sorted(before - after)
    yield from _told(change, come, f"adds an IAM permission to {name}", "Allow", Level.SECURITY)
    yield from _told(change, gone, f"takes an IAM permission from {name}", "Allow", Level.NONE)
    yield from _told(change, come, f"adds a denial to {name}", "Deny", Level.SECURITY)
    yield from _told(change, gone, f"takes a denial from {name}", "Deny", Level.SECURITY)
    attached = _attached(change.after, context.after) - _attached(change.before, context.before)
    for policy_name in sorted(attached):
        yield effect(Level.SECURITY, change.resource, f"attaches {policy_name} to {name}", _SOURCE)


def _attached(resource: Resource | None, assembly: Assembly) -> set[str]:
    managed = resource.properties.get("ManagedPolicyArns", []) if resource else []
    return {words_for(arn, resource.stack, assembly) for arn in managed} if resource else set()


def _told(change: Change, found: list[Grant], words: str, kind: str, level: Level) -> Iterator[Effect]:
    """One effect for each resource that grants name, with its actions."""
    by_target: dict[tuple[str, str, str], list[str]] = {}
    for allowed, action, target, principal, condition in found:
        if allowed == kind:
            by_target.setdefault((target, principal, condition), []).append(action)
    for (target, principal, condition), actions in by_target.items():
        shown = ", ".join(actions[:_SHOWN]) + (f" and {len(actions) - _SHOWN} more" if len(actions) > _SHOWN else "")
        sentence = f"{words}: {shown}" + (f" on {target}" if target else "") + (f" by {principal}" if principal else "")
        yield effect(level, change.resource, sentence + (" under a condition" if condition else ""), _SOURCE)


def _grants(resource: Resource | None, assembly: Assembly) -> Iterator[Grant]:
    if resource is None:
        return
    text = partial(words_for, stack=resource.stack, assembly=assembly)
    for document in _documents(without_hashes(dict(resource.properties))):
        for statement in _several(document.get("Statement", [])):
            actions = _several(statement.get("Action", statement.get("NotAction", [])))
            targets = _several(statement.get("Resource", statement.get("NotResource", ""))) or [""]
            condition = json.dumps(statement.get("Condition", ""), sort_keys=True) if "Condition" in statement else ""
            principal = text(statement["Principal"]) if "Principal" in statement else ""
            denied = "not " if "NotAction" in statement else ""
            for action in actions:
                for target in targets:
                    yield statement.get("Effect", "Allow"), denied + action, text(target), principal, condition


def _documents(properties: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for name in _DOCUMENTS[:2]:
        if name in properties:
            yield properties[name]
    for inline in properties.get("Policies", []):
        yield inline.get("PolicyDocument", {})


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


RULES: dict[str, Rule] = dict.fromkeys(
    (
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::S3::BucketPolicy",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
    ),
    policy,
)
