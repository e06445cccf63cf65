"""From landing files to a table that holds what the source held: one table, one call."""

from __future__ import annotations

import logging
import tempfile
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from catchment.apply.account import Account
from catchment.apply.budget import Budget
from catchment.apply.commits import RACES, Commits
from catchment.apply.engine import Engine, OpenEngine, open_duck_engine
from catchment.apply.generation import Plan, newest_load, plan
from catchment.apply.loads import LoadStates, UnwatchedLoads
from catchment.apply.pending import Listing, Lookout, take
from catchment.apply.route import Decision, Stored, Waiting
from catchment.errors import CatchmentError, StorageUnavailable
from catchment.landing.contract import TableContract
from catchment.landing.names import Kind, LandingFile
from catchment.leases import Held, Lease
from catchment.reload.request import ReloadRequest, read_request
from catchment.sinks.base import LostRace, TableState
from catchment.storage import ObjectStore

_LOG = logging.getLogger(__name__)
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
            commits = Commits(contract, quarantine, held, loads, engine, lookout, Account(str(contract.name)))
            run = _Run(contract, landing, lake, held, budget, now, loads, engine, lookout, route, commits)
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
    held: Held
    budget: Budget
    now: Callable[[], datetime]
    loads: LoadStates
    engine: Engine
    lookout: Lookout
    route: Route | None
    commits: Commits

    def __post_init__(self) -> None:
        self.account = self.commits.account
        self._asked: ReloadRequest | None = None
        self._until = None if self.budget.seconds is None else self.now() + timedelta(seconds=self.budget.seconds)

    def catch_up(self) -> None:
        """Commit batch after batch until nothing is new or the budget's time is over."""
        lost = 0
        self.commits.rename()
        while True:
            self.held.look()
            state = self.engine.sink.open()
            listing = self.lookout.look(state.ledger)
            step = plan(self.contract, state, listing, self._request(listing), self.loads)
            self._report(state, listing, step)
            new = [file for file in step.files if file.path not in self.commits.aside]
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
                        self.commits.commit(state, take(new, self.budget, most), step.first)
                    elif not self.commits.swap(state, step.swap):
                        break
                lost = 0
                self.engine.sink.save_ledger()
            except LostRace as race:
                lost += 1
                self.lookout.start_over()
                if lost == RACES:
                    raise StorageUnavailable(str(self.contract.name), f"{lost} commits lost to others") from race
        state.ledger.forget(self.lookout.gone)

    @contextmanager
    def _unless_overtaken(self, state: TableState) -> Iterator[None]:
        """What fails when the table is not what it was any more is a lost race: files, or their types, may be gone.

        But not once the commit is being put: the other version may be this one's own.
        """
        self.commits.putting = False
        try:
            yield
        except (CatchmentError, LostRace):
            raise
        except Exception as error:
            if self.commits.putting:
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
