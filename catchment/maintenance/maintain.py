"""Maintenance of one table: what pays by its own statistics, under the applier's lease, step by step.

Each step leaves the table whole. Killed anywhere, maintenance leaves the same rows; what it had written and not
committed goes with a later clean-up. Between steps the lease is given away, and an applier that came by goes first.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from catchment.apply.budget import Budget
from catchment.errors import ForeignWriter, LeaseTaken
from catchment.landing.contract import TableContract
from catchment.landing.duck import open_duckdb
from catchment.leases import Held, Lease
from catchment.maintenance.cleaning import RETENTION, old_log, retention, unneeded_files
from catchment.maintenance.policy import Horizons, Policy
from catchment.maintenance.report import Report, Step
from catchment.maintenance.rewriting import rewrite
from catchment.maintenance.survey import Unit, live_rows, plan
from catchment.sinks.base import LostRace
from catchment.sinks.delta_actions import Add
from catchment.sinks.delta_files import Part, live_parts
from catchment.sinks.delta_log import list_log
from catchment.sinks.delta_protocol import refusal
from catchment.sinks.delta_snapshot import Snapshot, load
from catchment.sinks.delta_table import DeltaLog
from catchment.storage import ObjectStore


def maintain_table(
    *,
    contract: TableContract,
    lake: ObjectStore,
    lease: Lease,
    budget: Budget,
    now: Callable[[], datetime],
    horizons: Horizons = Horizons(),  # noqa: B008 -- frozen
    policy: Policy = Policy(),  # noqa: B008 -- frozen
    dry_run: bool = False,
) -> Report:
    """Do what pays for one table, or with ``dry_run`` say what would be done, without a lease.

    ``budget`` bounds DuckDB's memory, and by ``seconds`` the call: no step is begun after them. ``now`` is aware of its
    zone. Raises LeaseTaken, StorageUnavailable (trying again may help), ForeignWriter, LedgerLost, LogBroken,
    DamagedVector (it cannot).
    """
    run = _Run(contract, lake, lease, budget, now, horizons, policy)
    if dry_run:
        run.foresee()
    else:
        run.work()
    return run.report


@dataclass
class _Run:
    contract: TableContract
    lake: ObjectStore
    lease: Lease
    budget: Budget
    now: Callable[[], datetime]
    horizons: Horizons
    policy: Policy

    def __post_init__(self) -> None:
        name = self.contract.name
        self._path = f"{name.schema}/{name.table}"
        self._log = DeltaLog(self.lake, self._path, str(name))
        self.report = Report(str(name))
        self._until = None if self.budget.seconds is None else self.now() + timedelta(seconds=self.budget.seconds)

    def foresee(self) -> None:
        """Report what the figures of this moment call for."""
        table = self._open()
        if table is None:
            return
        for unit in self._plan(table):
            size = sum(part.size for part in unit.parts)
            self.report.steps.append(Step(unit.kind, unit.why, len(unit.parts), 0, live_rows(unit.parts), size))
        self._checkpoint(table, dry_run=True)
        self._clean_log(None)
        self._clean_files(None)

    def work(self) -> None:
        """Step after step, the lease given away in between."""
        for step in (self._rewrite, self._save, self._clean_log, self._clean_files):
            while self._turn(step):
                pass
            if not self.report.done:
                return

    def _turn(self, step: Callable[[Held], bool]) -> bool:
        """One step under the lease; whether there is more of its kind to do."""
        if self._until is not None and self.now() >= self._until:
            self.report.done = False
            return False
        try:
            held = self.lease.acquire(str(self.contract.name))
        except LeaseTaken:
            if not self.report.steps:
                raise
            self.report.done = False
            return False
        try:
            held.look()
            more = step(held)
        except LostRace as race:
            self.report.notes.append(f"another writer's commit came first: {race}")
            self.report.done, more = False, False
        finally:
            if not held.release():
                held.release(force=True)
                self.report.poked = True
        if self.report.poked and more:
            self.report.done = False
        return more and self.report.done

    def _open(self) -> Snapshot | None:
        table = self._log.refresh()
        if table is None:
            return None
        self.report.version = table.version
        if (why := refusal(table.protocol, table.metadata)) is not None:
            raise ForeignWriter(str(self.contract.name), table.version, why)
        return table

    def _plan(self, table: Snapshot) -> list[Unit]:
        """What pays in each partition."""
        apart: dict[tuple[str | None, ...], list[Part]] = {}
        for part in live_parts(table.adds.values()):
            values = tuple(part.add.partition_values.get(name) for name in table.metadata.partition_columns)
            apart.setdefault(values, []).append(part)
        key = [name for name in self.contract.key if name not in table.metadata.partition_columns]
        vectors = self.contract.deletion_vectors
        return [unit for parts in apart.values() for unit in plan(parts, key, self.policy, vectors=vectors)]

    def _rewrite(self, held: Held) -> bool:
        table = self._open()
        if table is None or not (units := _some(self._plan(table), self.policy.unit_bytes)):
            return False
        before = list(table.adds.values())
        written = self._written(table, units)
        moment = int(time.time() * 1000)
        removes = [before[part.number].removed(moment, data_change=False) for unit in units for part in unit.parts]
        adds = [replace(add, data_change=False) for each in written for add in each]
        held.check()
        after = self._log.commit(
            [*removes, *adds],
            operation="OPTIMIZE",
            parameters={"reasons": "; ".join(unit.why for unit in units)},
            metrics={"numAddedFiles": len(adds), "numRemovedFiles": len(removes)},
        )
        self.report.version = after.version
        for unit, new in zip(units, written, strict=True):
            size = sum(part.size for part in unit.parts)
            rows = live_rows(unit.parts)
            self.report.steps.append(Step(unit.kind, unit.why, len(unit.parts), len(new), rows, size))
        return True

    def _written(self, table: Snapshot, units: Sequence[Unit]) -> list[list[Add]]:
        """The new files of each unit."""
        key, target = self.contract.key, self.policy.target_bytes
        with tempfile.TemporaryDirectory(prefix="catchment-") as folder:
            files = Path(folder) / "files"
            files.mkdir()
            con = open_duckdb(Path(folder), self.budget.memory_mb, self.budget.threads)
            try:
                return [rewrite(con, self.lake, self._path, files, each, table.columns, key, target) for each in units]
            finally:
                con.close()

    def _save(self, held: Held) -> bool:
        table = self._open()
        if table is not None:
            self._remember_removals(table, held)
            self._checkpoint(table, dry_run=False)
        return False

    def _remember_removals(self, table: Snapshot, held: Held) -> None:
        """Have checkpoints remember removed files for as long as they are kept."""
        kept = retention(table.metadata.configuration)
        if kept is None or kept >= self.horizons.files:
            return
        days = f"interval {self.horizons.file_days} days"
        held.check()
        self._log.commit(
            [table.metadata.configured({RETENTION: days})],
            operation="SET TBLPROPERTIES",
            parameters={"properties": RETENTION},
            metrics={},
        )

    def _checkpoint(self, table: Snapshot, *, dry_run: bool) -> None:
        behind = table.version - max(self._log.checkpoint, -1)
        if behind < self.policy.commits:
            return
        if not dry_run:
            self._log.save_digest()
            self._log.save_checkpoint()
        self.report.steps.append(Step("checkpoint", f"a reader has to read {behind} commits one by one"))

    def _clean_log(self, held: Held | None) -> bool:
        if self._open() is None:
            return False
        digest = self._log.digest if held else self.report.version or 0
        old = old_log(list_log(self.lake, self._path, 0), digest, self.now() - self.horizons.log)
        if old and held:
            held.check()
            for path in old:  # the oldest first: what is left is whole, whenever this ends
                self.lake.delete(path)
        if old:
            why = f"older than {self.horizons.log_days} days, and a checkpoint and the ledger's digest have them"
            self.report.steps.append(Step("log", why, len(old)))
        return False

    def _clean_files(self, held: Held | None) -> bool:
        found = load(self.lake, self._path, tombstones=True)
        if found is None:
            return False
        kept = retention(found.snapshot.metadata.configuration)
        if kept is None:
            self.report.notes.append(f"no file is removed: {RETENTION} is in words that are not understood here")
            return False
        age = max(kept, self.horizons.files)
        old = unneeded_files(self.lake, self._path, found.snapshot, self.now() - age)
        if old and held:
            held.check()
            for stored in old:
                self.lake.delete(stored.path)
        if old:
            why = f"no version of the last {age.days} days has them"
            self.report.steps.append(Step("files", why, len(old), bytes=sum(stored.size for stored in old)))
        return False


def _some(units: Sequence[Unit], limit: int) -> list[Unit]:
    """The first unit, and those behind it that fit into one commit with it."""
    chosen: list[Unit] = []
    size = 0
    for unit in units:
        size += sum(part.size for part in unit.parts)
        if chosen and size > limit:
            break
        chosen.append(unit)
    return chosen
