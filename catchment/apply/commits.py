"""One table's commits: what the files of a batch, or of a new load, do to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from catchment.apply.account import Account, Counts
from catchment.apply.batch import Members, refuse_keyless, work_out, work_out_first, work_out_keyless
from catchment.apply.engine import Engine
from catchment.apply.generation import Load, settle
from catchment.apply.late import late_files, replay
from catchment.apply.loads import LoadStates
from catchment.apply.pending import Lookout, watermark
from catchment.apply.quarantine import write_rejects
from catchment.apply.schema import evolve, perhaps_renamed, renamings
from catchment.apply.staging import Opened, Stage, Staged
from catchment.apply.swap import check_swap, work_out_rebuild, work_out_swap
from catchment.errors import LoadIncomplete, SchemaConflict, StorageUnavailable
from catchment.landing.contract import TableContract
from catchment.landing.names import Kind, LandingFile
from catchment.landing.shape import FileShape
from catchment.landing.types import DeltaType
from catchment.leases import Held
from catchment.sinks.base import Batch, LostRace, TableState
from catchment.sinks.ledger import Generation
from catchment.storage import ObjectStore

RACES = 5
"""Commits that may be lost to others in a row."""


@dataclass
class Commits:
    """Makes the commits of one call of the applier, and keeps its account."""

    contract: TableContract
    quarantine: ObjectStore
    held: Held
    loads: LoadStates
    engine: Engine
    lookout: Lookout
    account: Account
    aside: set[str] = field(default_factory=set)
    """Paths of files that could not be read while there was no table that could record it."""
    putting: bool = False
    """Whether the commit at work has begun to be put: what fails then may have taken effect."""

    def rename(self) -> None:
        """Give the table's columns the names that the contract says they have now."""
        for _ in range(RACES):
            names = self.contract.renamed and renamings(self.engine.sink.open().columns, self.contract)
            if not names:
                return
            self.engine.stage()
            try:
                self.engine.sink.rename(names, self.held.check)
            except LostRace:
                continue
            self.account.commits += 1
            for former, name in names.items():
                self.account.note(f"column {former!r} is called {name!r} from now on")
        raise StorageUnavailable(str(self.contract.name), f"{RACES} commits lost to others")

    def commit(self, state: TableState, files: Sequence[LandingFile], first: Load | None) -> None:
        """Commit the files; ``first`` is the load they are, where the table has none yet. Raises LostRace."""
        for part in self.contract.key:
            if state.version is not None and part not in state.columns:
                raise SchemaConflict(str(self.contract.name), part, "no column of the table", "but part of its key")
        stage = self.engine.stage()
        opened = stage.open_all(files, state.columns)
        shapes = [each.shape for each in opened if each.shape]
        target = evolve(state.columns, self.contract, shapes)
        self._doubt(state, target, shapes)
        fresh = self._read(state, stage, opened, target)
        if not target:
            self._set_aside(fresh)
            return
        if first is not None:
            self._check_rows(first, fresh)
        late = late_files(fresh, state.ledger)
        again: list[Staged] = []
        if self.contract.key and late:
            listing = self.lookout.whole(state.ledger)
            found = replay(self.engine.session, stage, self.contract, target, late, fresh, listing, state.ledger)
            again = found.files
            self.account.replayed += len(again)
            if found.missing:
                self.account.note(
                    f"{len(late)} late files, but {found.missing} files they have to be seen with are no longer in "
                    "the landing zone: rows deleted since may have come back"
                )
        members = Members(fresh, again)
        self.engine.staged()
        counts = self._work_out(state, stage, target, members, late)
        reached = max(state.ledger.watermark, watermark(files))
        generation = replace(state.ledger.generation, key=self.contract.key)
        batch = Batch(target, [each.applied for each in fresh], reached, counts.to_json(), generation)
        self._finish(batch, fresh, counts, first)
        self.account.late += len(late)

    def swap(self, state: TableState, load: Load) -> bool:
        """Commit a new load in the place of the present one; False where nothing says what the columns are.

        Raises LostRace.
        """
        ledger, stage, listing = state.ledger, self.engine.stage(), self.lookout.whole(state.ledger)
        generation = Generation(ledger.generation.number + 1, load.floor, self.contract.key)
        reaching = [file.path for file in ledger.reaching(load.floor) if file.path not in listing.rewritten]
        again = [listing.present[path] for path in reaching if path in listing.present]
        opened = stage.open_all([*load.files, *(file for file in again if file.kind is Kind.CHANGES)], state.columns)
        target = evolve(state.columns, self.contract, [each.shape for each in opened if each.shape])
        if not target:
            self.account.waiting = "nothing says what the columns of the reloaded table are: declare them"
            return False
        staged = stage.read_all(opened, target)
        for each in staged:
            settle(self.engine.session, each, load.floor)
        members = Members(staged[: len(load.files)], staged[len(load.files) :])
        self._check_rows(load, members.fresh)
        check_swap(self.contract, target, members.fresh)
        if len(again) < len(reaching):
            self.account.note(f"{len(reaching) - len(again)} files of changes made since the reload began are gone")
        self.engine.staged()
        if not self.contract.key:
            refuse_keyless(self.engine.session, members.all)
        stage.relate(members.all, target)
        rebuilt = state.version is not None and ledger.generation.key not in (None, self.contract.key)
        rebuilt = rebuilt or (state.version is not None and state.partition_by != self.contract.partition_by)
        rebuilt = rebuilt or not self.contract.key or not set(self.contract.key) <= set(state.columns or target)
        arguments = (self.engine.session, self.engine.sink, self.contract, target, members, load.floor)
        counts = work_out_rebuild(*arguments, state.rows) if rebuilt else work_out_swap(*arguments)
        files = [each.applied for each in members.fresh]
        batch = Batch(target, files, ledger.watermark, counts.to_json(), generation, overwrite=rebuilt)
        self._finish(batch, members.fresh, counts, load)
        return True

    def _finish(self, batch: Batch, fresh: Sequence[Staged], counts: Counts, load: Load | None) -> None:
        self._quarantine(fresh)

        def check() -> None:
            self.held.check()
            if load is not None and load.state is not None and self.loads.state(self.contract.name) != load.state:
                raise LostRace("the table is being loaded anew")
            self.putting = True

        self.engine.sink.commit(batch, check)
        self.account.counts += counts
        self.account.files += len(fresh)
        self.account.commits += 1

    def _read(
        self, state: TableState, stage: Stage, opened: Sequence[Opened], target: Mapping[str, DeltaType]
    ) -> list[Staged]:
        staged = stage.read_all(opened, target)
        for each in staged:
            settle(self.engine.session, each, state.ledger.generation.floor)
        return staged

    def _doubt(self, state: TableState, target: Mapping[str, DeltaType], shapes: Sequence[FileShape]) -> None:
        """Say of a column that may have been renamed what it is taken for."""
        for gone, new in perhaps_renamed(state.columns, target, shapes):
            self.account.note(
                f"column {gone!r} no longer comes and {new!r} is new: taken as dropped and added. "
                f"If it was renamed, say so in the tables file: renamed: {{{gone}: {new}}}"
            )

    def _check_rows(self, load: Load, fresh: Sequence[Staged]) -> None:
        """Whether a load's files have the rows that were loaded."""
        found = sum(staged.rows for staged in fresh if staged.opened.file.kind is Kind.LOAD)
        if load.rows is not None and load.rows != found:
            raise LoadIncomplete(str(self.contract.name), found, load.rows)

    def _set_aside(self, unreadable: Sequence[Staged]) -> None:
        """Count and keep files that cannot be read before any other has said what the table's columns are.

        There is no table yet whose commit could record them, so the next call sees them again.
        """
        self._quarantine(unreadable)
        self.aside |= {staged.applied.path for staged in unreadable}
        self.account.counts += Counts(read=len(unreadable), quarantined=len(unreadable))
        self.account.files += len(unreadable)

    def _work_out(
        self,
        state: TableState,
        stage: Stage,
        target: Mapping[str, DeltaType],
        members: Members,
        late: Sequence[Staged],
    ) -> Counts:
        session, sink, floor = self.engine.session, self.engine.sink, state.ledger.generation.floor
        if not self.contract.key:
            refuse_keyless(session, members.fresh)
        stage.relate(members.all, target)
        if self.contract.key:
            first = None if state.files else work_out_first(session, self.contract, target, members, floor)
            return first or work_out(session, sink, self.contract, target, members, floor)
        return work_out_keyless(session, sink, target, members, late, floor)

    def _quarantine(self, fresh: Sequence[Staged]) -> None:
        """Write the rejected records before the commit that counts them, so that none can be lost."""
        for staged in fresh:
            if staged.rejects:
                path = write_rejects(self.quarantine, staged.opened.file, staged.applied.etag, staged.rejects)
                if path not in self.account.quarantine:
                    self.account.quarantine.append(path)
