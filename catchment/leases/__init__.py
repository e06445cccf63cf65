"""One writer per table: who may apply changes to a table now."""

from catchment.leases.base import Held, Lease, MemoryLease

__all__ = ["Held", "Lease", "MemoryLease"]
