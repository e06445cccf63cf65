"""A fence: a point in the source's stream of changes that has to lie behind a comparison.

A replication task tells by its checkpoint how far it has delivered; the engine says where its log is now, and which of
two positions comes first.
"""

from __future__ import annotations

import re

from catchment.engines import engine
from catchment.engines.base import Query


def set_fence(engine_name: str, query: Query) -> str:
    """A fence after all that is committed by now, in the spelling of the engine's log."""
    return engine(engine_name).reconciliation.set_fence(query)


def fence_passed(engine_name: str, checkpoint: str, fence: str) -> bool:
    """Whether the task of this RecoveryCheckpoint has delivered everything up to the fence.

    False where the checkpoint names no position: the task has not come to the log yet.

    Example: ``fence_passed("postgresql", "checkpoint:V1#1#4AF/B00000D0#0#0#*#0#0", "4AF/B00000D0")``
    """
    facts = engine(engine_name)
    found = re.match(rf"checkpoint:V\d+#\d+#({facts.infrastructure.log_position})(?=[#:]|$)", checkpoint)
    if found is None:
        return False
    order = facts.reconciliation.order
    return order(found[1]) >= order(fence)
