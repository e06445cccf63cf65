"""Runs task processes and tells when one ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from local.dms.state import TaskStatus, read_json, write_json
from local.processes import GuardedProcess, start_guarded

STOP_SECONDS = 60.0
"""How long a task may take to write what waits before it is killed."""

_ROOT = Path(__file__).resolve().parents[2]


class TaskProcess:
    """One task's process and state folder. ``ended`` is called, in a thread of its own, when the process has ended."""

    def __init__(self, folder: Path, ended: Callable[[TaskStatus], None]) -> None:
        self.folder = folder
        self._ended = ended
        self._process: GuardedProcess | None = None
        self._watcher: threading.Thread | None = None

    def start(self, plan: Mapping[str, Any], environment: Mapping[str, str]) -> None:
        """Start the process with its plan; ``environment`` says which AWS it reaches."""
        plan_file = self.folder / "plan.json"
        write_json(plan_file, plan)
        # a resumed task keeps its statistics; what its last life ended with must not be taken for this one's end
        status = (self.status() if plan["resume"] else None) or TaskStatus()
        status.state = "starting"
        status.write(self.folder / "status.json")
        others = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        process = start_guarded(
            [sys.executable, "-m", "local.dms.task", os.fspath(plan_file)],
            log=self.folder / "task.log",
            env={**others, **environment},
            cwd=_ROOT,
        )
        # whoever wants to try a crash finds whom to kill
        (self.folder / "task.pid").write_text(str(process.pid))
        self._process = process
        self._watcher = threading.Thread(target=self._watch, args=(process,), name="dms-task", daemon=True)
        self._watcher.start()

    def status(self) -> TaskStatus | None:
        """What the task last said of itself; None before its first start."""
        return TaskStatus.read(self.folder / "status.json")

    def request_stop(self) -> None:
        """Ask the task to stop; ``ended`` tells when it has."""
        process = self._process
        if process is not None:
            process.signal(signal.SIGTERM)
            threading.Thread(target=_kill_late, args=(process,), daemon=True).start()

    def reload(self, tables: list[str]) -> None:
        """Tell the running task to load tables again."""
        folder = self.folder / "reload"
        number = 1 + max((int(path.stem) for path in folder.glob("*.json")), default=0)
        write_json(folder / f"{number:06d}.json", tables)
        if self._process is not None:
            self._process.signal(signal.SIGUSR1)

    def checkpoint(self) -> Any:
        """The saved checkpoint as plain data, None if there is none."""
        return read_json(self.folder / "checkpoint.json")

    def close(self) -> None:
        """Stop the process, if there is one, and wait for it."""
        if self._process is not None and self._process.poll() is None:
            self.request_stop()
        if self._watcher is not None:
            self._watcher.join()

    def _watch(self, process: GuardedProcess) -> None:
        code = process.wait()
        process.stop()
        status = self.status() or TaskStatus()
        if status.state not in ("stopped", "failed"):
            status.state, status.stop_reason = "failed", "RECOVERABLE_ERROR"
            status.failure = f"The task's process ended unexpectedly (exit status {code}); see {process.log.name}."
            status.write(self.folder / "status.json")
        self._ended(status)


def _kill_late(process: GuardedProcess) -> None:
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.signal(signal.SIGKILL)
