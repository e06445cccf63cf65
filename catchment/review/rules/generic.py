"""What is told of every resource: it comes, it goes, it is replaced, it is changed in place."""

from __future__ import annotations

from collections.abc import Iterator

from catchment.review.changes import Change, Difference
from catchment.review.context import Context, effect
from catchment.review.effects import Effect, Level
from catchment.review.nouns import called
from catchment.review.replacement import Replacement
from catchment.review.rules.properties import BILLED, GUARDS, HOLDS, IN_PLACE, KEPT, ONLY_REPLICAS, UNNOTICED

_SCHEMA = "CloudFormation resource schema"
NO_EFFECT = "no effect at run time (asset hash)"
_LABELS = ("Tags", "Description", "Metadata")


def generic(change: Change, context: Context, known: frozenset[str] = frozenset()) -> Iterator[Effect]:
    """``known`` are properties that a rule of the type has told already."""
    why = context.replacement(change)
    if change.before is None:
        yield from added(change)
    elif change.after is None:
        yield from removed(change)
    elif why is not None and why.certain:
        yield from replaced(change, why)
    else:
        if why is not None and not _is_no_replica(change, why):
            words = f"may replace {called(change.resource)} ({why.because})"
            yield effect(_loss(change), change.resource, words, f"{_SCHEMA}, conditionalCreateOnlyProperties")
        yield from _in_place(change, known)


def added(change: Change) -> Iterator[Effect]:
    """A new resource."""
    resource = change.resource
    billed = BILLED.get(resource.type)
    if resource.type == "AWS::EC2::VPCEndpoint" and resource.properties.get("VpcEndpointType", "Gateway") == "Gateway":
        billed = None
    if billed:
        yield effect(Level.COST, resource, f"creates {called(resource)}, billed {billed}", "the service's price list")
    else:
        yield effect(Level.NONE, resource, f"creates {called(resource)}")


def removed(change: Change) -> Iterator[Effect]:
    """A resource that is not in the template any more."""
    resource = change.resource
    held = HOLDS.get(resource.type)
    source = "CloudFormation User Guide, DeletionPolicy"
    if resource.deletion_policy in KEPT:
        left = "a snapshot of it stays" if resource.deletion_policy == "Snapshot" else "it stays, and nobody manages it"
        level = Level.COST if held else Level.NONE
        yield effect(level, resource, f"lets go of {called(resource)}: {left} (and is billed)", source)
    elif held:
        yield effect(Level.DATA_LOSS, resource, f"drops {called(resource)} with {held}", source)
    else:
        yield effect(Level.NONE, resource, f"removes {called(resource)}", source)


def replaced(change: Change, why: Replacement) -> Iterator[Effect]:
    """A resource that is made anew."""
    resource = change.resource
    reason = f"({why.because})"
    if (name := resource.fixed_name) is not None and change.before is not None and change.before.fixed_name == name:
        words = f"breaks off: {called(resource)} had to be replaced {reason}, and its name is taken by the old one"
        yield effect(Level.INTERRUPTION, resource, words, "CloudFormation User Guide, Name type")
        return
    held = HOLDS.get(resource.type)
    if held is None:
        level = Level.NONE if resource.type in UNNOTICED else Level.INTERRUPTION
        yield effect(level, resource, f"replaces {called(resource)} {reason}", f"{_SCHEMA}, createOnlyProperties")
    elif resource.replace_policy in KEPT:
        words = f"replaces {called(resource)} by an empty one {reason}; the old one stays and has {held}"
        yield effect(Level.INTERRUPTION, resource, words, "CloudFormation User Guide, UpdateReplacePolicy")
    else:
        words = f"replaces {called(resource)} by an empty one {reason}, and drops the old one with {held}"
        yield effect(Level.DATA_LOSS, resource, words, "CloudFormation User Guide, UpdateReplacePolicy")


def _loss(change: Change) -> Level:
    held = change.resource.type in HOLDS
    return Level.DATA_LOSS if held and change.resource.replace_policy not in KEPT else Level.NONE


def _is_no_replica(change: Change, why: Replacement) -> bool:
    """Whether the property replaces replicas and members of a cluster only, and this is neither."""
    return why.because in ONLY_REPLICAS.get(change.resource.type, ()) and not any(
        name in change.resource.properties for name in ("DBClusterIdentifier", "SourceDBInstanceIdentifier")
    )


def _in_place(change: Change, known: frozenset[str]) -> Iterator[Effect]:
    resource = change.resource
    quiet: list[str] = []
    if change.differences and all(difference.asset for difference in change.differences):
        yield effect(Level.NONE, resource, f"gives {called(resource)} other content: {NO_EFFECT}")
        return
    for difference in change.differences:
        rule = IN_PLACE.get((resource.type, difference.top))
        if difference.top in known or difference.dotted in known:
            continue
        if (resource.type, difference.top) in GUARDS and not difference.after:
            words = f"takes the deletion protection off {called(resource)}"
            yield effect(Level.SECURITY, resource, words, "CFN " + resource.type)
        elif difference.top == "DeletionPolicy":
            yield _policy(change, difference)
        elif rule is not None:
            words = f"changes {difference.dotted} of {called(resource)}{_from_to(difference)}: {rule.words}"
            yield effect(rule.level, resource, words, rule.source)
        else:
            quiet.append(difference.dotted)
    if quiet:
        labels = all(name.split(".")[0] in _LABELS for name in quiet)
        source = "" if labels else f"{_SCHEMA}: none of them replaces it"
        words = f"changes {', '.join(dict.fromkeys(quiet))} of {called(resource)} in place"
        yield effect(Level.NONE, resource, words, source)


def _policy(change: Change, difference: Difference) -> Effect:
    words = f"changes what becomes of {called(change.resource)} when it goes{_from_to(difference)}"
    level = Level.NONE if difference.after in KEPT else Level.SECURITY
    return effect(level, change.resource, words, "CloudFormation User Guide, DeletionPolicy")


def _from_to(difference: Difference) -> str:
    plain = (str, int, float, bool)
    if isinstance(difference.before, plain) and isinstance(difference.after, plain):
        return f" from {difference.before} to {difference.after}"
    return ""
