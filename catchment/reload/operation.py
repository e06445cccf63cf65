"""A reload from the request to the commit that swaps it in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from catchment.apply.loads import LoadState
from catchment.errors import ReloadFailed, ReloadPending
from catchment.landing.names import TableName
from catchment.reload.request import ReloadRequest, floor_after, floor_before, withdraw_request, write_request
from catchment.sinks.delta_log import LogEntry, read_entry
from catchment.sinks.delta_table import DeltaLog
from catchment.storage import ObjectStore

_POLL_SECONDS = 0.5
_POKE_EVERY = timedelta(seconds=5)

Tell = Callable[[TableName, str], None]
"""Is told what a table waits for, whenever that changes."""


class Loader(Protocol):
    """Loads tables into the landing zone (DMS)."""

    def make_run(self, timeout: float) -> bool:
        """Resume what stopped or failed; whether that was necessary. Raises ReloadFailed."""
        ...

    def reload(self, tables: Sequence[TableName]) -> None:
        """Begin to load the tables again. Raises ReloadFailed."""
        ...

    def check(self) -> None:
        """Raise ReloadFailed unless it is at work."""
        ...

    def state(self, table: TableName) -> LoadState | None:
        """A table's newest load."""
        ...


@dataclass(frozen=True)
class Clock:
    """The time (``now``, UTC), how to let some of it pass, and how far the source's clock may be from ours."""

    now: Callable[[], datetime]
    pause: Callable[[float], None]
    allowance: timedelta


@dataclass(frozen=True)
class Swapped:
    """A reload that is done: the commit's version, and what it did to the table's rows."""

    table: TableName
    version: int
    generation: int
    counts: Mapping[str, int]
    seconds: float

    def __str__(self) -> str:
        said = ", ".join(f"{self.counts[name]:,} {name}" for name in ("inserted", "updated", "deleted", "unchanged"))
        return f"{said} in {self.seconds:.1f} s"

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "table": str(self.table),
            "version": self.version,
            "generation": self.generation,
            "seconds": round(self.seconds, 2),
            **{name: self.counts[name] for name in ("inserted", "updated", "deleted", "unchanged")},
        }


def request_reload(lake: ObjectStore, tables: Sequence[TableName], clock: Clock, reason: str) -> ReloadRequest:
    """Ask for a reload of the tables. Returns once a load may begin to read.

    By the source's clock, all that is to be healed lies before the request's floor then, and the load behind it.
    """
    began = clock.now()
    request = ReloadRequest(began.isoformat(), floor_after(began, clock.allowance), reason)
    for table in tables:
        write_request(lake, table, request)
    clock.pause(max(0.0, (request.moment + clock.allowance - clock.now()).total_seconds()))
    return request


def request_done(lake: ObjectStore, tables: Sequence[TableName], clock: Clock, since: datetime, reason: str) -> None:
    """Ask for a load to be swapped in that began at ``since`` and whose files all lie in the landing zone."""
    for table in tables:
        request = ReloadRequest(clock.now().isoformat(), floor_before(since, timedelta(0)), reason, complete=True)
        write_request(lake, table, request)


def reload_tables(
    lake: ObjectStore,
    loader: Loader,
    tables: Sequence[TableName],
    *,
    clock: Clock,
    reason: str,
    timeout: float,
    tell: Tell,
    poke: Callable[[TableName], None],
    wait: bool = True,
) -> list[Swapped]:
    """Load tables again and wait until each is swapped in; ``poke`` has the applier look at a table.

    ``wait`` False returns as soon as the loader has begun. Raises ReloadFailed (nothing was begun, or a load broke
    off), ReloadPending where ``timeout`` seconds have passed: the reload goes on and is swapped in when complete.
    """
    began = clock.now()
    if loader.make_run(timeout):
        for table in tables:
            tell(table, "the task stood still and was resumed")
    watches = [_Watch(lake, table, clock.now()) for table in tables]
    request = _begin(lake, loader, tables, clock, reason)
    for table in tables:
        tell(table, "requested")
    done: list[Swapped] = []
    while wait and watches:
        for watch in list(watches):
            if (entry := watch.swapped(request.floor)) is not None:
                done.append(_swapped(watch.table, entry, (clock.now() - began).total_seconds()))
                tell(watch.table, f"swapped in: {done[-1]}")
                watches.remove(watch)
            elif watch.is_loaded(loader, request.moment, tell):
                watch.poke(clock.now(), poke)
        waited = (clock.now() - began).total_seconds()
        if watches and waited > timeout:
            raise ReloadPending(", ".join(str(watch.table) for watch in watches), waited)
        if watches:
            clock.pause(_POLL_SECONDS)
    return done


def _begin(lake: ObjectStore, loader: Loader, tables: Sequence[TableName], clock: Clock, reason: str) -> ReloadRequest:
    request = request_reload(lake, tables, clock, reason)
    try:
        loader.reload(tables)
    except ReloadFailed:
        for table in tables:
            withdraw_request(lake, table)
        raise
    return request


class _Watch:
    """A table on its way: its commits from now on, and what was said of its load."""

    def __init__(self, lake: ObjectStore, table: TableName, now: datetime) -> None:
        self.table, self._said, self._poked = table, "", now
        self._lake, self._path = lake, f"{table.schema}/{table.table}"
        snapshot = DeltaLog(lake, self._path, str(table)).refresh()
        self._next = 0 if snapshot is None else snapshot.version + 1

    def swapped(self, floor: str) -> LogEntry | None:
        """The commit that reached the floor, once it is there."""
        while True:
            try:
                entry = read_entry(self._lake, self._path, self._next)
            except FileNotFoundError:
                return None
            self._next += 1
            if entry.record is not None and (entry.record.get("generation") or {}).get("floor", "") >= floor:
                return entry

    def is_loaded(self, loader: Loader, floor: datetime, tell: Tell) -> bool:
        """Say how far the load is; whether it is complete. Raises ReloadFailed where it broke off."""
        loader.check()
        state = loader.state(self.table)
        if state is None or state.started is None or state.started < floor:
            return False
        if state.error:
            raise ReloadFailed(str(self.table), f"{state}; see the task's log, then ask for the reload again")
        if str(state) != self._said:
            self._said = str(state)
            tell(self.table, self._said)
        return state.complete

    def poke(self, now: datetime, poke: Callable[[TableName], None]) -> None:
        """Have the applier look, now and then: a load without any row lands no file that would."""
        if now - self._poked > _POKE_EVERY:
            self._poked = now
            poke(self.table)


def _swapped(table: TableName, entry: LogEntry, seconds: float) -> Swapped:
    assert entry.record is not None
    return Swapped(table, entry.version, entry.record["generation"]["number"], entry.record["account"], seconds)
