"""The runs of all jobs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from local.aws.jobs.run import JobRun, RunProcess


class JobRunner:
    """Starts and stops runs. ``folder`` receives ``logs/<job>.log``; ``endpoint`` is the AWS the runs see."""

    def __init__(self, folder: Path, endpoint: str) -> None:
        self._folder, self._endpoint = folder, endpoint
        self._lock = threading.Lock()
        self._runs: dict[str, RunProcess] = {}

    def start(self, run: JobRun, ended: Callable[[str, str], None]) -> None:
        """Start a run; ``ended`` is told its state and message at the end."""

        def forget(state: str, message: str) -> None:
            with self._lock:
                self._runs.pop(run.id, None)
            ended(state, message)

        folder, log = self._folder / "runs" / run.id, self._folder / "logs" / f"{run.job}.log"
        with self._lock:
            self._runs[run.id] = RunProcess(run, folder, log, self._endpoint, forget)

    def stop(self, run_id: str) -> None:
        """End a run, if it is under way."""
        with self._lock:
            process = self._runs.get(run_id)
        if process is not None:
            process.stop()

    def stop_all(self) -> None:
        """End all runs."""
        with self._lock:
            processes = list(self._runs.values())
        with ThreadPoolExecutor(max_workers=8) as stoppers:
            list(stoppers.map(RunProcess.stop, processes))
