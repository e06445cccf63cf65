"""The change stream's meaning: row messages into per-table buffers, buffers into files, and the safe position."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa

from local.dms.layout import Commit
from local.dms.plan import TaskPlan
from local.dms.policies import TableSuspended, TaskFailed
from local.dms.rows import Decode, Lookup, RowMaker, without
from local.dms.sender import FileSender
from local.dms.shapes import TableShape
from local.dms.state import Position, TableStatistics

log = logging.getLogger("dms")

STEP = 4
"""The counter in the change sequence grows by this with every event: begin, row, commit."""
FIRST_COUNTER = 53
"""Where a new task's counter stands, so that its first row gets 61."""
BUFFER_LIMIT = 64 * 1024 * 1024
"""Bytes of messages all buffers may hold; beyond it the largest is written early."""

ROWS_AT_ONCE = 32_768
"""Messages decoded together: enough for numpy, little enough for memory."""

ShapeOf = Callable[[], TableShape]
"""The shape that rows of a relation have from here on. Raises TableSuspended for one that DMS refuses."""


@dataclass
class _Buffer:
    """A table's changes that are in no file yet. ``safe`` is the position to start from to get them again."""

    maker: RowMaker
    messages: list[Any] = field(default_factory=list)
    commits: list[Commit] = field(default_factory=list)
    counters: list[int] = field(default_factory=list)
    size: int = 0
    deadline: float = 0.0
    safe: Position = field(default_factory=lambda: Position(0, 0))


@dataclass(frozen=True)
class _Relation:
    """What the stream calls by one identifier from here on."""

    schema: str
    table: str
    shape: ShapeOf

    @property
    def name(self) -> str:
        return f"{self.schema}.{self.table}"


class ChangeWriter:
    """Takes what a stream says, in its order, and writes change files as DMS does.

    ``statistics`` are the captured tables' lines to keep, ``position`` where the stream starts, ``decode``
    understands the row messages, ``clock`` gives seconds since 1970.
    """

    def __init__(
        self,
        plan: TaskPlan,
        sender: FileSender,
        statistics: dict[str, TableStatistics],
        position: Position,
        decode: Decode,
        clock: Callable[[], float],
        lookup: Lookup | None = None,
    ) -> None:
        self._plan, self._sender, self._statistics = plan, sender, statistics
        self._decode, self._clock, self._lookup = decode, clock, lookup
        self._interval = float(plan.s3["CdcMaxBatchInterval"])
        self._file_bytes = min(int(plan.s3["CdcMinFileSize"]) * 1024, BUFFER_LIMIT)
        self._relations: dict[Hashable, _Buffer | None] = {}
        self._known: dict[Hashable, _Relation] = {}
        self._commit = Commit.at(0)
        self._prefix = position.prefix
        self._at = position
        self.counter = position.counter
        self.in_transaction = False
        self.suspended: dict[str, str] = {}
        """Tables that stopped with an error, and why."""
        self.truncated: dict[str, int] = {}
        """Tables whose TRUNCATE has ended the task, with the log position that it follows."""

    def begin(self, microseconds: int) -> None:
        """A transaction that was committed at that time since 1970 begins."""
        self.counter += STEP
        self.in_transaction = True
        self._commit = Commit.at(microseconds)
        if self._commit.prefix >= self._prefix:
            self._prefix = self._commit.prefix
        elif self._plan.behaviour.sequence == "rising":
            self._commit = replace(self._commit, prefix=self._prefix)

    def row(self, relation: Hashable, message: Any, size: int) -> None:
        """A row of a relation that was defined before, of about so many bytes.

        Raises TaskFailed when the row ends the task, StreamCut as the adversary likes.
        """
        self.counter += STEP
        buffer = self._relations[relation]
        if buffer is None:
            return
        if not buffer.messages:
            self._open(buffer)
        buffer.messages.append(message)
        buffer.commits.append(self._commit)
        buffer.counters.append(self.counter)
        buffer.size += size
        if buffer.size >= self._file_bytes:
            self._flush(buffer)

    def commit(self, lsn: int) -> None:
        """The transaction ends; the log goes on at ``lsn``."""
        self.counter += STEP
        self.in_transaction = False
        self._at = Position(lsn, self.counter, self._prefix)

    def define(self, relation: Hashable, schema: str, table: str, shape: ShapeOf) -> None:
        """From here on the stream calls a table so, and its rows look like that."""
        self._known[relation] = _Relation(schema, table, shape)
        self._learn(relation)

    def wants(self, relation: Hashable) -> bool:
        """Whether rows of a relation that was defined before are written."""
        return self._relations[relation] is not None

    def pass_over(self, relation: Hashable, rows: Callable[[], int]) -> None:
        """Rows of a relation that is not wanted. Those of a suspended table count, as they did before it stopped."""
        if self._known[relation].name in self.suspended:
            self.counter += STEP * rows()

    def drop(self, schema: str, table: str) -> None:
        """A table is no more."""
        name = f"{schema}.{table}"
        if name not in self._statistics or name in self.suspended:
            return
        self.flush_table(name)
        self._statistics[name].ddls += 1
        if self._plan.settings["ChangeProcessingDdlHandlingPolicy"]["HandleSourceTableDropped"]:
            self._sender.delete_table(TableShape(schema, table, (), ()))
        else:
            log.warning("%s was dropped at the source: its files stay", name)

    def truncate(self, relations: Iterable[Hashable]) -> None:
        """Tables were emptied at a stroke. Raises TaskFailed where the settings say so."""
        self.counter += STEP
        for relation in relations:
            buffer = self._relations.get(relation)
            if buffer is not None:
                self._truncate(buffer)

    def relations_of(self, name: str) -> list[Hashable]:
        """What the stream calls the table ``schema.table``."""
        return [relation for relation, known in self._known.items() if known.name == name]

    def caught_up(self, lsn: int) -> None:
        """Nothing of the stream up to ``lsn`` is missing; only between transactions."""
        if not self.in_transaction and lsn > self._at.lsn:
            self._at = Position(lsn, self.counter, self._prefix)

    @property
    def position(self) -> Position:
        """How far the stream is read, in whole transactions."""
        return self._at

    def safe_position(self) -> Position:
        """Everything up to here is in files."""
        held = [buffer.safe for buffer in self._open_buffers()] + self._sender.held_positions()
        return min([self._at, *held], key=lambda position: position.lsn)

    def flush_due(self) -> float | None:
        """Write the files whose time has come; when the next one is due, None if nothing waits."""
        now = self._clock()
        for buffer in self._open_buffers():
            if buffer.deadline <= now:
                self._flush(buffer)
        self._sender.release_due(now)
        due = [buffer.deadline for buffer in self._open_buffers()]
        release = self._sender.next_release()
        return min([*due, release] if release is not None else due, default=None)

    def flush_all(self) -> None:
        """Write everything that waits."""
        for buffer in self._open_buffers():
            self._flush(buffer)
        self._sender.release_all()

    def flush_table(self, name: str) -> None:
        """Write what waits for one table."""
        for buffer in self._open_buffers():
            if buffer.maker.shape.name == name:
                self._flush(buffer)

    def oldest_waiting(self) -> float | None:
        """Commit time of the oldest change that is in no file yet, in seconds since 1970."""
        oldest = min((b.commits[0].microseconds for b in self._open_buffers()), default=None)
        return None if oldest is None else oldest / 1e6

    @property
    def last_commit(self) -> float:
        """Commit time of the transaction read last, in seconds since 1970; 0 before the first."""
        return self._commit.microseconds / 1e6

    @property
    def waiting_rows(self) -> int:
        """How many changes are in no file yet."""
        return sum(len(buffer.messages) for buffer in self._open_buffers())

    def suspend(self, error: TableSuspended) -> None:
        """Stop one table loudly; its changes are no longer written."""
        log.error("table %s is suspended: %s", error.table, error.why)
        self.suspended[error.table] = error.why
        line = self._statistics[error.table]
        line.state, line.message = "Table error", error.why
        for relation, buffer in self._relations.items():
            if buffer is not None and buffer.maker.shape.name == error.table:
                self._relations[relation] = None

    def readmit(self, name: str) -> None:
        """Write a suspended table's changes again, from here on: it has been loaded anew."""
        if self.suspended.pop(name, None) is not None:
            for relation in self.relations_of(name):
                self._learn(relation)

    def _open_buffers(self) -> list[_Buffer]:
        return [buffer for buffer in self._relations.values() if buffer is not None and buffer.messages]

    def _open(self, buffer: _Buffer) -> None:
        buffer.deadline = self._clock() + self._interval
        buffer.safe = self._at

    def _learn(self, relation: Hashable) -> None:
        known = self._known[relation]
        if known.name not in self._statistics or known.name in self.suspended:
            self._relations[relation] = None
            return
        try:
            shape = known.shape()
        except TableSuspended as error:
            self.suspend(error)
            self._relations[relation] = None
            return
        buffer = self._relations.get(relation)
        if buffer is not None:
            if buffer.maker.shape == shape:
                return
            # earlier rows keep their structure: a changed table begins a new file
            if buffer.messages:
                self._flush(buffer)
            self._statistics[known.name].ddls += 1
        self._relations[relation] = _Buffer(self._maker(shape))

    def _maker(self, shape: TableShape) -> RowMaker:
        return RowMaker(
            shape,
            self._plan.layout(shape),
            self._plan.lob_limit(shape),
            decode=self._decode,
            keep_lobs=bool(shape.key) or self._plan.behaviour.keyless_lob == "value",
            lookup=self._lookup,
        )

    def _flush(self, buffer: _Buffer) -> None:
        shape = buffer.maker.shape
        try:
            rows = pa.concat_tables(self._rows(buffer))
        except TableSuspended as error:
            self.suspend(error)
            return
        if rows.num_rows:
            self._sender.send_changes(shape, rows, buffer.commits[0].microseconds, buffer.safe)
        self._count(shape, rows.column(0))
        buffer.messages, buffer.commits, buffer.counters, buffer.size = [], [], [], 0

    def _rows(self, buffer: _Buffer) -> Iterator[pa.Table]:
        for first in range(0, len(buffer.messages), ROWS_AT_ONCE):
            chosen = slice(first, first + ROWS_AT_ONCE)
            rows, problems = buffer.maker.changes(
                buffer.messages[chosen], buffer.commits[chosen], buffer.counters[chosen]
            )
            yield without(rows, self._plan.policy.rows_to_drop(buffer.maker.shape.name, problems))

    def _count(self, shape: TableShape, operations: pa.ChunkedArray) -> None:
        line = self._statistics[shape.name]
        letters, counts = np.unique(operations.to_numpy(), return_counts=True)
        found = dict(zip(letters.tolist(), counts.tolist(), strict=True))
        line.inserts += found.get("I", 0)
        line.updates += found.get("U", 0)
        line.deletes += found.get("D", 0)
        line.applied_inserts, line.applied_updates, line.applied_deletes = line.inserts, line.updates, line.deletes
        line.updated = self._clock()

    def _truncate(self, buffer: _Buffer) -> None:
        shape = buffer.maker.shape
        self._statistics[shape.name].ddls += 1
        if self._plan.settings["ChangeProcessingDdlHandlingPolicy"]["HandleSourceTableTruncated"]:
            self._flush(buffer) if buffer.messages else None
            self._sender.delete_table(shape)
        elif self._at.lsn <= self.truncated.get(shape.name, -1):
            log.info("the TRUNCATE of %s was told before the task was resumed", shape.name)
        elif self._plan.policy.fail_on_truncate:
            why = f"{shape.name} was truncated at the source (ApplyErrorFailOnTruncationDdl)"
            self._flush(buffer) if buffer.messages else None
            # resumed, the task goes on without the table until it is loaded again
            self.suspend(TableSuspended(shape.name, why))
            self.truncated[shape.name] = self._at.lsn
            raise TaskFailed(why)
        else:
            log.warning("%s was truncated at the source: nothing in the files says so", shape.name)

    def limit_memory(self) -> None:
        """Write the largest buffers early while all of them hold too much."""
        waiting = self._open_buffers()
        while waiting and sum(buffer.size for buffer in waiting) > BUFFER_LIMIT:
            largest = max(waiting, key=lambda buffer: buffer.size)
            self._flush(largest)
            waiting.remove(largest)
