"""The main job as a user starts it: whole, with an adversary, with crashes, interrupted, and twice at once.

Scope: everything together; what a lower layer can catch is tested there.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest

from local.aws.account import KEY, KEY_ID

pytestmark = pytest.mark.slow
PATIENCE_SECONDS = 120.0


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts main jobs in a folder of their own, as ``make run`` does."""
    with contextlib.ExitStack() as stack:

        def start(*arguments: str, folder: Path = tmp_path) -> subprocess.Popen[str]:
            folder.mkdir(exist_ok=True)
            log = stack.enter_context((folder / "printed").open("w"))
            process = subprocess.Popen(
                [sys.executable, "-m", "local", "--rows", "4000", "--json", "report.json", *arguments],
                cwd=folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
            )
            stack.callback(_end, process)
            return process

        yield start


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()


def until(condition: Callable[[], Any]) -> Any:
    """The first true value of ``condition``."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)
    return found


def report(folder: Path) -> dict[str, Any]:
    printed = (folder / "printed").read_text()
    assert (folder / "report.json").exists(), printed
    found: dict[str, Any] = json.loads((folder / "report.json").read_text())
    return found


def family(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def running(process: subprocess.Popen[str], word: str) -> list[psutil.Process]:
    found = []
    for child in family(process):
        with contextlib.suppress(psutil.Error):
            if any(word in part for part in child.cmdline()) and "local/processes.py" not in " ".join(child.cmdline()):
                found.append(child)
    return found


def nothing_is_left(folder: Path, processes: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(processes, timeout=20)
    assert alive == []
    until(lambda: not list((folder / ".catchment").glob("work-*")))


@pytest.mark.parametrize("asked", [["--replica"], ["--source", "postgresql,mysql"]], ids=["replica", "both engines"])
def test_the_lake_equals_the_source_with_an_adversary_in_between(tmp_path: Path, job: Any, asked: list[str]) -> None:
    process = job("--seconds", "4", "--chaos", *asked)
    assert process.wait(2 * PATIENCE_SECONDS) == 0, (tmp_path / "printed").read_text()
    found = report(tmp_path)
    assert found["equal"]
    for table in found["tables"]:
        account = table["account"]
        assert account["read"] == sum(account[part] for part in ("applied", "superseded", "stale", "quarantined"))
    assert any(table["account"]["stale"] for table in found["tables"]), "the adversary delivered nothing twice"
    assert not list((tmp_path / ".catchment").glob("work-*"))


def test_nothing_is_lost_when_applier_and_replication_task_are_killed(tmp_path: Path, job: Any) -> None:
    process = job("--seconds", "8", "--no-truncate")  # which would fail the task as well
    logs = tmp_path / ".catchment"
    until(lambda: "✓ Full load" in (tmp_path / "printed").read_text())
    silver = until(lambda: [path for path in logs.glob("work-*/aws/s3/*silver*") if path.is_dir()])[0]

    before = set(silver.rglob("*.parquet"))
    # a data file that no commit names yet: the applier is in the middle of a commit
    until(lambda: set(silver.rglob("*.parquet")) - before)
    for applier in running(process, "awslambdaric"):
        applier.kill()

    task = until(lambda: running(process, "local.dms.task"))[0]
    task.kill()
    aws = json.loads(next(logs.glob("work-*/aws/server.json")).read_text())
    dms = boto3.client("dms", endpoint_url=aws["endpoint"], aws_access_key_id=KEY_ID, aws_secret_access_key=KEY)
    arn = dms.describe_replication_tasks()["ReplicationTasks"][0]["ReplicationTaskArn"]

    def failed() -> bool:
        return str(dms.describe_replication_tasks()["ReplicationTasks"][0]["Status"]) == "failed"

    until(failed)
    dms.start_replication_task(ReplicationTaskArn=arn, StartReplicationTaskType="resume-processing")
    assert process.wait(PATIENCE_SECONDS) == 0, (tmp_path / "printed").read_text()
    assert report(tmp_path)["equal"]


@pytest.mark.parametrize("moment", ["start the local AWS", "Seed the source", "Full load"])
def test_an_interrupted_run_leaves_nothing(tmp_path: Path, job: Any, moment: str) -> None:
    process = job("--seconds", "60")
    if moment != "start the local AWS":
        until(lambda: moment in (tmp_path / "printed").read_text())
    processes = until(lambda: family(process))
    processes = family(process)
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE_SECONDS) == 130, (tmp_path / "printed").read_text()
    nothing_is_left(tmp_path, processes)


def test_a_killed_run_leaves_nothing(tmp_path: Path, job: Any) -> None:
    process = job("--seconds", "60")
    until(lambda: "Full load" in (tmp_path / "printed").read_text())
    processes = family(process)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    nothing_is_left(tmp_path, processes)


def test_two_runs_side_by_side_do_not_meet(tmp_path: Path, job: Any) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    processes = [job("--seconds", "2", folder=folder) for folder in folders]
    for process, folder in zip(processes, folders, strict=True):
        assert process.wait(2 * PATIENCE_SECONDS) == 0, (folder / "printed").read_text()
        assert report(folder)["equal"]
