"""The request to reload a table: a small object beside the table, pending until a commit reaches its floor.

There is one a table, the newest. It needs no state of its own: a table whose generation has reached the request's
floor has been reloaded.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from catchment.landing.names import TableName
from catchment.storage import ObjectStore

_TOKEN_DIGITS = 35


@dataclass(frozen=True)
class ReloadRequest:
    """``floor`` is the token (35 digits) of the moment from which the load and the changes make up the table.

    ``requested_at`` is ISO, UTC. ``complete``: the load has happened already, and the load files in the landing zone
    are all of it (none: the table was empty).
    """

    requested_at: str
    floor: str
    reason: str = ""
    complete: bool = False

    @property
    def moment(self) -> datetime:
        """The floor as a time: a load may begin to read there, not before."""
        return moment_of(self.floor)


def floor_after(now: datetime, allowance: timedelta) -> str:
    """The floor of a reload asked for now.

    ``allowance`` is how far the source's clock may differ from ours: by the source's clock, whatever is to be healed
    happened before the floor. Whole seconds, because some sources' commit times have no more.
    """
    moment = now.astimezone(UTC) + allowance
    whole = moment.replace(microsecond=0)
    return floor_token(whole if whole == moment else whole + timedelta(seconds=1))


def floor_before(started: datetime, allowance: timedelta) -> str:
    """The floor of a load nobody asked us for, which began to read at ``started``."""
    return floor_token((started.astimezone(UTC) - allowance).replace(microsecond=0))


def floor_token(moment: datetime) -> str:
    """A moment as a token: 16 digits of time, to the hundredth of a second, then zeros."""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y%m%d%H%M%S}{utc.microsecond // 10_000:02d}".ljust(_TOKEN_DIGITS, "0")


def moment_of(token: str) -> datetime:
    """The time in a token's first 16 digits."""
    return datetime.strptime(token[:16] + "0000", "%Y%m%d%H%M%S%f").replace(tzinfo=UTC)


def read_request(lake: ObjectStore, table: TableName) -> ReloadRequest | None:
    """The newest request for a table, fulfilled or not; None where there never was one."""
    try:
        return ReloadRequest(**json.loads(lake.read_bytes(_path(table))))
    except FileNotFoundError:
        return None


def write_request(lake: ObjectStore, table: TableName, request: ReloadRequest) -> None:
    """Ask for a reload, in place of an earlier request."""
    lake.write_bytes(_path(table), json.dumps(asdict(request), ensure_ascii=False).encode())


def withdraw_request(lake: ObjectStore, table: TableName) -> None:
    """Take the request back: the load it waits for will not come."""
    lake.delete(_path(table))


def _path(table: TableName) -> str:
    return f"{table.schema}/{table.table}/_catchment/reload.json"
