"""What the applier does where it is told that Spark is to go on. Scope: catchment.apply.applier with a router."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from catchment.apply import Account, Budget, apply_table
from catchment.apply.applier import Route
from catchment.apply.cost import Function, Job
from catchment.apply.route import Router, Stored, Waiting
from catchment.errors import LeaseTaken
from catchment.leases import HandedOver, Lease, MemoryLease
from catchment.storage import open_store
from tests.core.apply import applying as a

FUNCTION = Function(memory_mb=2048, engine_mb=1024, disk_mb=4096, commit_seconds=150, commit_mb=256, commit_files=500)
AUTO = Router(FUNCTION, Job("G.1X", 2), longest_minutes=60)
SPARK = Router(FUNCTION, Job("G.1X", 2), longest_minutes=60, setting="spark")


def run(root: Path, lease: Lease, route: Route | None) -> Account:
    return apply_table(
        contract=a.contract(),
        landing=open_store(root / "landing"),
        lake=open_store(root / "lake"),
        quarantine=open_store(root / "quarantine"),
        lease=lease,
        budget=Budget(),
        now=lambda: datetime.now(UTC),
        route=route,
    )


def test_what_is_sparks_is_left_as_it_is_and_only_its_job_gets_the_table(tmp_path: Path) -> None:
    a.land(tmp_path, "LOAD00000001.parquet", a.load(1, v="x"))
    lease = MemoryLease()
    account = run(tmp_path, lease, SPARK.decide)
    assert account.handed_over
    assert account.route is not None
    assert account.route["engine"] == "spark"
    assert (account.commits, account.version) == (0, None)
    with pytest.raises(LeaseTaken):
        run(tmp_path, lease, AUTO.decide)
    done = run(tmp_path, HandedOver(lease, account.handed_over), None)
    assert (done.commits, done.handed_over) == (1, None)
    assert a.rows(tmp_path) == [(1, "x")]
    assert run(tmp_path, lease, SPARK.decide).handed_over is None, "nothing is waiting: no job is needed"


def test_the_function_goes_on_until_what_is_left_is_sparks(tmp_path: Path) -> None:
    a.land(tmp_path, "LOAD00000001.parquet", a.load(1, v="x"))
    a.land(tmp_path, "20240809-100000000.parquet", a.update(1, 1, v="y"))
    seen: list[tuple[int, int]] = []

    def route(waiting: list[Waiting], stored: Stored) -> object:
        seen.append((len(waiting), stored.files))
        cut = Router(Function(2048, 1024, 4096, 150, 256, 1), AUTO.job, longest_minutes=60)
        return (cut if len(waiting) > 1 else SPARK).decide(waiting, stored)

    account = run(tmp_path, MemoryLease(), route)  # type: ignore[arg-type]
    assert seen == [(2, 0), (1, 1)]
    assert account.commits == 1
    assert account.handed_over
    assert a.rows(tmp_path) == [(1, "x")]


def test_the_table_is_weighed_as_it_stands(tmp_path: Path) -> None:
    a.land(tmp_path, "LOAD00000001.parquet", *(a.load(i, v="x") for i in range(10)))
    run(tmp_path, MemoryLease(), None)
    a.land(tmp_path, "20240809-100000000.parquet", a.update(1, 1, v="y"))
    weighed: list[Stored] = []

    def route(waiting: list[Waiting], stored: Stored) -> object:
        weighed.append(stored)
        return AUTO.decide(waiting, stored)

    run(tmp_path, MemoryLease(), route)  # type: ignore[arg-type]
    [stored] = weighed
    data = [file for file in (tmp_path / "lake/s/t").glob("*.parquet")]
    assert (stored.files, stored.rows) == (1, 10)
    assert stored.size in {file.stat().st_size for file in data}
