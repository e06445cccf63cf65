"""Keeps the DMS service, which is made when it is first asked for something."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.aws.account import ACCOUNT, REGION

if TYPE_CHECKING:
    from local.dms.service import DmsService

CHAOS = "CATCHMENT_CHAOS"
"""Environment variable with the adversary's seed; DMS misbehaves, within what it may do, when it is set."""


class DmsHost:
    """Answers like the service itself.

    ``state`` is its folder, ``endpoint`` the AWS its tasks reach, ``put_event`` takes the events of its tasks.
    """

    def __init__(self, state: Path, endpoint: str, put_event: Callable[[Mapping[str, object]], None]) -> None:
        self._put_event = put_event
        self._state = state
        self._endpoint = endpoint
        self._lock = threading.Lock()
        self._service: DmsService | None = None

    def handle(self, action: str, params: dict[str, Any]) -> dict[str, Any]:
        """Do ``action`` of the DMS API. Raises DmsFault."""
        answer: dict[str, Any] = self._made().handle(action, params)
        return answer

    def close(self) -> None:
        """Stop the tasks."""
        with self._lock:
            if self._service is not None:
                self._service.close()

    def _made(self) -> DmsService:
        with self._lock:
            if self._service is None:
                # pyarrow and psycopg2 cost 60 MB, which an AWS without DMS need not have
                from local.dms.service import DmsService

                seed = os.environ.get(CHAOS)
                self._service = DmsService(
                    self._state,
                    self._endpoint,
                    ACCOUNT,
                    REGION,
                    chaos_seed=int(seed) if seed else None,
                    put_event=self._put_event,
                )
            return self._service
