"""How late a table is said to be, by what lies in its landing folder and what its log says it contains.

Scope: catchment.apply.lateness on real files and tables.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from catchment.apply.lateness import Waiting, waiting
from catchment.landing.names import TableName
from catchment.storage import open_store
from tests.core.apply import applying as a

NOON = datetime(2024, 8, 9, 12, 0, tzinfo=UTC)
NOTHING = Waiting(0, 0.0)


def late(root: Path, *, loading: bool = False) -> Waiting:
    return waiting(TableName("s", "t"), open_store(root / "landing"), a.log(root), NOON, loading=loading)


def change(root: Path, minutes: int, number: int) -> None:
    """Land a change file whose name says that it was begun so many minutes before noon."""
    begun = NOON - timedelta(minutes=minutes)
    a.land(root, f"2024/08/09/{begun:%Y%m%d-%H%M%S}000.parquet", a.insert(number, number, v="x"))


def test_a_table_is_as_late_as_its_oldest_waiting_file(tmp_path: Path) -> None:
    (tmp_path / "landing").mkdir()
    assert late(tmp_path) == NOTHING
    change(tmp_path, 40, 1)
    change(tmp_path, 30, 2)
    assert late(tmp_path) == Waiting(2, 40 * 60.0)
    a.run(tmp_path)
    assert late(tmp_path) == NOTHING
    change(tmp_path, 20, 3)
    assert late(tmp_path) == Waiting(1, 20 * 60.0)


def test_load_files_are_late_by_when_they_were_written_but_not_while_the_load_goes_on(tmp_path: Path) -> None:
    a.land(tmp_path, "LOAD00000001.parquet", a.load(1, v="x"))
    written = (NOON - timedelta(minutes=50)).timestamp()
    os.utime(tmp_path / "landing/s/t/LOAD00000001.parquet", (written, written))
    assert late(tmp_path) == Waiting(1, 50 * 60.0)
    assert late(tmp_path, loading=True) == NOTHING
    change(tmp_path, 10, 1)
    assert late(tmp_path, loading=True) == Waiting(1, 10 * 60.0)
