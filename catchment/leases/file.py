"""Leases by file locks, for lakes in a folder of this machine.

The lock is the kernel's (``flock``): it dies with its holder, so no stale lock can remain. Only a lease that was
handed over outlives its process: as a line in the lock's file, until it is fetched or its time is up.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from pathlib import Path
from typing import Any

from catchment.errors import LeaseTaken
from catchment.leases.base import Held

_PAUSE_SECONDS = 0.1


class FileLease:
    """Leases among the processes of one machine: ``folder/<table>.lock``.

    With ``wait`` an applier stands in line, which suits a command somebody typed: when it is its turn it looks for
    itself. Without, it goes away with LeaseTaken.
    """

    def __init__(self, folder: Path, *, wait: bool = False) -> None:
        self._folder, self._flags = folder, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB)

    def acquire(self, table: str, *, token: str | None = None) -> Held:
        """The lease on ``table``. Raises LeaseTaken, naming the process or the token that has it."""
        self._folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._folder / f"{table.replace(os.sep, '%2F')}.lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            self._lock(handle, table, token)
        except BaseException:
            os.close(handle)
            raise
        _write(handle, holder=f"process {os.getpid()}")
        return _FileHeld(handle)

    def _lock(self, handle: int, table: str, token: str | None) -> None:
        waits = not self._flags & fcntl.LOCK_NB
        while True:
            # Before the lock is touched: whoever the lease is kept for may come at this moment, and find it locked.
            if not waits and (other := _kept_for(handle, token)) is not None:
                raise LeaseTaken(table, other)
            try:
                fcntl.flock(handle, self._flags)
            except BlockingIOError:
                raise LeaseTaken(table, _read(handle).get("holder", "another process")) from None
            if _kept_for(handle, token) is None:
                return
            fcntl.flock(handle, fcntl.LOCK_UN)
            time.sleep(_PAUSE_SECONDS)


def _kept_for(handle: int, token: str | None) -> str | None:
    """The token that the lease was handed over to, if that is another one and its time is not up."""
    found = _read(handle)
    kept = "until" in found and found["holder"] != token and found["until"] >= time.time()
    return str(found["holder"]) if kept else None


def _read(handle: int) -> dict[str, Any]:
    try:
        found = json.loads(os.pread(handle, 4096, 0))
    except ValueError:  # nobody has had the lease yet, or its holder is just about to say who it is
        return {}
    return dict(found)


def _write(handle: int, **what: str | float) -> None:
    os.ftruncate(handle, 0)
    os.pwrite(handle, json.dumps(what).encode(), 0)


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

    def hand_over(self, token: str, seconds: int) -> None:
        assert self._handle is not None
        _write(self._handle, holder=token, until=time.time() + seconds)
        self.release()
