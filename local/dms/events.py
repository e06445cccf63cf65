"""A task's state changes as EventBridge events of source ``aws.dms`` (AWS DMS User Guide, EventBridge events)."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Mapping

PutEvent = Callable[[Mapping[str, object]], None]
"""Puts an entry (Source, DetailType, Resources, Detail) on the default bus as a service may. PutEvents refuses
sources that begin with ``aws.``, here as in AWS."""

EVENT_IDS = {
    "REPLICATION_TASK_STARTED": "DMS-EVENT-0069",
    "REPLICATION_TASK_STOPPED": "DMS-EVENT-0079",
    "REPLICATION_TASK_FAILED": "DMS-EVENT-0078",
}


class EventPublisher:
    """Publishes in the background and in order: the bus may live in the server that reports the change.

    Without ``put`` nobody is told.
    """

    def __init__(self, put: PutEvent | None) -> None:
        self._put = put
        self._waiting: queue.SimpleQueue[dict[str, object]] = queue.SimpleQueue()
        if put is not None:
            threading.Thread(target=self._run, args=(put,), name="dms-events", daemon=True).start()

    def publish(self, task_arn: str, event_type: str, message: str) -> None:
        """Tell of ``event_type``, one of EVENT_IDS; of a serverless replication by its own name for it."""
        if ":replication-config:" in task_arn:
            kind, named, number = "REPLICATION", event_type.replace("_TASK", ""), {}
        else:
            kind, named, number = "REPLICATION_TASK", event_type, {"eventId": EVENT_IDS[event_type]}
        detail = {
            "type": kind,
            "category": "Failure" if event_type.endswith("FAILED") else "StateChange",
            "eventType": named,
            **number,
            "detailMessage": message,
        }
        if self._put is not None:
            self._waiting.put(
                {
                    "Source": "aws.dms",
                    "DetailType": f"DMS {kind.replace('_', ' ').title()} State Change",
                    "Resources": [task_arn],
                    "Detail": json.dumps(detail),
                }
            )

    def _run(self, put: PutEvent) -> None:
        while True:
            put(self._waiting.get())
