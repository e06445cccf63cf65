"""Every call to storage and lease fails once, before and after it took effect; the next plain call makes it right.

Scope: an engine over scripted histories of two commits each, real folders, errors as stores raise them.
"""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from catchment.errors import CatchmentError, StorageUnavailable
from tests.conformance import script
from tests.conformance.calls import Calls
from tests.conformance.engines import Engine
from tests.conformance.script import Script

FAULTS = {
    "a busy store": lambda: StorageUnavailable("s3://lake/s/t", "SlowDown"),
    "a broken disk": lambda: OSError(errno.EIO, "Input/output error"),
}


def check_faults(tmp_path: Path, engine: Engine, played: Script, *, each: bool) -> None:
    start = played.begin(tmp_path / "start", engine)
    counted = Calls()
    played.work(script.copy(start, tmp_path / "counted"), counted)
    raised = 0
    for at, after in engine.some([*counted.points(each=each)]):
        fault = list(FAULTS.values())[at % len(FAULTS)]()

        def fail(error: Exception = fault) -> None:
            raise error

        table = script.copy(start, tmp_path / f"{at}-{after}")
        try:
            played.work(table, Calls(fail, at=at, after=after))
        except (CatchmentError, OSError):
            raised += 1
        played.check_interrupted(table)
        played.check_recovered(table)
    assert raised > min(5, engine.most // 6)


@pytest.mark.parametrize("played", script.SCRIPTS)
def test_every_failing_call_is_made_good_by_the_next_run(tmp_path: Path, first_engine: Engine, played: str) -> None:
    check_faults(tmp_path, first_engine, script.SCRIPTS[played], each=False)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("played", script.SCRIPTS)
def test_each_failing_call_of_each_engine_is_made_good(tmp_path: Path, engine: Engine, played: str) -> None:
    check_faults(tmp_path, engine, script.SCRIPTS[played], each=True)
