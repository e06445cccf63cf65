"""Every call to storage and lease fails once, before and after it took effect; the next plain call makes it right.

Scope: an engine over a scripted history of two commits, real folders, errors as stores raise them.
"""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from catchment.errors import CatchmentError, StorageUnavailable
from tests.conformance import script
from tests.conformance.calls import Calls
from tests.conformance.engines import Engine

FAULTS = {
    "a busy store": lambda: StorageUnavailable("s3://lake/s/t", "SlowDown"),
    "a broken disk": lambda: OSError(errno.EIO, "Input/output error"),
}


def check_faults(tmp_path: Path, engine: Engine, *, each: bool) -> None:
    start = script.begin(tmp_path / "start", engine)
    counted = Calls()
    script.apply(script.copy(start, tmp_path / "counted"), counted)
    raised = 0
    for at, after in counted.points(each=each):
        fault = list(FAULTS.values())[at % len(FAULTS)]()

        def fail(error: Exception = fault) -> None:
            raise error

        table = script.copy(start, tmp_path / f"{at}-{after}")
        try:
            script.apply(table, Calls(fail, at=at, after=after))
        except (CatchmentError, OSError):
            raised += 1
        script.check_interrupted(table)
        script.check_recovered(table)
    assert raised > 10


def test_every_failing_call_is_made_good_by_the_next_run(tmp_path: Path, first_engine: Engine) -> None:
    check_faults(tmp_path, first_engine, each=False)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_each_failing_call_of_each_engine_is_made_good(tmp_path: Path, engine: Engine) -> None:
    check_faults(tmp_path, engine, each=True)
