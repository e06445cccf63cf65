"""Run as a program: apply a landing zone and die by SIGKILL at the n-th call to storage or lease.

    python -m tests.core.apply.kill_points ROOT    for every n: copy ROOT/start, kill at call n, look, finish

Prints one JSON line per n: how the killed table read, and the finished one. Children are forked before any of the
libraries has started threads.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deltalake import DeltaTable

from catchment.apply import Budget, apply_table
from catchment.landing.contract import load_contracts
from catchment.leases import Held, MemoryLease
from catchment.storage import LocalStore, ObjectStore

CONTRACT = """
landing: {timestamp_column: dms_ts, sequence_column: dms_seq, before_image_prefix: BI_}
tables:
  s.t: {key: [tenant, code]}
"""


class Fuse:
    """Dies at the n-th call."""

    def __init__(self, left: int) -> None:
        self.left = left

    def burn(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


class DyingStore:
    """A local store whose every call burns the fuse before it does its work."""

    def __init__(self, store: LocalStore | Held, fuse: Fuse) -> None:
        self._store, self._fuse = store, fuse

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        if not callable(found) or name == "delta_options":
            return found

        def call(*args: Any, **named: Any) -> Any:
            self._fuse.burn()
            return found(*args, **named)

        return call


class DyingLease:
    """A lease whose every call burns the fuse."""

    def __init__(self, fuse: Fuse) -> None:
        self._lease, self._fuse = MemoryLease(), fuse

    def acquire(self, table: str) -> Held:
        return DyingStore(self._lease.acquire(table), self._fuse)  # type: ignore[return-value]


def apply(root: Path, fuse: Fuse) -> None:
    def store(name: str) -> ObjectStore:
        return DyingStore(LocalStore(root / name), fuse)  # type: ignore[return-value]

    apply_table(  # the lease is asked right before each commit, so it burns too
        contract=next(iter(load_contracts(CONTRACT).values())),
        landing=store("landing"),
        lake=store("lake"),
        quarantine=store("quarantine"),
        lease=DyingLease(fuse),
        budget=Budget(threads=1),
        now=lambda: datetime.now(UTC),
    )


def in_child(work: Callable[[], None]) -> int:
    """Run in a fork; 0 if it ended well, else minus the signal."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def read(root: Path) -> list[Any]:
    table = DeltaTable(root / "lake/s/t")
    return [table.version(), sorted(table.to_pyarrow_table().to_pylist(), key=repr)]


def finish(root: Path, point: int) -> None:
    """Look at what the killed applier left, let another one finish, and print both tables."""
    killed = read(root)
    apply(root, Fuse(-1))
    print(json.dumps({"point": point, "killed": killed, "finished": read(root)}), flush=True)


def main(root: Path) -> None:
    point = 0
    while True:
        point += 1
        here = root / f"point-{point}"
        shutil.copytree(root / "start", here)
        ended = in_child(lambda here=here, point=point: apply(here, Fuse(point)))  # type: ignore[misc]
        assert in_child(lambda here=here, point=point: finish(here, point)) == 0  # type: ignore[misc]
        shutil.rmtree(here)
        if ended == 0:
            return
        assert ended == -signal.SIGKILL


if __name__ == "__main__":
    # a killed applier leaves its scratch folder, which is to go with the test's own
    tempfile.tempdir = sys.argv[1]
    main(Path(sys.argv[1]))
