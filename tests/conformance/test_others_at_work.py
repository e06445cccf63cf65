"""Somebody else works on the table between any two calls of an applier: exact in the end, or refused by name.

Scope: an engine over a scripted history of two commits; another applier after the lease ran out, compaction, VACUUM,
checkpoints, foreign rows. Each comes in at one call of the applier, whatever call that is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from catchment.errors import ForeignWriter, LeaseTaken, StorageUnavailable, Transient
from catchment.leases import MemoryLease
from tests.conformance import script
from tests.conformance.calls import Calls
from tests.conformance.engines import Engine
from tests.conformance.leases import ExpiringLease
from tests.conformance.others import HARMLESS, maintain
from tests.conformance.table import Table

# where the state is read, and where what was worked out from it is written
TELLING = ("held.look", "landing.list", "lake.put", "held.check", "lake.create_bytes", "held.release")


def append(table: Table) -> None:
    row = pa.table({"tenant": pa.array([7], pa.int32()), "code": ["foreign"]})
    write_deltalake(table.path, row, mode="append", schema_mode="merge")


def delete(table: Table) -> None:
    DeltaTable(table.path).delete("code = 'a'")


FOREIGN = {"append": append, "delete": delete}


def counted(tmp_path: Path, engine: Engine) -> list[str]:
    """The calls of a run that nobody disturbs."""
    calls = Calls()
    script.apply(script.CHANGES.begin(tmp_path / "counted", engine), calls)
    return calls.names


def interrupted(tmp_path: Path, engine: Engine, *, each: bool) -> Sequence[int]:
    """The calls to come in at."""
    return engine.some([at for at, name in enumerate(counted(tmp_path, engine), 1) if each or name in TELLING])


def check_harmless(tmp_path: Path, engine: Engine, work: Callable[[Table], object], *, each: bool) -> None:
    start = script.CHANGES.begin(tmp_path / "start", engine)
    for at in interrupted(tmp_path, engine, each=each):
        table = script.copy(start, tmp_path / str(at))
        calls = Calls(lambda table=table: work(table), at=at)  # type: ignore[misc]
        try:
            script.apply(table, calls)
        except Transient:  # it may well ask to be called again, as long as the next call succeeds
            script.CHANGES.check_interrupted(table)
        script.CHANGES.check_recovered(table)


def check_foreign(tmp_path: Path, engine: Engine, work: Callable[[Table], object], *, each: bool) -> None:
    start = script.CHANGES.begin(tmp_path / "start", engine)
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


def check_take_over(tmp_path: Path, engine: Engine, *, each: bool, days: float | None = None) -> None:
    """Another applier takes the lease over; ``days`` later, if any are given, maintenance comes by too."""
    start = script.CHANGES.begin(tmp_path / "start", engine)
    refused = 0
    for at in interrupted(tmp_path, engine, each=each):
        table = script.copy(start, tmp_path / str(at))
        lease = ExpiringLease()

        def take_over(table: Table = table, lease: ExpiringLease = lease) -> None:
            lease.expire()
            table.apply(lease=lease, budget=script.BUDGET)
            if days is not None:
                maintain(table, lease=lease, days=days)

        try:
            script.apply(table, Calls(take_over, at=at), lease)
        except (LeaseTaken, StorageUnavailable):
            refused += 1
        script.CHANGES.check_interrupted(table)
        script.CHANGES.check_recovered(table)
    assert refused > min(3, engine.most // 6)


def test_a_paused_holder_that_wakes_up_spoils_nothing(tmp_path: Path, first_engine: Engine) -> None:
    check_take_over(tmp_path, first_engine, each=False)


def test_a_holder_that_slept_beyond_the_horizon_finds_its_files_gone_and_the_lease_too(
    tmp_path: Path, first_delta_engine: Engine
) -> None:
    check_take_over(tmp_path, first_delta_engine, each=False, days=10)


def test_what_fails_behind_the_own_commit_is_no_lost_race(tmp_path: Path, first_delta_engine: Engine) -> None:
    table = script.CHANGES.begin(tmp_path / "table", first_delta_engine)

    def fail() -> None:
        raise RuntimeError("nobody expects this")

    at = counted(tmp_path, first_delta_engine).index("lake.create_bytes") + 1
    with pytest.raises(RuntimeError, match="nobody expects this"):
        script.apply(table, Calls(fail, at=at, after=True))
    script.CHANGES.check_interrupted(table)
    script.CHANGES.check_recovered(table)


@pytest.mark.parametrize("call", ["lease.acquire", "lake.put"])
def test_a_holder_whose_lease_is_gone_commits_no_more(tmp_path: Path, first_delta_engine: Engine, call: str) -> None:
    table, lease = script.CHANGES.begin(tmp_path / "table", first_delta_engine), ExpiringLease()
    version = DeltaTable(table.path).version()

    def taken() -> None:
        lease.expire()
        lease.acquire("s.t")

    at = counted(tmp_path, first_delta_engine).index(call) + 1
    with pytest.raises(LeaseTaken):
        script.apply(table, Calls(taken, at=at, after=True), lease)
    assert DeltaTable(table.path).version() == version


@pytest.mark.parametrize(("call", "then"), [("lake.put", "lake.create_bytes"), ("lake.list", "lake.delete")])
def test_maintenance_whose_lease_is_gone_changes_nothing_more(
    tmp_path: Path, first_delta_engine: Engine, call: str, then: str
) -> None:
    start, undisturbed = script.MAINTENANCE.begin(tmp_path / "start", first_delta_engine), Calls()
    script.maintain_late(script.copy(start, tmp_path / "counted"), undisturbed)
    names = undisturbed.names
    for begun in (number for number, name in enumerate(names) if name == then and names[number - 1] != then):
        at = max(number for number in range(begun) if names[number] == call) + 1
        table, lease = script.copy(start, tmp_path / str(at)), ExpiringLease()

        def taken(lease: ExpiringLease = lease) -> None:
            lease.expire()
            lease.acquire("s.t")

        calls = Calls(taken, at=at, after=True)
        with pytest.raises(LeaseTaken):
            script.maintain_late(table, calls, lease)
        assert then not in calls.names[at:]


def test_a_file_that_lands_behind_the_last_look_is_applied_by_the_holder(tmp_path: Path, first_engine: Engine) -> None:
    table, lease = script.CHANGES.begin(tmp_path / "table", first_engine), MemoryLease()

    def land_and_poke() -> None:
        table.land(script.LAST)
        with pytest.raises(LeaseTaken):
            lease.acquire("s.t")

    names = counted(tmp_path, first_engine)
    last = max(at for at, name in enumerate(names, start=1) if name == "landing.list")
    script.apply(table, Calls(land_and_poke, at=last, after=True), lease)
    table.check_rows()
    table.check_log()


@pytest.mark.parametrize("work", HARMLESS)
def test_maintenance_in_between_changes_nothing(tmp_path: Path, first_delta_engine: Engine, work: str) -> None:
    check_harmless(tmp_path, first_delta_engine, HARMLESS[work], each=False)


@pytest.mark.parametrize("work", FOREIGN)
def test_foreign_rows_are_refused(tmp_path: Path, first_delta_engine: Engine, work: str) -> None:
    check_foreign(tmp_path, first_delta_engine, FOREIGN[work], each=False)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_holder_paused_at_any_call_spoils_nothing(tmp_path: Path, engine: Engine) -> None:
    check_take_over(tmp_path, engine, each=True)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("work", HARMLESS)
def test_maintenance_at_any_call_changes_nothing(tmp_path: Path, delta_engine: Engine, work: str) -> None:
    check_harmless(tmp_path, delta_engine, HARMLESS[work], each=True)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("work", FOREIGN)
def test_foreign_rows_are_refused_at_any_call(tmp_path: Path, delta_engine: Engine, work: str) -> None:
    check_foreign(tmp_path, delta_engine, FOREIGN[work], each=True)
