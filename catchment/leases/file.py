"""Leases by file locks, for lakes in a folder of this machine.

The lock is the kernel's (``flock``): it dies with its holder, so no stale lock can remain.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from catchment.errors import LeaseTaken
from catchment.leases.base import Held


class FileLease:
    """Leases among the processes of one machine: ``folder/<table>.lock``.

    With ``wait`` an applier stands in line, which suits a command somebody typed: when it is its turn it looks for
    itself. Without, it goes away with LeaseTaken.
    """

    def __init__(self, folder: Path, *, wait: bool = False) -> None:
        self._folder, self._flags = folder, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB)

    def acquire(self, table: str) -> Held:
        """The lease on ``table``. Raises LeaseTaken, naming the process that has it."""
        self._folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._folder / f"{table.replace(os.sep, '%2F')}.lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(handle, self._flags)
        except BlockingIOError:
            holder = os.pread(handle, 64, 0).decode(errors="replace").strip() or "another process"
            os.close(handle)
            raise LeaseTaken(table, holder) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"process {os.getpid()}\n".encode(), 0)
        return _FileHeld(handle)


class _FileHeld:
    """The kernel holds the lock until the handle is closed, so it cannot be lost in between."""

    def __init__(self, handle: int) -> None:
        self._handle: int | None = handle

    def look(self) -> None:
        return None

    def check(self) -> None:
        return None

    def release(self, *, force: bool = False) -> bool:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
        return True
