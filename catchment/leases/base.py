"""The lease protocol, and the lease of a single process."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
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

    def hand_over(self, token: str, seconds: int) -> None:
        """Leave the lease to whoever acquires it by ``token`` within ``seconds``; nobody else gets it before.

        From then on it is no longer this holder's. Raises LeaseTaken where it had been lost.
        """
        ...


class Lease(Protocol):
    """Hands out at most one Held per table at a time."""

    def acquire(self, table: str, *, token: str | None = None) -> Held:
        """The lease on ``table``. Raises LeaseTaken; the present holder then knows that it must look once more.

        ``token`` takes a lease that was handed over to it, once. A free lease is had with or without.
        """
        ...


@dataclass(frozen=True)
class HandedOver:
    """A lease for the one that it was handed over to: ``apply_table(lease=HandedOver(lease, token), …)``."""

    lease: Lease
    token: str

    def acquire(self, table: str, *, token: str | None = None) -> Held:
        """The lease on ``table``, by the token. Raises LeaseTaken."""
        return self.lease.acquire(table, token=token or self.token)


@dataclass
class _Entry:
    pokes: int = 0
    token: str | None = None
    until: float = 0.0
    """While it is handed over: to which token, and until when (seconds of the monotonic clock)."""


class MemoryLease:
    """Leases among the threads of one process."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._held: dict[str, _Entry] = {}

    def acquire(self, table: str, *, token: str | None = None) -> Held:
        """The lease on ``table``; raises LeaseTaken after poking the holder."""
        with self._guard:
            found = self._held.get(table)
            if found is not None and not _may_take(found, token):
                found.pokes += 1
                raise LeaseTaken(table, found.token or "another thread of this process")
            self._held[table] = _Entry()
        return _MemoryHeld(self, table)

    def _pokes(self, table: str) -> int:
        with self._guard:
            return self._held[table].pokes

    def _release(self, table: str, seen: int, force: bool) -> bool:
        with self._guard:
            if (found := self._held.get(table)) and found.pokes != seen and not force:
                return False
            self._held.pop(table, None)
            return True

    def _hand_over(self, table: str, token: str, seconds: int) -> None:
        with self._guard:
            self._held[table] = _Entry(token=token, until=time.monotonic() + seconds)


def _may_take(found: _Entry, token: str | None) -> bool:
    return found.token is not None and (found.token == token or time.monotonic() > found.until)


class _MemoryHeld:
    def __init__(self, lease: MemoryLease, table: str) -> None:
        self._lease, self._table, self._seen = lease, table, 0

    def look(self) -> None:
        self._seen = self._lease._pokes(self._table)

    def check(self) -> None:
        return None

    def release(self, *, force: bool = False) -> bool:
        return self._lease._release(self._table, self._seen, force)

    def hand_over(self, token: str, seconds: int) -> None:
        self._lease._hand_over(self._table, token, seconds)
