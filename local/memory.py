"""How much memory a run takes, all its processes together."""

from __future__ import annotations

from threading import Event, Thread
from types import TracebackType
from typing import Self

import psutil

INTERVAL_SECONDS = 0.5


class MemoryWatch:
    """Samples this process and all its descendants in a thread; ``peak_mb`` is the highest sum seen.

    Pages that processes share (PostgreSQL's buffers) are counted once where the system tells them apart (Linux).
    """

    def __init__(self) -> None:
        self.peak_mb = 0
        self._over = Event()
        self._thread = Thread(target=self._watch, name="memory-watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        me = psutil.Process()
        while not self._over.wait(INTERVAL_SECONDS):
            self.peak_mb = max(self.peak_mb, _megabytes([me, *me.children(recursive=True)]))


def _megabytes(processes: list[psutil.Process]) -> int:
    own, shared = 0, [0]
    for process in processes:
        try:
            memory = process.memory_info()
        except psutil.Error:
            continue
        common = getattr(memory, "shared", 0)
        own += memory.rss - common
        shared.append(common)
    return (own + max(shared)) // 1_000_000
