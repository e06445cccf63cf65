"""A lease that can run out while its holder goes on, in one process."""

from __future__ import annotations

from catchment.errors import LeaseTaken
from catchment.leases import Held


class ExpiringLease:
    """Hands itself to the next who asks once ``expire`` was called; the one before is told at its next sign of life."""

    def __init__(self) -> None:
        self.fence = 0
        self._held = False

    def acquire(self, table: str, *, token: str | None = None) -> Held:
        """The lease. Raises LeaseTaken."""
        if self._held:
            raise LeaseTaken(table, "a holder whose time has not run out")
        self.fence += 1
        self._held = True
        return _Held(self, table, self.fence)

    def expire(self) -> None:
        """The holder's time is over; it does not know yet."""
        self._held = False

    def give_back(self, fence: int) -> None:
        """The holder is done, if it still is the holder."""
        self._held = self._held and fence != self.fence


class _Held:
    def __init__(self, lease: ExpiringLease, table: str, fence: int) -> None:
        self._lease, self._table, self._fence = lease, table, fence

    def look(self) -> None:
        self.check()

    def check(self) -> None:
        if self._lease.fence != self._fence:
            raise LeaseTaken(self._table, "the one that took over")

    def release(self, *, force: bool = False) -> bool:
        self._lease.give_back(self._fence)
        return True

    def hand_over(self, token: str, seconds: int) -> None:
        self.check()
        raise NotImplementedError("nothing here is handed over")
