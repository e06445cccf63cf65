"""Buckets: what is dropped, when objects are deleted, who may reach them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from catchment.review.changes import Change
from catchment.review.context import Context, Rule, effect
from catchment.review.effects import Effect, Level
from catchment.review.nouns import called
from catchment.review.rules.generic import generic

_LIFECYCLE = "Amazon S3 User Guide, Expiring objects"
_BLOCKS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")


def bucket(change: Change, context: Context) -> Iterator[Effect]:
    """A bucket itself."""
    told = frozenset({"LifecycleConfiguration", "PublicAccessBlockConfiguration", "BucketEncryption"})
    yield from generic(change, context, told)
    if change.before is None or change.after is None or context.replacement(change) is not None:
        return
    before, after = change.before.properties, change.after.properties
    yield from _expiry(change, _days(before), _days(after))
    blocks = [each.get("PublicAccessBlockConfiguration", {}) for each in (before, after)]
    if opened := [name for name in _BLOCKS if blocks[0].get(name) and not blocks[1].get(name)]:
        words = f"takes {', '.join(opened)} off {called(change.resource)}: it can be made public"
        yield effect(Level.SECURITY, change.resource, words, "Amazon S3 User Guide, Blocking public access")
    if change.differing("BucketEncryption"):
        words = f"changes how new objects of {called(change.resource)} are encrypted; old ones stay as they are"
        yield effect(Level.SECURITY, change.resource, words, "Amazon S3 User Guide, Default encryption")


def emptied(change: Change, context: Context) -> Iterator[Effect]:
    """The custom resource that empties a bucket before it is deleted."""
    if change.before is None:
        words = f"lets {change.resource.name} be emptied when its bucket goes: removing the stack then drops the data"
        yield effect(Level.SECURITY, change.resource, words, "settings: destroy_data")
    elif change.after is None:
        yield effect(Level.DATA_LOSS, change.resource, f"empties the bucket of {change.resource.name}")
    else:
        yield from generic(change, context)


def _days(properties: Mapping[str, Any]) -> dict[str, int]:
    """Days until objects are deleted, by the rule's prefix."""
    rules = properties.get("LifecycleConfiguration", {}).get("Rules", [])
    return {
        str(rule.get("Prefix", "")): rule["ExpirationInDays"]
        for rule in rules
        if rule.get("Status") == "Enabled" and isinstance(rule.get("ExpirationInDays"), int)
    }


def _expiry(change: Change, before: Mapping[str, int], after: Mapping[str, int]) -> Iterator[Effect]:
    for prefix in dict.fromkeys((*before, *after)):
        old, new = before.get(prefix), after.get(prefix)
        where = f"objects of {called(change.resource)}" + (f" below {prefix}" if prefix else "")
        kept = f"instead of {old} days" if old is not None else "instead of for good"
        if new is not None and (old is None or new < old):
            yield effect(Level.DATA_LOSS, change.resource, f"deletes {where} after {new} days {kept}", _LIFECYCLE)
        elif new is None and old is not None:
            yield effect(Level.COST, change.resource, f"keeps {where} for good {kept}", _LIFECYCLE)
        elif new is not None and old is not None and new > old:
            yield effect(Level.COST, change.resource, f"keeps {where} for {new} days {kept}", _LIFECYCLE)


RULES: dict[str, Rule] = {"AWS::S3::Bucket": bucket, "Custom::EmptiedBucket": emptied}
