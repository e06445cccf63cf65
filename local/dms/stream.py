"""The loop of a running task: read the stream, write files, confirm, obey."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable

from local.dms.changes import ChangeWriter
from local.dms.sources.base import Changes
from local.dms.state import Position

IDLE_SECONDS = 0.25
"""The longest time the loop sleeps, after which it looks for commands."""
REPORT_SECONDS = 0.5


class ChangeStream:
    """Reads a source's changes and feeds a writer.

    ``confirm`` saves a safe position before the source is told of it, ``report`` and ``obey`` are called now and
    then, ``wakeup`` is a socket that becomes readable when a command has come.
    """

    def __init__(
        self,
        changes: Changes,
        writer: ChangeWriter,
        start: Position,
        *,
        confirm: Callable[[Position], None],
        report: Callable[[], None],
        obey: Callable[[], bool],
        clock: Callable[[], float],
        wakeup: socket.socket,
    ) -> None:
        self._changes, self._writer = changes, writer
        self._confirm, self._report, self._obey = confirm, report, obey
        self._clock, self._wakeup = clock, wakeup
        self._confirmed = start
        self._next_report = 0.0
        self.behind = False
        """Whether there is more to read than was read at once."""

    def run(self) -> None:
        """Stream until ``obey`` says that it is over, then write what waits and confirm it.

        Raises the driver's errors when the source is lost, TaskFailed, StreamCut, botocore's errors of the target.
        """
        while True:
            drained = self._changes.read(self._writer)
            self.behind = not drained
            due = self._writer.flush_due()
            self._confirm_safe()
            if self._obey():
                break
            self._report_now_and_then()
            if drained:
                self._sleep(due)
        self._writer.flush_all()
        self._confirm_safe()

    def keep_alive(self) -> None:
        """Tell the source that we are here, while something else takes long."""
        self._changes.keep_alive()

    def _confirm_safe(self) -> None:
        safe = self._writer.safe_position()
        if safe.lsn > self._confirmed.lsn:
            self._confirm(safe)
            self._confirmed = safe
            self._changes.confirm(safe)

    def _report_now_and_then(self) -> None:
        now = self._clock()
        if now >= self._next_report:
            self._report()
            self._next_report = now + REPORT_SECONDS

    def _sleep(self, due: float | None) -> None:
        seconds = IDLE_SECONDS if due is None else min(max(due - self._clock(), 0.0), IDLE_SECONDS)
        ready, _, _ = select.select([self._changes.waits_on(), self._wakeup], [], [], seconds)
        if self._wakeup in ready:
            self._wakeup.recv(4096)
