"""How late a table is said to be, by what lies in its landing folder and what its log says it contains.

Scope: catchment.apply.lateness on real files and tables.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from catchment.apply.lateness import Waiting, waiting
from catchment.landing.names import TableName
from catchment.sinks.delta_table import DeltaLog
from catchment.storage import open_store
from tests.core.apply import applying as a

NOON = datetime(2024, 8, 9, 12, 0, tzinfo=UTC)
NOTHING = Waiting(0, 0.0)


@pytest.fixture
def late(tmp_path: Path) -> Callable[..., Waiting]:
    """How late the table is, by one who has looked before."""
    (tmp_path / "landing").mkdir()
    log = DeltaLog(open_store(tmp_path / "lake"), "s/t", "s.t")

    def look(*, loading: bool = False) -> Waiting:
        return waiting(TableName("s", "t"), open_store(tmp_path / "landing"), log, NOON, loading=loading)

    return look


def change(root: Path, minutes: int, number: int) -> None:
    """Land a change file whose name says that it was begun so many minutes before noon."""
    begun = NOON - timedelta(minutes=minutes)
    a.land(root, f"2024/08/09/{begun:%Y%m%d-%H%M%S}000.parquet", a.insert(number, number, v="x"))


def test_a_table_is_as_late_as_its_oldest_waiting_file(tmp_path: Path, late: Callable[..., Waiting]) -> None:
    assert late() == NOTHING
    change(tmp_path, 40, 1)
    change(tmp_path, 30, 2)
    assert late() == Waiting(2, 40 * 60.0)
    a.run(tmp_path)
    assert late() == NOTHING
    change(tmp_path, 20, 3)
    assert late() == Waiting(1, 20 * 60.0)


def test_load_files_are_late_by_when_they_were_written_but_not_while_the_load_goes_on(
    tmp_path: Path, late: Callable[..., Waiting]
) -> None:
    a.land(tmp_path, "LOAD00000001.parquet", a.load(1, v="x"))
    written = (NOON - timedelta(minutes=50)).timestamp()
    os.utime(tmp_path / "landing/s/t/LOAD00000001.parquet", (written, written))
    assert late() == Waiting(1, 50 * 60.0)
    assert late(loading=True) == NOTHING
    change(tmp_path, 10, 1)
    assert late(loading=True) == Waiting(1, 10 * 60.0)
