"""What runs the applier's work: a session, the sink that goes with it, and a way to read landing files into it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Protocol

from catchment.apply.budget import Budget
from catchment.apply.staging import DuckStage, Stage
from catchment.apply.unheld import FindUnheld, all_held
from catchment.changes.session import DuckSession, Session
from catchment.landing.contract import TableContract
from catchment.landing.duck import open_duckdb
from catchment.sinks.base import Sink
from catchment.sinks.delta import DeltaSink
from catchment.sinks.delta_table import DeltaLogs
from catchment.sinks.merge_on_read import MaskingPolicy
from catchment.storage import ObjectStore


class Engine(Protocol):
    """One table's work on one engine, for one call of the applier."""

    @property
    def session(self) -> Session:
        """Where the steps run."""
        ...

    @property
    def sink(self) -> Sink:
        """The table, reached through the session."""
        ...

    def stage(self) -> Stage:
        """Empty the session for the next batch."""
        ...

    def staged(self) -> None:
        """All files of the batch are read."""
        ...


OpenEngine = Callable[[TableContract, ObjectStore, ObjectStore, Budget, Path], AbstractContextManager[Engine]]
"""Opens an engine for a contract, a landing zone and a lake, within a budget, with a scratch folder."""

_MASKING = MaskingPolicy()


@contextmanager
def open_duck_engine(
    contract: TableContract,
    landing: ObjectStore,
    lake: ObjectStore,
    budget: Budget,
    scratch: Path,
    masking: MaskingPolicy = _MASKING,
    logs: DeltaLogs | None = None,
) -> Iterator[Engine]:
    """DuckDB in this process; tables by copy-on-write, and by ``masking`` too where the contract asks for it.

    ``logs`` keeps what is known of tables between calls.
    """
    # a call that finds nothing to do never opens it
    session = DuckSession(partial(open_duckdb, scratch, budget.memory_mb, budget.threads))
    try:
        chosen = masking if contract.deletion_vectors else None
        files = scratch / "files"
        sink = DeltaSink(session, lake, contract.name, files, chosen, logs, contract.partition_by)
        yield DuckEngine(session, sink, contract, landing, files)
    finally:
        session.close()


class DuckEngine:
    """DuckDB with any sink; rows with values that ``unheld`` tells of are quarantined."""

    def __init__(
        self,
        session: DuckSession,
        sink: Sink,
        contract: TableContract,
        landing: ObjectStore,
        files: Path,
        unheld: FindUnheld = all_held,
    ) -> None:
        self.session, self.sink, self._contract, self._landing = session, sink, contract, landing
        self._unheld = unheld
        self._files = files  # local copies of landing and data files, for one batch

    def stage(self) -> Stage:
        """Empty the session for the next batch."""
        shutil.rmtree(self._files, ignore_errors=True)
        self._files.mkdir()
        self.session.con.execute("SET preserve_insertion_order = true")  # the numbers of CSV records depend on it
        return DuckStage(self.session.con, self._contract, self._landing, self._files, self._unheld)

    def staged(self) -> None:
        """All files of the batch are read."""
        # Every row carries its number by now; without an order to keep, DuckDB holds far less in memory at a time.
        self.session.con.execute("SET preserve_insertion_order = false")
