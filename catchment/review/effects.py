"""What a change does, in words and in levels."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Level(IntEnum):
    """How much it takes to make up for it; a higher one is worse."""

    NONE = 0
    """Nothing that runs notices."""
    COST = 1
    SECURITY = 2
    INTERRUPTION = 3
    """Something stands still for a while, or the deployment breaks off."""
    RELOAD = 4
    """Tables are loaded from the source again, whole."""
    DATA_LOSS = 5
    """Something is gone for good."""

    @property
    def word(self) -> str:
        """As the command line and the reports spell it."""
        return self.name.lower().replace("_", "-")


@dataclass(frozen=True)
class Effect:
    """One thing that happens when the change is deployed.

    ``words`` begin with a verb and name the resource; ``source`` is where AWS (or a decision of ours) says so.
    """

    level: Level
    stack: str
    resource: str
    words: str
    source: str = ""
