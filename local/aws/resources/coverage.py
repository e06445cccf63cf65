"""What of each resource type has an effect on the local AWS, property by property.

A type that is not listed, or a property that stands in neither of a type's lists, is refused by its name before
anything is deployed: nobody should take a deployment here for a proof of something that was skipped.
"""

from __future__ import annotations

from dataclasses import dataclass, field

TAGS = "tags are kept and decide nothing"
SIZE = "a laptop has one size"
ONE_ZONE = "there is one zone, the laptop"
BACKUP = "nothing is backed up: stopping it throws it away"
UPGRADES = "the version changes with the locked requirements only"
UNENCRYPTED = "what lies on the laptop is not encrypted; the key's policy is not asked"
NO_TIME = "nothing lives long enough here for it to happen"
NO_NETWORK = "networks are records: everything talks over the loopback interface"
RECORD = "kept and described, without effect"


@dataclass(frozen=True)
class Coverage:
    """``emulated``: properties that do what they say. ``no_effect``: those that do not, with the reason.

    A dotted name (``NotificationConfiguration.EventBridgeConfiguration``) says that the members of that property
    are looked at one by one, too.
    """

    emulated: frozenset[str] = frozenset()
    no_effect: dict[str, str] = field(default_factory=dict)
    any_property: bool = False

    def unknown(self, properties: dict[str, object]) -> list[str]:
        """Names of properties nobody has looked at."""
        if self.any_property:
            return []
        known = self.emulated | self.no_effect.keys()
        nested = {name.split(".")[0] for name in known if "." in name}
        missing = []
        for name, value in properties.items():
            if name in nested:
                parts = value if isinstance(value, list) else [value]
                members = {member for part in parts if isinstance(part, dict) for member in part}
                missing += sorted(f"{name}.{member}" for member in members if f"{name}.{member}" not in known)
            elif name not in known:
                missing.append(name)
        return missing


def covers(*emulated: str, **no_effect: str) -> Coverage:
    """Coverage from emulated names and reasons by name (a dot in a name is written as two underscores)."""
    return Coverage(frozenset(emulated), {name.replace("__", "."): reason for name, reason in no_effect.items()})
