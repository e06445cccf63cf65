"""One cell in a process of its own: ``python -m benchmarks.apply.cell SPEC`` prints one JSON line.

What is timed begins with the modules imported and ends with the commit: opening the table, reading the change files and
everything between is in it. Memory is the process's highest resident size from that beginning on, and the highest of
the part that no file backs.
"""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.apply.competitors import COMPETITORS
from benchmarks.apply.engine import ENGINES
from benchmarks.apply.limits import LIMITS

_STATUS = Path("/proc/self/status")


@dataclass(frozen=True)
class Spec:
    """What a cell's process is told: ``root`` holds ``landing`` and ``lake``, ``touched`` are the files of the table
    that hold a changed row, ``changes`` the change files."""

    engine: str
    root: str
    touched: list[str]
    changes: list[str]


class Memory:
    """The highest memory of this process while the block ran, in MB."""

    def __enter__(self) -> Memory:
        Path("/proc/self/clear_refs").write_text("5")  # forget the highest so far
        self.anonymous = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self.resident = _megabytes("VmHWM")

    def _watch(self) -> None:
        while not self._over.wait(0.005):
            self.anonymous = max(self.anonymous, _megabytes("RssAnon"))


def measure(spec: Spec) -> dict[str, Any]:
    """Run a cell's engine; seconds, processor seconds, memory, and what the engine says of its work."""
    work = {**ENGINES, **LIMITS, **COMPETITORS}[spec.engine](spec)
    with Memory() as memory:
        wall, processor = time.perf_counter(), time.process_time()
        said = work()
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
    return {
        "seconds": round(wall, 4),
        "cpu_seconds": round(processor, 4),
        "peak_mb": round(memory.resident, 1),
        "peak_anonymous_mb": round(memory.anonymous, 1),
        "said": said,
    }


def _megabytes(field: str) -> float:
    found = re.search(rf"^{field}:\s+(\d+) kB", _STATUS.read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024 / 1e6


if __name__ == "__main__":
    print(json.dumps(measure(Spec(**json.loads(sys.argv[1])))))
