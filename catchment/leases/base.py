"""The lease protocol, and the lease of a single process."""

from __future__ import annotations

import threading
from typing import Protocol

from catchment.errors import LeaseTaken


class Held(Protocol):
    """A lease in hand.

    A holder calls ``look`` before each listing of the landing zone and ``release`` when nothing is left. ``release``
    answers False, and the lease stays held, when somebody poked the table since that look: there may be a file the
    listing did not show, and whoever poked has gone away trusting the holder to look once more.
    """

    def look(self) -> None:
        """Remember how often the table was poked so far; renews the lease. Raises LeaseTaken when it was lost."""
        ...

    def check(self) -> None:
        """Raise LeaseTaken unless the lease is still ours; to be called right before a commit."""
        ...

    def release(self, *, force: bool = False) -> bool:
        """Give the lease back; False (and still held) if the table was poked since ``look``, unless forced."""
        ...


class Lease(Protocol):
    """Hands out at most one Held per table at a time."""

    def acquire(self, table: str) -> Held:
        """The lease on ``table``. Raises LeaseTaken; the present holder then knows that it must look once more."""
        ...


class MemoryLease:
    """Leases among the threads of one process."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._held: dict[str, int] = {}

    def acquire(self, table: str) -> Held:
        """The lease on ``table``; raises LeaseTaken after poking the holder."""
        with self._guard:
            if table in self._held:
                self._held[table] += 1
                raise LeaseTaken(table, "another thread of this process")
            self._held[table] = 0
        return _MemoryHeld(self, table)

    def _pokes(self, table: str) -> int:
        with self._guard:
            return self._held[table]

    def _release(self, table: str, seen: int, force: bool) -> bool:
        with self._guard:
            if self._held.get(table, seen) != seen and not force:
                return False
            self._held.pop(table, None)
            return True


class _MemoryHeld:
    def __init__(self, lease: MemoryLease, table: str) -> None:
        self._lease, self._table, self._seen = lease, table, 0

    def look(self) -> None:
        self._seen = self._lease._pokes(self._table)

    def check(self) -> None:
        return None

    def release(self, *, force: bool = False) -> bool:
        return self._lease._release(self._table, self._seen, force)
