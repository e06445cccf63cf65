"""Somebody else works on the table between any two calls of an applier: exact in the end, or refused by name.

Scope: an engine over a scripted history of two commits; another applier after the lease ran out, compaction, VACUUM,
checkpoints, foreign rows. Each comes in at one call of the applier, whatever call that is.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import CommitProperties, DeltaTable, write_deltalake

from catchment.errors import ForeignWriter, LeaseTaken, StorageUnavailable, Transient
from tests.conformance import script
from tests.conformance.calls import Calls
from tests.conformance.engines import Engine
from tests.conformance.leases import ExpiringLease
from tests.conformance.table import Table

# where the state is read, and where what was worked out from it is written
TELLING = ("held.look", "landing.list", "lake.put", "held.check", "lake.create_bytes", "held.release")


def compact(table: Table) -> None:
    DeltaTable(table.path).optimize.compact(commit_properties=CommitProperties(max_commit_retries=0))


def vacuum(table: Table) -> None:
    DeltaTable(table.path).vacuum(dry_run=False)


def checkpoint(table: Table) -> None:
    DeltaTable(table.path).create_checkpoint()


def append(table: Table) -> None:
    row = pa.table({"tenant": pa.array([7], pa.int32()), "code": ["foreign"]})
    write_deltalake(table.path, row, mode="append", schema_mode="merge")


def delete(table: Table) -> None:
    DeltaTable(table.path).delete("code = 'a'")


HARMLESS = {"compaction": compact, "vacuum": vacuum, "checkpoint": checkpoint}
FOREIGN = {"append": append, "delete": delete}


def interrupted(tmp_path: Path, engine: Engine, *, each: bool) -> list[int]:
    """The calls to come in at."""
    counted = Calls()
    script.apply(script.begin(tmp_path / "counted", engine), counted)
    return [at for at, name in enumerate(counted.names, start=1) if each or name in TELLING]


def check_harmless(tmp_path: Path, engine: Engine, work: Callable[[Table], None], *, each: bool) -> None:
    start = script.begin(tmp_path / "start", engine)
    for at in interrupted(tmp_path, engine, each=each):
        table = script.copy(start, tmp_path / str(at))
        calls = Calls(lambda table=table: work(table), at=at)  # type: ignore[misc]
        try:
            script.apply(table, calls)
        except Transient:  # it may well ask to be called again, as long as the next call succeeds
            script.check_interrupted(table)
        script.check_recovered(table)


def check_foreign(tmp_path: Path, engine: Engine, work: Callable[[Table], None], *, each: bool) -> None:
    start = script.begin(tmp_path / "start", engine)
    for at in interrupted(tmp_path, engine, each=each):
        table = script.copy(start, tmp_path / str(at))
        left: list[int] = []

        def come_in(table: Table = table, left: list[int] = left) -> None:
            work(table)
            left.append(DeltaTable(table.path).version())

        calls = Calls(come_in, at=at)
        with pytest.raises(ForeignWriter):
            _twice(table, calls)
        assert DeltaTable(table.path).version() == left[0], "something was merged on top of foreign rows"


def _twice(table: Table, calls: Calls) -> None:
    """The interrupted call and, where it had all but ended, the next one."""
    script.apply(table, calls)
    table.apply()


def check_take_over(tmp_path: Path, engine: Engine, *, each: bool) -> None:
    start = script.begin(tmp_path / "start", engine)
    refused = 0
    for at in interrupted(tmp_path, engine, each=each):
        table = script.copy(start, tmp_path / str(at))
        lease = ExpiringLease()

        def take_over(table: Table = table, lease: ExpiringLease = lease) -> None:
            lease.expire()
            table.apply(lease=lease, budget=script.BUDGET)

        try:
            script.apply(table, Calls(take_over, at=at), lease)
        except (LeaseTaken, StorageUnavailable):
            refused += 1
        script.check_interrupted(table)
        script.check_recovered(table)
    assert refused > 3


def test_a_paused_holder_that_wakes_up_spoils_nothing(tmp_path: Path, first_engine: Engine) -> None:
    check_take_over(tmp_path, first_engine, each=False)


@pytest.mark.parametrize("work", HARMLESS)
def test_maintenance_in_between_changes_nothing(tmp_path: Path, first_engine: Engine, work: str) -> None:
    check_harmless(tmp_path, first_engine, HARMLESS[work], each=False)


@pytest.mark.parametrize("work", FOREIGN)
def test_foreign_rows_are_refused(tmp_path: Path, first_engine: Engine, work: str) -> None:
    check_foreign(tmp_path, first_engine, FOREIGN[work], each=False)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_holder_paused_at_any_call_spoils_nothing(tmp_path: Path, engine: Engine) -> None:
    check_take_over(tmp_path, engine, each=True)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("work", HARMLESS)
def test_maintenance_at_any_call_changes_nothing(tmp_path: Path, engine: Engine, work: str) -> None:
    check_harmless(tmp_path, engine, HARMLESS[work], each=True)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("work", FOREIGN)
def test_foreign_rows_are_refused_at_any_call(tmp_path: Path, engine: Engine, work: str) -> None:
    check_foreign(tmp_path, engine, FOREIGN[work], each=True)
