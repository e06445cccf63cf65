"""One writer per table: who may apply changes to a table now."""

from catchment.leases.base import HandedOver, Held, Lease, MemoryLease

__all__ = ["HandedOver", "Held", "Lease", "MemoryLease"]
