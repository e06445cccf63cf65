"""Where the time of a call goes: the steps of Catchment's own code, by the profiler."""

from __future__ import annotations

import cProfile
import pstats
from collections.abc import Callable
from pathlib import Path
from typing import Any

import catchment

_CODE = str(Path(catchment.__file__).parent)
_WORK_OUT, _FIND = "work out what changes", "find the keys in the table"
_STEPS = {
    ("apply/engine.py", "stage"): "start and stop DuckDB",
    ("changes/session.py", "close"): "start and stop DuckDB",
    ("apply/staging.py", "open_all"): "read the change files",
    ("apply/staging.py", "read"): "read the change files",
    ("apply/staging.py", "relate"): "read the change files",
    ("apply/batch.py", "work_out"): _WORK_OUT,
    ("sinks/delta.py", "open"): "open the table",
    ("sinks/delta.py", "find"): _FIND,
    ("sinks/copy_on_write.py", "_place"): "decide where rows go",
    ("sinks/copy_on_write.py", "_gather"): "put the new rows in order",
    ("sinks/copy_on_write.py", "_write"): "read and write files",
    ("sinks/merge_on_read.py", "mark"): "mark rows",
    ("sinks/merge_on_read.py", "mark_actions"): "write the marks",
    ("sinks/delta_table.py", "commit"): "commit",
}
"""Of these functions none calls another, but for working out, which calls finding."""


def profiled(work: Callable[[], Any]) -> dict[str, float]:
    """Seconds of each step of ``work``, elapsed; what happens in other threads is the step's that waits for it."""
    profile = cProfile.Profile()
    profile.runcall(work)
    found = dict.fromkeys(_STEPS.values(), 0.0)
    stats = pstats.Stats(profile)
    for (file, _, name), (_, _, _, elapsed, _) in stats.stats.items():  # type: ignore[attr-defined]
        step = _STEPS.get((file.removeprefix(f"{_CODE}/"), name))
        if step is not None:
            found[step] += elapsed
    found[_WORK_OUT] -= found[_FIND]
    return {**found, "the rest": stats.total_tt - sum(found.values())}  # type: ignore[attr-defined]
