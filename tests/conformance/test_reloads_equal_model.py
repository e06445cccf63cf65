"""A table is its newest complete load and what changed since, however loads, changes and requests come.

Scope: an engine from landing files to Delta tables; what is said of loads is simulated.
"""

from __future__ import annotations

import os
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, note, settings

from catchment.reload.request import ReloadRequest, write_request
from tests.conformance import reloads as g
from tests.conformance.engines import Engine
from tests.conformance.model import File
from tests.conformance.readers import canonical
from tests.conformance.shapes import Shape
from tests.conformance.table import Table


def land(table: Table, file: File, at: datetime) -> None:
    """A file lands at a moment of its own: load files are told apart by their age."""
    table.land(file)
    os.utime(table.root / "landing" / file.path, (at.timestamp(), at.timestamp()))


def check_rows(table: Table, meant: g.Rows) -> None:
    columns = list(table.shape.kinds)
    rows = [dict(zip(table.shape.key, key, strict=True)) | row for key, row in meant.items()]
    for name, found in table.view.read():
        assert canonical(found, columns) == canonical(rows, columns), name


def play(table: Table, events: list[g.Event], source: g.Rows) -> None:
    loads, expected = g.Loads(), g.Expected()
    for event in events:
        if event.asked:
            asked_at = g.moment(event.at) - timedelta(seconds=6)
            request = ReloadRequest(asked_at.isoformat(), event.asked, "a test")
            write_request(table.store("lake"), table.contract.name, request)
        for file in event.files:
            land(table, file, g.moment(event.at) + timedelta(seconds=2))
        loads.now = event.load or loads.now
        expected.after(event)
        account = table.apply(loads=loads)
        note(f"{event}: {account}")
        check_rows(table, expected.rows(table.shape))
        again = table.apply(loads=loads)
        assert (again.commits, again.counts.read, again.version) == (0, 0, account.version)
    check_rows(table, source)


def hold(engine: Engine, examples: int) -> None:
    @settings(max_examples=engine.examples(examples), deadline=None, suppress_health_check=list(HealthCheck))
    @given(life=g.lives(infinities=engine.infinities))
    def every(life: tuple[Shape, list[g.Event], g.Rows]) -> None:
        shape, events, source = life
        with tempfile.TemporaryDirectory() as folder:
            play(Table(Path(folder), engine, shape), events, source)

    every()


def test_table_is_the_newest_complete_load_and_what_changed_since(engine: Engine) -> None:
    hold(engine, 10)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_table_is_the_newest_complete_load_in_many_more_lives(engine: Engine) -> None:
    hold(engine, 30)
