"""One life of a replication task: select, load, stream, obey, until it is told to stop."""

from __future__ import annotations

import json
import logging
import signal
import socket
import time
from dataclasses import replace

from local.dms.access import AwsAccess
from local.dms.changes import FIRST_COUNTER, ChangeWriter
from local.dms.chaos import Chaos
from local.dms.load import TableLoad
from local.dms.metrics import MetricsPublisher, figures
from local.dms.plan import TaskPlan
from local.dms.policies import TableSuspended, TaskFailed
from local.dms.sender import FileSender, StreamCut
from local.dms.shapes import SourceTable, TableShape
from local.dms.sources import KINDS
from local.dms.state import Checkpoint, Position, TableStatistics, TaskStatus
from local.dms.stream import ChangeStream

log = logging.getLogger("dms")

NEW_SEQUENCE_GAP = 1_000_000_000
"""How far the counter jumps where a change sent again gets another sequence: beyond any that is in a file already."""


class TaskRun:
    """One life of a task, from its start to its stop."""

    def __init__(self, plan: TaskPlan) -> None:
        self._plan = plan
        self._stop = False
        self._wakeup, self._waker = socket.socketpair()
        self._waker.setblocking(False)
        self._status_file = plan.folder / "status.json"
        self._checkpoint_file = plan.folder / "checkpoint.json"
        self.status = (TaskStatus.read(self._status_file) if plan.resume else None) or TaskStatus()
        self.status.state, self.status.failure, self.status.stop_reason = "running", "", ""
        access = AwsAccess.from_environment()
        self._source = KINDS[plan.source["EngineName"]].open(plan, access.source_address(plan.source))
        self._sender = FileSender(plan, access.target(plan.target_url, plan.s3), Chaos(plan.chaos_seed), time.time)
        self._writer: ChangeWriter | None = None
        self._stream: ChangeStream | None = None
        self._figures: dict[str, float] = {}

    def request_stop(self, *_: object) -> None:
        """Stop in an orderly way as soon as possible (SIGTERM)."""
        self._stop = True

    def run(self) -> str:
        """Run to the end; the StopReason. Raises TaskFailed, the driver's errors, botocore's errors."""
        signal.signal(signal.SIGTERM, self.request_stop)
        signal.signal(signal.SIGUSR1, lambda *_: None)
        signal.set_wakeup_fd(self._waker.fileno())
        metrics = MetricsPublisher(AwsAccess.from_environment(), self._plan.dimensions, lambda: self._figures)
        metrics.start()
        try:
            checkpoint = self._begin()
            if not checkpoint.streaming:
                self._load_all(checkpoint)
            if self._plan.kind == "full-load":
                return "NORMAL" if self._stop else "FULL_LOAD_ONLY_FINISHED"
            while not self._stop:
                self._stream_until_cut(checkpoint)
            return "NORMAL"
        finally:
            metrics.stop()
            self._report()

    def _begin(self) -> Checkpoint:
        saved = Checkpoint.read(self._checkpoint_file) if self._plan.resume else None
        if saved is not None:
            self._sender.ordinals = dict(saved.files)
            self._follow_selection(saved)
            return saved
        tables = self._select_tables()
        position = Position(0, FIRST_COUNTER)
        if self._plan.kind != "full-load":
            position = Position(self._source.begin(tables), FIRST_COUNTER)
        now = time.time()
        self.status.started = now
        self.status.tables = {t.shape.name: TableStatistics(t.shape.schema, t.shape.table) for t in tables}
        checkpoint = Checkpoint(position, now, streaming=self._plan.kind == "cdc")
        checkpoint.write(self._checkpoint_file)
        self._report()
        return checkpoint

    def _select_tables(self) -> list[SourceTable]:
        chosen = [name for name in self._source.tables() if self._plan.rules.selects(*name)]
        found = [table for name in chosen if (table := self._definition(*name)) is not None]
        if not found and self._plan.settings["ErrorBehavior"]["FailOnNoTablesCaptured"]:
            raise TaskFailed(
                "No tables were found at task start: the table mappings match none (FailOnNoTablesCaptured)"
            )
        return found

    def _definition(self, schema: str, table: str) -> SourceTable | None:
        try:
            return self._source.read(schema, table)
        except TableSuspended:  # its line will say so when it is to be loaded, or changes
            return SourceTable(TableShape(schema, table, (), ()))

    def _follow_selection(self, checkpoint: Checkpoint) -> None:
        # a resumed task takes tables that its mappings select now, and leaves those they no longer do
        selected = {table.shape.name: table for table in self._select_tables()}
        lines = self.status.tables
        fresh = [table for name, table in selected.items() if name not in lines]
        if fresh and self._plan.kind != "full-load":
            self._source.admit(fresh)
        for table in fresh:
            lines[table.shape.name] = TableStatistics(table.shape.schema, table.shape.table)
        for name in [name for name in lines if name not in selected]:
            del lines[name]
        if fresh and self._plan.kind != "cdc":
            checkpoint.streaming = False

    def _load_all(self, checkpoint: Checkpoint) -> None:
        self.status.load_started = self.status.load_started or time.time()
        for name, line in self.status.tables.items():
            if name in checkpoint.loaded or name in checkpoint.suspended:
                continue
            if self._stop:
                return
            self._load_table(line, checkpoint, first=True)
        checkpoint.streaming = self._plan.kind != "full-load"
        checkpoint.write(self._checkpoint_file)
        self.status.load_finished = time.time()
        self._report()

    def _load_table(self, line: TableStatistics, checkpoint: Checkpoint, *, first: bool) -> None:
        name = f"{line.schema}.{line.table}"
        reloading = line.state == "Table is being reloaded"
        try:
            table = self._source.read(line.schema, line.table)
            if table is None:
                line.state = "Table does not exist"
                return
            line.state = line.state if reloading else "Full load"
            self._report()
            load = TableLoad(
                self._plan, self._sender, table, line, task_start=self.status.started, clock=time.time, tick=self._tick
            )
            with self._source.loading(first=first) as reader:
                rows = load.run(reader)
        except TableSuspended as error:
            log.error("table %s is suspended: %s", name, error.why)
            line.state, line.message = "Table error", error.why
            checkpoint.suspended[name] = error.why
        else:
            line.state, line.reloaded = "Table completed", reloading or line.reloaded
            log.info("table %s loaded: %d rows", name, rows)
            checkpoint.loaded.append(name)
        checkpoint.write(self._checkpoint_file)
        self._report()

    def _stream_until_cut(self, checkpoint: Checkpoint) -> None:
        start = self._starting_point(checkpoint)
        self._writer = ChangeWriter(
            self._plan,
            self._sender,
            self.status.tables,
            start,
            self._source.decode,
            time.time,
            self._source.lookup,
        )
        self._writer.suspended.update(checkpoint.suspended)
        self._writer.truncated.update(checkpoint.truncated)
        changes = self._source.changes(start)
        self._stream = ChangeStream(
            changes,
            self._writer,
            start,
            confirm=lambda position: self._save(checkpoint, position),
            report=self._report,
            obey=lambda: self._obey(checkpoint),
            clock=time.time,
            wakeup=self._wakeup,
        )
        self.status.position = self.status.position or self._source.spell(start.lsn)
        log.info("streaming from %s", self._source.spell(start.lsn))
        try:
            self._stream.run()
        except StreamCut:
            log.warning("the stream is cut; going on from %s", self._source.spell(checkpoint.position.lsn))
            self._sender.forget_held()
            checkpoint.highest = max(checkpoint.highest, self._writer.counter)
        except TaskFailed:
            checkpoint.suspended = dict(self._writer.suspended)
            checkpoint.truncated = dict(self._writer.truncated)
            checkpoint.write(self._checkpoint_file)
            raise
        finally:
            self._stream = None
            changes.close()

    def _starting_point(self, checkpoint: Checkpoint) -> Position:
        position = checkpoint.position
        first = self._writer is None and not self._plan.resume
        if first or self._plan.behaviour.redelivered_sequence == "same":
            return position
        return replace(position, counter=max(position.counter, checkpoint.highest) + NEW_SEQUENCE_GAP)

    def _save(self, checkpoint: Checkpoint, position: Position) -> None:
        assert self._writer is not None
        checkpoint.position = position
        checkpoint.highest = max(checkpoint.highest, self._writer.counter)
        checkpoint.suspended = dict(self._writer.suspended)
        checkpoint.files = dict(self._sender.ordinals)
        checkpoint.write(self._checkpoint_file)
        self.status.position = self._source.spell(position.lsn)
        self._sender.position_saved()
        if self._sender.sent != self.status.files:
            self._report()  # who sees the slot pass a point finds the statistics up to there

    def _obey(self, checkpoint: Checkpoint) -> bool:
        folder = self._plan.folder / "reload"
        for command in sorted(folder.glob("*.json")) if folder.exists() else []:
            for name in json.loads(command.read_text()):
                self._reload(name, checkpoint)
            command.unlink()
        return self._stop

    def _reload(self, name: str, checkpoint: Checkpoint) -> None:
        assert self._writer is not None
        line = self.status.tables[name]
        self._writer.flush_table(name)
        line.state = "Table is being reloaded"
        line.inserts = line.updates = line.deletes = line.ddls = 0
        checkpoint.loaded = [loaded for loaded in checkpoint.loaded if loaded != name]
        checkpoint.suspended.pop(name, None)
        self._load_table(line, checkpoint, first=False)
        if name not in checkpoint.suspended:
            line.message = ""
            self._writer.readmit(name)

    def _tick(self) -> None:
        if self._stream is not None:
            self._stream.keep_alive()

    def _report(self) -> None:
        self.status.files = self._sender.sent
        self._figures = figures(self.status, self._writer, self._stream)
        self.status.write(self._status_file)
