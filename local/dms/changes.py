"""The change stream's meaning: messages into per-table buffers, buffers into files, and the safe position."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from local.dms import pgoutput
from local.dms.layout import Commit
from local.dms.plan import TaskPlan
from local.dms.policies import TableSuspended, TaskFailed
from local.dms.rows import Lookup, RowMaker, without
from local.dms.sender import FileSender
from local.dms.shapes import Relation, TableShape
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

_INSERT, _UPDATE, _DELETE = b"IUD"
_BEGIN, _COMMIT, _RELATION, _TRUNCATE = b"BCRT"
_ROWS = frozenset((_INSERT, _UPDATE, _DELETE))


@dataclass
class _Buffer:
    """A table's changes that are in no file yet. ``safe`` is the position to start from to get them again."""

    maker: RowMaker
    messages: list[bytes] = field(default_factory=list)
    commits: list[Commit] = field(default_factory=list)
    counters: list[int] = field(default_factory=list)
    size: int = 0
    deadline: float = 0.0
    safe: Position = field(default_factory=lambda: Position(0, 0))


class ChangeWriter:
    """Takes pgoutput messages in stream order and writes change files as DMS does.

    ``tables`` are the captured tables' names, ``statistics`` their lines to keep, ``position`` where the stream
    starts, ``shape_of`` resolves a relation message, ``clock`` gives seconds since 1970.
    """

    def __init__(
        self,
        plan: TaskPlan,
        sender: FileSender,
        statistics: dict[str, TableStatistics],
        position: Position,
        shape_of: Callable[[Relation], TableShape],
        clock: Callable[[], float],
        lookup: Lookup | None = None,
    ) -> None:
        self._plan, self._sender, self._statistics = plan, sender, statistics
        self._shape_of, self._clock, self._lookup = shape_of, clock, lookup
        self._interval = float(plan.s3["CdcMaxBatchInterval"])
        self._file_bytes = min(int(plan.s3["CdcMinFileSize"]) * 1024, BUFFER_LIMIT)
        self._relations: dict[bytes, _Buffer | None] = {}
        self._known: dict[bytes, Relation] = {}
        self._commit = Commit.at(0)
        self._at = position
        self.counter = position.counter
        self.in_transaction = False
        self.suspended: dict[str, str] = {}
        """Tables that stopped with an error, and why."""

    def feed(self, messages: Iterable[bytes]) -> None:
        """Take messages. Raises TaskFailed when one of them ends the task, StreamCut as the adversary likes."""
        relations = self._relations
        for message in messages:
            kind = message[0]
            if kind in _ROWS:
                self.counter += STEP
                buffer = relations[message[1:5]]
                if buffer is None:
                    continue
                if not buffer.messages:
                    self._open(buffer)
                buffer.messages.append(message)
                buffer.commits.append(self._commit)
                buffer.counters.append(self.counter)
                buffer.size += len(message)
                if buffer.size >= self._file_bytes:
                    self._flush(buffer)
            elif kind == _BEGIN:
                self.counter += STEP
                self.in_transaction = True
                self._commit = Commit.at(pgoutput.begin_commit_time(message))
            elif kind == _COMMIT:
                self.counter += STEP
                self.in_transaction = False
                self._at = Position(pgoutput.commit_end(message), self.counter)
            elif kind == _RELATION:
                self._learn(pgoutput.parse_relation(message))
            elif kind == _TRUNCATE:
                self.counter += STEP
                self._truncate(message)
        self._limit_memory()

    def caught_up(self, lsn: int) -> None:
        """Nothing of the stream up to ``lsn`` is missing; only between transactions."""
        if not self.in_transaction and lsn > self._at.lsn:
            self._at = Position(lsn, self.counter)

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
            for relation in [known for known in self._known.values() if f"{known.schema}.{known.table}" == name]:
                self._learn(relation)

    def _open_buffers(self) -> list[_Buffer]:
        return [buffer for buffer in self._relations.values() if buffer is not None and buffer.messages]

    def _open(self, buffer: _Buffer) -> None:
        buffer.deadline = self._clock() + self._interval
        buffer.safe = self._at

    def _learn(self, relation: Relation) -> None:
        name = f"{relation.schema}.{relation.table}"
        self._known[relation.relation_id] = relation
        if name not in self._statistics or name in self.suspended:
            self._relations[relation.relation_id] = None
            return
        shape = self._shape_of(relation)
        known = self._relations.get(relation.relation_id)
        if known is not None:
            if known.maker.shape == shape:
                return
            # earlier rows keep their structure: a changed table begins a new file
            if known.messages:
                self._flush(known)
            self._statistics[name].ddls += 1
        self._relations[relation.relation_id] = _Buffer(self._maker(shape))

    def _maker(self, shape: TableShape) -> RowMaker:
        return RowMaker(
            shape,
            self._plan.layout(shape),
            self._plan.lob_limit(shape),
            full_rows=self._plan.uses_full_rows,
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

    def _truncate(self, message: bytes) -> None:
        for buffer in self._truncated(message):
            shape = buffer.maker.shape
            self._statistics[shape.name].ddls += 1
            if self._plan.settings["ChangeProcessingDdlHandlingPolicy"]["HandleSourceTableTruncated"]:
                self._flush(buffer) if buffer.messages else None
                self._sender.delete_table(shape)
            elif self._plan.policy.fail_on_truncate:
                why = f"{shape.name} was truncated at the source (ApplyErrorFailOnTruncationDdl)"
                self._flush(buffer) if buffer.messages else None
                # resumed, the task goes on without the table until it is loaded again
                self.suspend(TableSuspended(shape.name, why))
                raise TaskFailed(why)
            else:
                log.warning("%s was truncated at the source: nothing in the files says so", shape.name)

    def _truncated(self, message: bytes) -> Iterator[_Buffer]:
        for relation in pgoutput.truncated_relations(message):
            buffer = self._relations.get(relation)
            if buffer is not None:
                yield buffer

    def _limit_memory(self) -> None:
        waiting = self._open_buffers()
        while waiting and sum(buffer.size for buffer in waiting) > BUFFER_LIMIT:
            largest = max(waiting, key=lambda buffer: buffer.size)
            self._flush(largest)
            waiting.remove(largest)
