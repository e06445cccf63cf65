"""A Delta table as its one writer holds it: the newest snapshot, the ledger, and the commit on top of both.

What is known is kept and carried forward, so that a second look costs one listing of the log's end. The file of the
known version is listed with it: a table that was removed and built anew is not taken for the old one.
"""

from __future__ import annotations

import json
import time
import uuid
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from catchment.errors import ForeignWriter, LedgerLost
from catchment.sinks import delta_snapshot
from catchment.sinks.base import LostRace
from catchment.sinks.delta_actions import Action, Add, Remove, line
from catchment.sinks.delta_checkpoint import Connect, write_checkpoint
from catchment.sinks.delta_log import METADATA_KEY, LogEntry, LogFiles, commit_path, list_log, read_entry
from catchment.sinks.delta_snapshot import Snapshot
from catchment.sinks.ledger import AppliedFile, Generation, Ledger
from catchment.sinks.ledger_digest import newest_digest, save_digest
from catchment.storage import ObjectStore

ENGINE = "catchment"
COMMITS_PER_CHECKPOINT = 32
"""How many commits a process that knows nothing has to read at most, as long as this writer alone commits."""


@dataclass(frozen=True)
class _Known:
    snapshot: Snapshot
    ledger: Ledger
    stamp: tuple[int, str | int] | None
    """Of the version's own commit file, None where it is gone."""
    digest: int
    checkpoint: int


class DeltaLog:
    """The log of the table at ``path`` of a store; ``table`` is its name in errors. For one thread."""

    def __init__(self, store: ObjectStore, path: str, table: str) -> None:
        self._store, self._path, self._table = store, path, table
        self._known: _Known | None = None

    @property
    def snapshot(self) -> Snapshot | None:
        """The table as last seen or committed; None where there is none."""
        return self._known.snapshot if self._known else None

    @property
    def weight(self) -> int:
        """How many files are held in memory, of the table and of its landing zone."""
        return len(self._known.snapshot.adds) + len(self._known.ledger.files) if self._known else 0

    @property
    def ledger(self) -> Ledger:
        """Which landing files the table contains, as of the snapshot."""
        return self._known.ledger if self._known else Ledger()

    @property
    def digest(self) -> int:
        """The version that the newest digest of the ledger covers; -1 where there is none."""
        return self._known.digest if self._known else -1

    @property
    def checkpoint(self) -> int:
        """The version of the newest checkpoint; -1 where there is none."""
        return self._known.checkpoint if self._known else -1

    def refresh(self, connect: Connect | None = None) -> Snapshot | None:
        """Look at the log's end. Raises LogBroken, LedgerLost, and ForeignWriter where somebody else changed rows.

        ``connect`` gives a DuckDB connection to read a checkpoint with, instead of one opened for it.
        """
        known, self._known = self._known, None  # what fails half-way is not believed
        if known is not None:
            version = known.snapshot.version
            files = list_log(self._store, self._path, version)
            here = files.commits.get(version)
            behind = max(files.commits, default=version) - version
            if here is not None and here.stamp == known.stamp and behind <= COMMITS_PER_CHECKPOINT:
                self._known = self._followed(known, files)
                return self.snapshot
        self._known = self._loaded(connect)
        return self.snapshot

    def commit(
        self,
        actions: Sequence[Action],
        *,
        operation: str,
        parameters: Mapping[str, str],
        metrics: Mapping[str, int],
        record: Mapping[str, Any] | None = None,
    ) -> Snapshot:
        """Put the actions on top of the snapshot, in one step. Raises LostRace where another commit is there."""
        known = self._known
        version = known.snapshot.version + 1 if known else 0
        entry = LogEntry(version, int(time.time() * 1000), operation, record, _changes_data(actions), actions)
        info: dict[str, Any] = {
            "timestamp": entry.timestamp_ms,
            "operation": operation,
            "operationParameters": dict(parameters),
            "isBlindAppend": False,
            "operationMetrics": {name: str(value) for name, value in metrics.items()},
            "engineInfo": ENGINE,
            # makes the file this attempt's own, whatever another writer puts into his
            "txnId": str(uuid.uuid4()),
        }
        if known is not None:
            info["readVersion"] = known.snapshot.version
        if record is not None:
            info[METADATA_KEY] = _dump(record)
        lines = [{"commitInfo": info}, *map(line, actions)]
        data = "".join(_dump(each) + "\n" for each in lines).encode()
        try:
            stored = self._store.create_bytes(commit_path(self._path, version), data)
        except FileExistsError as error:
            raise LostRace(str(error)) from error
        if known is None:
            snapshot = delta_snapshot.first(self._path, version, actions)
            known = _Known(snapshot, Ledger(), None, -1, -1)
        else:
            known = replace(known, snapshot=known.snapshot.then(version, actions))
        self._enter(known.ledger, entry)
        self._known = replace(known, stamp=stored.stamp)
        return known.snapshot

    def save_when_due(self) -> None:
        """Every so many commits save the ledger's digest, then a checkpoint, so that opening stays cheap."""
        known = self._known
        if known is not None and known.snapshot.version - min(known.digest, known.checkpoint) >= COMMITS_PER_CHECKPOINT:
            self.save_digest()
            self.save_checkpoint()

    def save_digest(self) -> None:
        """Save the ledger as of the snapshot: what the log says up to here may be cleaned up afterwards."""
        assert self._known is not None
        version = self._known.snapshot.version
        save_digest(self._store, self._path, self._known.snapshot.metadata.id, self._known.ledger, version)
        self._known = replace(self._known, digest=version)

    def save_checkpoint(self) -> None:
        """Save the table's state, so that reading the log begins here."""
        assert self._known is not None
        write_checkpoint(self._store, self._path)
        self._known = replace(self._known, checkpoint=self._known.snapshot.version)

    def _followed(self, known: _Known, files: LogFiles) -> _Known:
        """``known`` carried on to the newest commit of a listing."""
        snapshot, stamp = known.snapshot, known.stamp
        for version in range(snapshot.version + 1, max(files.commits) + 1):
            entry = delta_snapshot.read_commit(self._store, self._path, version)
            self._enter(known.ledger, entry)
            snapshot, stamp = snapshot.then(version, entry.actions), files.commits[version].stamp
        checkpoint = max([known.checkpoint, *(version for version in files.checkpoints if version <= snapshot.version)])
        return replace(known, snapshot=snapshot, stamp=stamp, checkpoint=checkpoint)

    def _loaded(self, connect: Connect | None) -> _Known | None:
        """What the log says, read from the newest checkpoint and digest on."""
        loaded = delta_snapshot.load(self._store, self._path, connect=connect)
        if loaded is None:
            return None
        snapshot = loaded.snapshot
        digest, ledger = newest_digest(self._store, self._path, snapshot.metadata.id, snapshot.version)
        for version in range(digest + 1, loaded.checkpoint + 1):
            self._enter(ledger, self._read_for_ledger(version))
        for entry in loaded.entries:
            if entry.version > digest:
                self._enter(ledger, entry)
        return _Known(snapshot, ledger, loaded.stamp, digest, loaded.checkpoint)

    def _read_for_ledger(self, version: int) -> LogEntry:
        try:
            return read_entry(self._store, self._path, version)
        except FileNotFoundError:
            raise LedgerLost(self._table, version) from None

    def _enter(self, ledger: Ledger, entry: LogEntry) -> None:
        if entry.record is not None:
            files = [AppliedFile(**file) for file in entry.record.get("files", [])]
            told = entry.record.get("generation")
            ledger.add(files, entry.record.get("watermark", 0), Generation.from_json(told) if told else None)
        elif entry.changes_data:
            what = f"an operation {entry.operation or 'without a name'} changed its rows"
            raise ForeignWriter(self._table, entry.version, what)


class DeltaLogs:
    """Logs that outlive a call, for a process that looks at the same tables again and again. For one thread.

    Those not used for longest are let go where all of them together hold more than ``most`` files.
    """

    def __init__(self, most: int = 100_000) -> None:
        self._most = most
        self._logs: OrderedDict[str, DeltaLog] = OrderedDict()

    def of(self, store: ObjectStore, path: str, table: str) -> DeltaLog:
        """The log of the table at ``path``, new or as it was left."""
        where = f"{store.url}/{path}"
        found = self._logs.pop(where, None) or DeltaLog(store, path, table)
        weight = found.weight + sum(log.weight for log in self._logs.values())
        while self._logs and weight > self._most:
            weight -= self._logs.popitem(last=False)[1].weight
        self._logs[where] = found
        return found


def _changes_data(actions: Sequence[Action]) -> bool:
    return any(action.data_change for action in actions if isinstance(action, Add | Remove))


def _dump(said: Mapping[str, Any]) -> str:
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))
