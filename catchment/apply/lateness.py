"""How late a table is, by who looks from outside: whether somebody is at work on it makes no difference."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from catchment.apply.pending import Lookout
from catchment.landing.names import Kind, LandingFile, TableName
from catchment.sinks.delta_table import DeltaLog
from catchment.storage import ObjectStore


@dataclass(frozen=True)
class Waiting:
    """Landing files that a table does not contain: how many, and since when the oldest waits, in seconds."""

    files: int
    seconds: float


def waiting(table: TableName, landing: ObjectStore, log: DeltaLog, now: datetime, *, loading: bool = False) -> Waiting:
    """What waits to be in the table. While it is ``loading``, load files are not late: they go in all at once.

    Raises StorageUnavailable, LogBroken, LedgerLost, ForeignWriter.
    """
    log.refresh()
    listing = Lookout(landing, table, ()).look(log.ledger)
    files = [*listing.new, *listing.rewritten.values()]
    late = [file for file in files if not (loading and file.kind is Kind.LOAD)]
    since = min((_written(file) for file in late), default=now)
    return Waiting(len(late), max((now - since).total_seconds(), 0.0))


def _written(file: LandingFile) -> datetime:
    """When a file was begun, as its name says, which is before it landed; a load file's name says nothing."""
    try:
        return datetime.strptime(file.stamp[:17] + "000", "%Y%m%d%H%M%S%f").replace(tzinfo=UTC)
    except ValueError:  # a load file, or a name like DMS's that is no time
        return datetime.fromtimestamp(file.object.modified_ns / 1e9, UTC)
