"""A TRUNCATE at the source, healed as an operator would: by ``catchment reload`` once the task has failed."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from local.aws import LocalAws
from local.errors import RunFailed
from local.processes import GuardedProcess, start_guarded
from local.report import Reload

TIMEOUT_SECONDS = 90


class Healer:
    """Waits for the replication task to fail, then has the truncated table loaded again. ``poll`` it now and then.

    ``task`` is the task's ARN, ``folder`` takes what the command says.
    """

    def __init__(self, aws: LocalAws, environment: str, source: str, task: str, table: str, folder: Path) -> None:
        self._aws, self._environment, self._source, self._table, self._folder = aws, environment, source, table, folder
        self._dms, self._task = aws.client("dms"), task
        self._began: float | None = None
        self._command: GuardedProcess | None = None
        self.result: Reload | None = None

    def truncated(self) -> None:
        """The table is empty at the source now."""
        self._began = self._began or time.monotonic()

    @property
    def busy(self) -> bool:
        """Whether the table is still to be healed."""
        return self._began is not None and self.result is None

    def poll(self) -> None:
        """Do the next step if it is time. Raises RunFailed where the reload failed."""
        if not self.busy:
            return
        if self._command is None:
            if self._failed():
                self._command = self._start()
            elif time.monotonic() - (self._began or 0) > TIMEOUT_SECONDS:
                raise RunFailed("reload", f"{self._table} was truncated, and the task did not fail")
        elif (code := self._command.poll()) is not None:
            self._finish(code)

    def _failed(self) -> bool:
        chosen = [{"Name": "replication-task-arn", "Values": [self._task]}]
        (task,) = self._dms.describe_replication_tasks(Filters=chosen, WithoutSettings=True)["ReplicationTasks"]
        return bool(task["Status"] == "failed")

    def _start(self) -> GuardedProcess:
        said = [
            "--env",
            self._environment,
            "--source",
            self._source,
            "--reason",
            "TRUNCATE at the source",
            "--clock-skew",
            "0",
        ]
        code = "import sys; from catchment.cli.app import run; sys.exit(run(sys.argv[1:]))"
        limits = ["--timeout", str(TIMEOUT_SECONDS), "--json", os.fspath(self._file)]
        return start_guarded(
            [sys.executable, "-c", code, "reload", self._table, *said, *limits],
            log=self._folder / f"reload-{self._source}.log",
            env={**os.environ, **self._aws.environment()},
        )

    def _finish(self, code: int) -> None:
        assert self._command is not None
        if code != 0:
            log = self._command.log.read_text(errors="replace").strip()
            raise RunFailed("reload", f"catchment reload {self._table} ended with {code}:\n{log[-2000:]}")
        (found,) = json.loads(self._file.read_text())
        counts = {name: int(found[name]) for name in ("inserted", "updated", "deleted", "unchanged")}
        self.result = Reload(self._table, **counts, seconds=float(found["seconds"]))
        self._command.stop()

    @property
    def _file(self) -> Path:
        return self._folder / f"reload-{self._source}.json"
