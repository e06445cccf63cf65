"""Security groups: which ports open, to whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from catchment.review.assembly import Assembly, Resource
from catchment.review.changes import Change
from catchment.review.context import Context, Rule, effect
from catchment.review.effects import Effect, Level
from catchment.review.names import words_for
from catchment.review.nouns import called
from catchment.review.rules.generic import generic

_SOURCE = "Amazon VPC User Guide, Security group rules"
_INLINE = {"SecurityGroupIngress": "from", "SecurityGroupEgress": "to"}
_PEERS = ("CidrIp", "CidrIpv6", "SourceSecurityGroupId", "DestinationSecurityGroupId", "SourcePrefixListId",
          "DestinationPrefixListId")  # fmt: skip


def group(change: Change, context: Context) -> Iterator[Effect]:
    """A security group with the rules inside it."""
    yield from generic(change, context, frozenset(_INLINE))
    for name, direction in _INLINE.items():
        before, after = (_rules(resource, name) for resource in (change.before, change.after))
        where = called(change.resource)
        for rule in [rule for rule in after if rule not in before]:
            yield _opened(change.resource, rule, direction, where, context.after)
        if change.after is not None:
            for rule in [rule for rule in before if rule not in after]:
                yield _closed(change.resource, rule, direction, where, context.before)


def standing_alone(change: Change, context: Context) -> Iterator[Effect]:
    """A rule that is a resource of its own."""
    resource = change.resource
    direction = "from" if resource.type.endswith("Ingress") else "to"
    assembly = context.after if change.after else context.before
    where = f"security group {words_for(resource.properties.get('GroupId'), resource.stack, assembly)}"
    if change.after is None:
        yield _closed(resource, resource.properties, direction, where, assembly)
    elif change.before is None or any(not each.asset and each.top != "Description" for each in change.differences):
        yield _opened(resource, resource.properties, direction, where, assembly)


def _rules(resource: Resource | None, name: str) -> list[Mapping[str, Any]]:
    return list(resource.properties.get(name, [])) if resource else []


def _opened(resource: Resource, rule: Mapping[str, Any], direction: str, where: str, assembly: Assembly) -> Effect:
    shut = rule.get("CidrIp") == "255.255.255.255/32"  # what CDK writes where nothing is to be reached
    words = f"opens {_ports(rule)} {direction} {_peer(rule, resource, assembly)} in {where}"
    return effect(Level.NONE if shut else Level.SECURITY, resource, words, _SOURCE)


def _closed(resource: Resource, rule: Mapping[str, Any], direction: str, where: str, assembly: Assembly) -> Effect:
    words = (
        f"closes {_ports(rule)} {direction} {_peer(rule, resource, assembly)} in {where}: whoever uses it is cut off"
    )
    return effect(Level.INTERRUPTION, resource, words, _SOURCE)


def _ports(rule: Mapping[str, Any]) -> str:
    first, last = rule.get("FromPort"), rule.get("ToPort")
    if str(rule.get("IpProtocol")) == "-1":
        return "everything"
    return f"{first}" if first == last else f"{first} to {last}"


def _peer(rule: Mapping[str, Any], resource: Resource, assembly: Assembly) -> str:
    for name in _PEERS:
        if (found := rule.get(name)) is not None:
            return words_for(found, resource.stack, assembly)
    return "everywhere"


RULES: dict[str, Rule] = {
    "AWS::EC2::SecurityGroup": group,
    "AWS::EC2::SecurityGroupIngress": standing_alone,
    "AWS::EC2::SecurityGroupEgress": standing_alone,
}
