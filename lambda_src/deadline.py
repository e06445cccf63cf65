"""Waiting inside a function, for as long as it may still run."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

RESERVE_SECONDS = 20.0
"""Kept for the answer."""


class Deadline:
    """How long a function may still work. ``context`` is Lambda's.

    Example: ``Deadline(context).wait(lambda: bucket_is_empty(), "the bucket is still not empty")``
    """

    def __init__(self, context: Any, *, pause: Callable[[float], None] = time.sleep) -> None:
        self._context = context
        self._pause = pause

    def seconds_left(self) -> float:
        """Until the answer has to be given."""
        return float(self._context.get_remaining_time_in_millis()) / 1000 - RESERVE_SECONDS

    def wait(self, done: Callable[[], bool], complaint: str) -> None:
        """Ask ``done`` again and again, first quickly, then every 10 seconds. Raises TimeoutError(complaint)."""
        interval = 0.1
        while not done():
            if self.seconds_left() < interval:
                raise TimeoutError(complaint)
            self._pause(interval)
            interval = min(interval * 1.5, 10.0)
