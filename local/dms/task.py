"""The process of a replication task: ``python -m local.dms.task PLAN``.

Full load, then changes, until SIGTERM. It tells the service how it stands through status.json in its state folder,
goes on from checkpoint.json, and takes reload commands from reload/*.json (SIGUSR1 says that there is one).
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

from local.dms.access import AWS_ERRORS
from local.dms.plan import TaskPlan
from local.dms.policies import TaskFailed
from local.dms.sources import ERRORS, LOST
from local.dms.state import TaskStatus
from local.dms.task_run import TaskRun

log = logging.getLogger("dms")

_FAILURES: tuple[type[Exception], ...] = (TaskFailed, *ERRORS, *AWS_ERRORS, KeyError)


def main(plan_file: str) -> int:
    """Run the task of a plan file; 0 after an orderly stop, 1 after a failure, which status.json names."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    plan = TaskPlan.of(json.loads(Path(plan_file).read_text()))
    status_file = plan.folder / "status.json"
    try:
        task = TaskRun(plan)
        reason = task.run()
        status = task.status
        status.state, status.stop_reason = "stopped", reason
    except _FAILURES as error:
        log.exception("the task fails")
        status = TaskStatus.read(status_file) or TaskStatus()
        status.state, status.failure = "failed", f"{type(error).__name__}: {error}".strip()
        status.stop_reason = "RECOVERABLE_ERROR" if isinstance(error, LOST) else "FATAL_ERROR"
    status.write(status_file)
    return 0 if status.state == "stopped" else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
