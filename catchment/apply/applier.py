"""From landing files to a table that holds what the source held: one table, one call."""

from __future__ import annotations

import logging
import tempfile
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from catchment.apply.account import Account, Counts
from catchment.apply.batch import Members, refuse_keyless, work_out, work_out_first, work_out_keyless
from catchment.apply.budget import Budget
from catchment.apply.engine import Engine, OpenEngine, open_duck_engine
from catchment.apply.generation import Load, Plan, newest_load, plan, settle
from catchment.apply.late import late_files, replay
from catchment.apply.loads import LoadStates, UnwatchedLoads
from catchment.apply.pending import Listing, Lookout, take, watermark
from catchment.apply.quarantine import write_rejects
from catchment.apply.route import Decision, Stored, Waiting
from catchment.apply.schema import evolve, perhaps_renamed, renamings
from catchment.apply.staging import Opened, Stage, Staged
from catchment.apply.swap import check_swap, work_out_rebuild, work_out_swap
from catchment.errors import CatchmentError, LoadIncomplete, SchemaConflict, StorageUnavailable
from catchment.landing.contract import TableContract
from catchment.landing.names import Kind, LandingFile
from catchment.landing.shape import FileShape
from catchment.landing.types import DeltaType
from catchment.leases import Held, Lease
from catchment.reload.request import ReloadRequest, read_request
from catchment.sinks.base import Batch, LostRace, TableState
from catchment.sinks.ledger import Generation
from catchment.storage import ObjectStore

_LOG = logging.getLogger(__name__)
_RACES = 5
HANDED_OVER_SECONDS = 900
"""How long a table waits for the job that it was handed over to: longer than a job takes to start."""

Route = Callable[[Sequence[Waiting], Stored], Decision]


def apply_table(
    *,
    contract: TableContract,
    landing: ObjectStore,
    lake: ObjectStore,
    quarantine: ObjectStore,
    lease: Lease,
    budget: Budget,
    now: Callable[[], datetime],
    named: Collection[str] | None = None,
    loads: LoadStates = UnwatchedLoads(),  # noqa: B008 - it has no state
    open_engine: OpenEngine = open_duck_engine,
    route: Route | None = None,
) -> Account:
    """Bring one Delta table up to date with its landing files; returns what became of every row read.

    ``named`` are the landing paths that events have announced: given, the folder is listed from shortly before the
    newest applied file on, else whole. ``route`` is asked before each commit; where it says Spark, the call ends and
    leaves the lease to the job that its caller has to start with the token ``account.handed_over``.

    Safe to call at any time, any number of times, by anybody: one holder of the lease works, the others raise
    LeaseTaken, and a holder that was poked looks once more. Each commit is atomic with the record of its files; a
    process killed anywhere leaves an exact table. Raises ReloadSeen, ForeignWriter, LedgerLost, SchemaConflict (trying
    again cannot help) and LeaseTaken, LoadIncomplete, StorageUnavailable (it may).
    """
    held = lease.acquire(str(contract.name))
    released = False
    try:
        with (
            tempfile.TemporaryDirectory(prefix="catchment-") as folder,
            open_engine(contract, landing, lake, budget, Path(folder)) as engine,
        ):
            lookout = Lookout(landing, contract.name, named)
            run = _Run(contract, landing, lake, quarantine, held, budget, now, loads, engine, lookout, route)
            while not released:
                run.catch_up()
                released = run.hand_over() or held.release(force=not run.account.done)
            return run.account
    finally:
        if not released:
            held.release(force=True)


@dataclass
class _Run:
    contract: TableContract
    landing: ObjectStore
    lake: ObjectStore
    quarantine: ObjectStore
    held: Held
    budget: Budget
    now: Callable[[], datetime]
    loads: LoadStates
    engine: Engine
    lookout: Lookout
    route: Route | None

    def __post_init__(self) -> None:
        self.account = Account(str(self.contract.name))
        self._aside: set[str] = set()
        self._asked: ReloadRequest | None = None
        self._putting = False
        self._until = None if self.budget.seconds is None else self.now() + timedelta(seconds=self.budget.seconds)

    def catch_up(self) -> None:
        """Commit batch after batch until nothing is new or the budget's time is over."""
        lost = 0
        self._rename()
        while True:
            self.held.look()
            state = self.engine.sink.open()
            listing = self.lookout.look(state.ledger)
            step = plan(self.contract, state, listing, self._request(listing), self.loads)
            self._report(state, listing, step)
            new = [file for file in step.files if file.path not in self._aside]
            if not new and step.swap is None and (step.waiting or not self._to_create(state)):
                break
            if self._until is not None and self.now() >= self._until:
                self.account.done = False
                break
            most = self._routed(state, step.swap.files if step.swap else new)
            if self.account.handed_over is not None:
                break
            try:
                with self._unless_overtaken(state):
                    if step.swap is None:
                        self._commit(state, take(new, self.budget, most), step.first)
                    elif not self._swap(state, step.swap):
                        break
                lost = 0
                self.engine.sink.save_ledger()
            except LostRace as race:
                lost += 1
                self.lookout.start_over()
                if lost == _RACES:
                    raise StorageUnavailable(str(self.contract.name), f"{lost} commits lost to others") from race
        state.ledger.forget(self.lookout.gone)

    @contextmanager
    def _unless_overtaken(self, state: TableState) -> Iterator[None]:
        """What fails when the table is not what it was any more is a lost race: files, or their types, may be gone.

        But not once the commit is being put: the other version may be this one's own.
        """
        self._putting = False
        try:
            yield
        except (CatchmentError, LostRace):
            raise
        except Exception as error:
            if self._putting:
                raise
            self.held.look()
            if self.engine.sink.open().version == state.version:
                raise
            _LOG.warning("%s: somebody else committed while this failed", self.contract.name, exc_info=True)
            raise LostRace(f"overtaken: {error}") from error

    def _request(self, listing: Listing) -> ReloadRequest | None:
        """The request to reload the table; looked for where it can matter, so that a poke by changes costs nothing."""
        if listing.whole or listing.loads:
            self._asked = read_request(self.lake, self.contract.name)
        return self._asked

    def hand_over(self) -> bool:
        """Leave the lease to the job that is to do the rest, if there is to be one."""
        if self.account.handed_over is None:
            return False
        self.held.hand_over(self.account.handed_over, HANDED_OVER_SECONDS)
        return True

    def _routed(self, state: TableState, files: Sequence[LandingFile]) -> int | None:
        """How many of the files the next commit may take (None: all), or the decision that it is not made here."""
        if self.route is None or not files:
            return None
        waiting = [Waiting(each.suffix, each.object.size, each.kind is Kind.LOAD) for each in files]
        rewritten = not self.contract.deletion_vectors
        decision = self.route(waiting, Stored(state.size, state.files, state.rows, rewritten))
        self.account.route = decision.to_json()
        if decision.engine == "spark":
            self.account.handed_over = f"spark {uuid.uuid4()}"
        return decision.take

    def _report(self, state: TableState, listing: Listing, step: Plan) -> None:
        self.account.generation, self.account.waiting = state.ledger.generation.number, step.waiting
        self.account.load_file = newest_load(listing) if step.waiting else ""
        if step.left_over:
            self.account.note(f"{step.left_over} load files are left over from an older load and not applied")
        self.account.version, self.account.watermark = state.version, state.ledger.watermark
        self.account.rows = state.rows if state.version is not None else None
        self.account.unrecognised = list(listing.unrecognised)

    def _to_create(self, state: TableState) -> bool:
        """Whether a table without any file is to be made: its columns are declared and its folder is there."""
        name = self.contract.name
        return (
            state.version is None
            and self.contract.columns is not None
            and self.landing.has_folder(f"{name.schema}/{name.table}")
        )

    def _commit(self, state: TableState, files: Sequence[LandingFile], first: Load | None) -> None:
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

    def _swap(self, state: TableState, load: Load) -> bool:
        """Commit a new load in the place of the present one; False where nothing says what the columns are."""
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
            self._putting = True

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

    def _rename(self) -> None:
        """Give the table's columns the names that the contract says they have now."""
        for _ in range(_RACES):
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
        raise StorageUnavailable(str(self.contract.name), f"{_RACES} commits lost to others")

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
        self._aside |= {staged.applied.path for staged in unreadable}
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
