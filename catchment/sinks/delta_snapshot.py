"""A Delta table as its log says it is at one version.

A snapshot is made of the newest checkpoint and the commits behind it, and carried forward by further commits, so that
a process which has one reads only what is new.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from catchment.errors import LogBroken
from catchment.landing.types import DeltaType
from catchment.sinks.delta_actions import Action, Add, FileId, Metadata, Protocol, Remove, Txn
from catchment.sinks.delta_checkpoint import Connect, last_checkpoint, read_checkpoint
from catchment.sinks.delta_log import LogEntry, commit_path, list_log, read_entry
from catchment.sinks.delta_schema import columns_of
from catchment.storage import ObjectStore


@dataclass(frozen=True)
class Snapshot:
    """A table at ``version``. ``removes`` are kept only where asked for: the tombstones of a checkpoint can be many."""

    version: int
    protocol: Protocol
    metadata: Metadata
    adds: Mapping[FileId, Add]
    txns: Mapping[str, int]
    removes: Mapping[FileId, Remove] = field(default_factory=dict)

    @cached_property
    def columns(self) -> dict[str, DeltaType]:
        """The columns and their types, the lake's own included. Raises ValueError for a nested one."""
        return columns_of(self.metadata.schema)

    def then(self, version: int, actions: Iterable[Action]) -> Snapshot:
        """The table after one more commit; tombstones are forgotten."""
        return _replay(replace(self, version=version, removes={}), actions, tombstones=False)


@dataclass(frozen=True)
class Loaded:
    """A snapshot and what it was made of: the checkpoint's version (-1: none) and the commits behind it.

    ``stamp`` is the newest commit file's, None where only a checkpoint is left of it.
    """

    snapshot: Snapshot
    checkpoint: int
    entries: Sequence[LogEntry]
    stamp: tuple[int, str | int] | None


def load(store: ObjectStore, path: str, *, tombstones: bool = False, connect: Connect | None = None) -> Loaded | None:
    """Read the newest state of the table at ``path``; None where there is no table. Raises LogBroken.

    ``connect`` gives a DuckDB connection to read a checkpoint with, instead of one opened for it.
    """
    since = last_checkpoint(store, path)
    files = list_log(store, path, since)
    if since and not files.checkpoints:  # the pointer may be older than a clean-up, or wrong
        files = list_log(store, path, 0)
    newest = files.newest
    if newest is None:
        return None
    start = max(files.checkpoints, default=-1)
    entries = [read_commit(store, path, version) for version in range(start + 1, newest + 1)]
    actions = [action for entry in entries for action in entry.actions]
    if start >= 0:
        before = read_checkpoint(store, path, files.checkpoints[start], tombstones=tombstones, connect=connect)
        actions = [*before, *actions]
    stored = files.commits.get(newest)
    snapshot = first(path, newest, actions, tombstones=tombstones)
    return Loaded(snapshot, start, entries, stored.stamp if stored else None)


def read_commit(store: ObjectStore, path: str, version: int) -> LogEntry:
    """A commit that has to be there. Raises LogBroken where it is not."""
    try:
        return read_entry(store, path, version)
    except FileNotFoundError as error:
        raise LogBroken(commit_path(path, version), "is missing between others") from error


def first(where: str, version: int, actions: Iterable[Action], *, tombstones: bool = False) -> Snapshot:
    """The snapshot that the actions of commits 0 to ``version`` (or of a checkpoint, which sums them up) make.

    Raises LogBroken where they do not say what the table is.
    """
    empty = Snapshot(version, _NO_PROTOCOL, _NO_METADATA, {}, {})
    made = _replay(empty, actions, tombstones=tombstones)
    if made.protocol is _NO_PROTOCOL or made.metadata is _NO_METADATA:
        raise LogBroken(where, f"up to version {version} there is no protocol or no metaData")
    return made


def _replay(before: Snapshot, actions: Iterable[Action], *, tombstones: bool) -> Snapshot:
    protocol, metadata = before.protocol, before.metadata
    adds, removes, txns = dict(before.adds), dict(before.removes), dict(before.txns)
    for action in actions:
        match action:
            case Add():
                adds[action.identity] = action
                removes.pop(action.identity, None)
            case Remove():
                adds.pop(action.identity, None)
                if tombstones:
                    removes[action.identity] = action
            case Txn():
                txns[action.app_id] = action.version
            case Protocol():
                protocol = action
            case Metadata():
                metadata = action
    return Snapshot(before.version, protocol, metadata, adds, txns, removes)


_NO_PROTOCOL = Protocol(0, 0)
_NO_METADATA = Metadata("", "")
