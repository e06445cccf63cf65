"""What is measured of a call that applied a table, whichever engine did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from catchment.apply.account import Account


@dataclass(frozen=True)
class Measures:
    """Values by metric name, of the source and of the table.

    By table only where there is something to say: each name and table is a metric to be paid for.
    """

    of_source: dict[str, float]
    of_table: dict[str, float]

    @classmethod
    def of(cls, account: Account, seconds: float, now: datetime) -> Measures:
        """Of a call that took so many seconds and ends ``now``."""
        rows = {"RowsApplied": account.counts.applied, "RowsQuarantined": account.counts.quarantined}
        of_source: dict[str, float] = {**rows, "HandedOver": int(account.handed_over is not None)}
        if account.commits:
            of_source["ApplySeconds"] = seconds
            if account.watermark:
                of_source["CommitLagSeconds"] = _behind(account.watermark, now)
        return cls(of_source, {name: value for name, value in rows.items() if value})


def _behind(watermark: int, now: datetime) -> float:
    """Seconds from the time in a change file's name (17 digits, to the millisecond, UTC) to now."""
    written = datetime.strptime(f"{watermark:017d}000", "%Y%m%d%H%M%S%f").replace(tzinfo=UTC)
    return max((now - written).total_seconds(), 0.0)
