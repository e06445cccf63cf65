"""The loop of a running task: read the slot, write files, confirm, obey."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable
from typing import Any

from local.dms.changes import ChangeWriter
from local.dms.publication import publication_names
from local.dms.source import format_lsn, when_free
from local.dms.state import Position

MESSAGES_AT_ONCE = 2000
IDLE_SECONDS = 0.25
"""The longest time the loop sleeps, after which it looks for commands."""
REPORT_SECONDS = 0.5


class ChangeStream:
    """Reads a slot on a replication session and feeds a writer.

    ``confirm`` saves a safe position before the server is told of it, ``report`` and ``obey`` are called now and
    then, ``wakeup`` is a socket that becomes readable when a command has come.
    """

    def __init__(
        self,
        connection: Any,
        slot: str,
        writer: ChangeWriter,
        start: Position,
        *,
        confirm: Callable[[Position], None],
        report: Callable[[], None],
        obey: Callable[[], bool],
        clock: Callable[[], float],
        wakeup: socket.socket,
    ) -> None:
        self._connection, self._writer = connection, writer
        self._confirm, self._report, self._obey = confirm, report, obey
        self._clock, self._wakeup = clock, wakeup
        self._confirmed = start
        self._next_report = 0.0
        self.behind = False
        """Whether there is more to read than was read at once."""
        self._cursor = connection.cursor()
        names = ",".join(f'"{name}"' for name in publication_names(slot))
        when_free(
            lambda: self._cursor.start_replication(
                slot_name=slot,
                start_lsn=format_lsn(start.lsn),
                decode=False,
                options={"proto_version": "1", "publication_names": names},
            )
        )

    def run(self) -> None:
        """Stream until ``obey`` says that it is over, then write what waits and confirm it.

        Raises psycopg2.Error when the source is lost, TaskFailed, StreamCut, botocore's errors of the target.
        """
        while True:
            drained = self._read()
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
        """Tell the server that we are here, while something else takes long."""
        self._cursor.send_feedback(flush_lsn=self._confirmed.lsn, force=True)

    def _read(self) -> bool:
        read = self._cursor.read_message
        messages: list[bytes] = []
        while len(messages) < MESSAGES_AT_ONCE:
            message = read()
            if message is None:
                break
            messages.append(message.payload)
        drained = len(messages) < MESSAGES_AT_ONCE
        if messages:
            self._writer.feed(messages)
        if drained:
            self._writer.caught_up(self._cursor.wal_end)
        return drained

    def _confirm_safe(self) -> None:
        safe = self._writer.safe_position()
        if safe.lsn > self._confirmed.lsn:
            self._confirm(safe)
            self._confirmed = safe
            self._cursor.send_feedback(write_lsn=safe.lsn, flush_lsn=safe.lsn, apply_lsn=safe.lsn, force=True)

    def _report_now_and_then(self) -> None:
        now = self._clock()
        if now >= self._next_report:
            self._report()
            self._next_report = now + REPORT_SECONDS

    def _sleep(self, due: float | None) -> None:
        seconds = IDLE_SECONDS if due is None else min(max(due - self._clock(), 0.0), IDLE_SECONDS)
        ready, _, _ = select.select([self._connection, self._wakeup], [], [], seconds)
        if self._wakeup in ready:
            self._wakeup.recv(4096)
