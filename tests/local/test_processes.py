"""Children die with their parent: at its end, at its crash, and when asked."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import psutil
import pytest

from local import processes
from local.processes import start_guarded

SLEEPER = [sys.executable, "-c", "import signal; signal.pause()"]


def gone(pid: int) -> bool:
    try:
        process = psutil.Process(pid)
        process.wait(10)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        return False
    return True


def test_stop_ends_the_child_and_removes_its_folders(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    child = start_guarded(SLEEPER, log=tmp_path / "log", remove=[scratch])
    assert child.poll() is None
    child.stop()
    assert gone(child.pid)
    assert not scratch.exists()


def test_a_stubborn_grandchild_ends_too(tmp_path: Path) -> None:
    program = (
        "import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', %r]); print(p.pid, flush=True); p.wait()"
    )
    stubborn = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.pause()"
    with start_guarded([sys.executable, "-c", program % stubborn], log=tmp_path / "log") as child:
        waiter = threading.Event()
        while not (tmp_path / "log").read_text().strip():
            waiter.wait(0.01)
        grandchild = int((tmp_path / "log").read_text())
    assert gone(child.pid)
    assert gone(grandchild)


def test_a_killed_parent_takes_its_children_along(tmp_path: Path) -> None:
    program = textwrap.dedent(
        f"""
        import pathlib, signal
        from local.processes import start_guarded
        child = start_guarded({SLEEPER!r}, log=pathlib.Path({os.fspath(tmp_path)!r}) / "log")
        print(child.pid, flush=True)
        signal.pause()
        """
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert psutil.pid_exists(pid)
        parent.send_signal(signal.SIGKILL)
    assert gone(pid)


def test_a_command_that_does_not_exist_is_an_error_that_names_the_log(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="log"):
        start_guarded(["/nowhere/nothing"], log=tmp_path / "log")


def test_a_parent_that_is_gone_before_the_child_runs_leaves_no_child(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    marker = tmp_path / "marker"
    child = ["tail", "-f", os.fspath(marker)]
    plan = json.dumps({"command": child, "signal": signal.SIGTERM, "remove": [os.fspath(scratch)]})
    marker.touch()
    guard = subprocess.Popen(
        [sys.executable, processes.__file__, plan],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert guard.stdout is not None
    guard.stdout.close()
    guard.communicate(processes.ORDERLY)
    assert not scratch.exists()
    assert not [process for process in psutil.process_iter(["cmdline"]) if process.info["cmdline"] == child]
