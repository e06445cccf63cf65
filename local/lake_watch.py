"""What the lake says of itself while a run goes on: the commits of its tables, read from their logs on disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from catchment.apply.account import Counts
from catchment.landing.names import parse
from catchment.sinks.delta_log import LogEntry, read_entry
from catchment.storage import ObjectStore, open_store
from local.report import Lag


@dataclass
class TableWatch:
    """What is known of one table so far: its commits, and the landing files they contain."""

    commits: list[LogEntry] = field(default_factory=list)
    files: set[str] = field(default_factory=set)
    counts: Counts = field(default_factory=Counts)

    def lags(self) -> Iterator[tuple[float, int]]:
        """Seconds from source commit to lake commit, each with the number of rows it stands for."""
        for commit in self.commits:
            for file in (commit.record or {}).get("files", []):
                for end in (file["first_commit"], file["last_commit"]):
                    if end is not None:
                        at = datetime.fromisoformat(end)
                        at = at if at.tzinfo else at.replace(tzinfo=UTC)
                        yield max(0.0, commit.timestamp_ms / 1000 - at.timestamp()), file["rows"]


class LakeWatch:
    """Follows the tables of one source.

    ``lake`` and ``landing`` are the source's folders in their buckets, ``tables`` are named ``schema.table``.
    """

    def __init__(self, lake: Path, landing: Path, tables: Iterable[str]) -> None:
        self._lake: ObjectStore = open_store(lake)
        self._landing: ObjectStore = open_store(landing)
        self.tables: dict[str, TableWatch] = {table: TableWatch() for table in tables}
        self._versions = dict.fromkeys(self.tables, -1)

    def poll(self) -> None:
        """Read the commits made since the last call."""
        for name, table in self.tables.items():
            for entry in self._fresh(name):
                if entry.record is None:
                    continue
                table.commits.append(entry)
                table.files.update(file["path"] for file in entry.record["files"])
                table.counts += Counts(**entry.record["account"])

    def _fresh(self, name: str) -> Iterator[LogEntry]:
        path = "/".join(name.split(".", 1))
        while True:
            try:
                entry = read_entry(self._lake, path, self._versions[name] + 1)
            except FileNotFoundError:
                return
            self._versions[name] += 1
            yield entry

    def pending(self) -> int:
        """Landing files that no commit contains yet."""
        return sum(len(files - self.tables[name].files) for name, files in self.landed().items())

    def landed(self) -> dict[str, set[str]]:
        """The landing files of each table."""
        landed = {name: set[str]() for name in self.tables}
        for stored in self._landing.list():
            file = parse(stored)
            if file is not None and str(file.table) in landed:
                landed[str(file.table)].add(file.path)
        return landed

    def newest_lag(self) -> float | None:
        """Seconds from source to lake of the newest change in the newest commit; None before the first change."""
        newest = [table.commits[-1] for table in self.tables.values() if table.commits]
        newest.sort(key=lambda commit: commit.timestamp_ms)
        return min((seconds for seconds, _ in TableWatch(newest[-1:]).lags()), default=None)

    @property
    def rows(self) -> int:
        """Landing rows read by all commits so far."""
        return sum(table.counts.read for table in self.tables.values())

    @property
    def files(self) -> int:
        """Landing files contained in all commits so far."""
        return sum(len(table.files) for table in self.tables.values())


def lag_of(tables: Iterable[TableWatch]) -> Lag | None:
    """The lag over all rows of change files, weighted by rows; None where there was no change."""
    samples = sorted(sample for table in tables for sample in table.lags())
    total = sum(rows for _, rows in samples)
    if not total:
        return None

    def at(share: float) -> float:
        passed = 0
        for seconds, rows in samples:
            passed += rows
            if passed >= share * total:
                return round(seconds, 2)
        return round(samples[-1][0], 2)

    return Lag(at(0.5), at(0.95), round(samples[-1][0], 2))
