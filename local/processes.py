"""Child processes that never outlive their parent, whatever becomes of it.

A guard process stands between parent and child. It holds the reading end of a pipe whose writing end only the
parent has: when the parent dies (also by SIGKILL), the pipe closes, and the guard ends the child's whole process
group and removes the folders it was told to. This works alike on Linux and macOS; PR_SET_PDEATHSIG does not.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

GRACE_SECONDS = 5.0
"""How long a child may take to end after its polite signal before it is killed."""


ORDERLY = b"stop"
"""What a parent that ends its child in good order says to the guard; a parent that crashed says nothing."""


class GuardedProcess:
    """A running child with its guard.

    Example: ``with start_guarded([sys.executable, "-m", "http.server"], log=folder / "http.log") as server: ...``
    """

    def __init__(self, guard: subprocess.Popen[bytes], log: IO[bytes]) -> None:
        self._guard = guard
        self._log = log
        assert guard.stdout is not None
        line = guard.stdout.readline()
        if not line:
            raise RuntimeError(f"the process could not be started; see {log.name}")
        self.pid = int(line)
        """Process id of the child itself, not of its guard."""

    @property
    def log(self) -> Path:
        """The file that holds what the child printed."""
        return Path(self._log.name)

    def poll(self) -> int | None:
        """The child's exit status, or None while it runs."""
        return self._guard.poll()

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the child's end; its exit status. Raises subprocess.TimeoutExpired."""
        return self._guard.wait(timeout)

    def signal(self, number: int) -> None:
        """Send a signal to the child alone, for example SIGKILL to try a crash."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def stop(self) -> None:
        """End the child and its process group, politely first. Harmless when it has ended already."""
        if self._guard.stdin is not None and not self._guard.stdin.closed:
            with contextlib.suppress(BrokenPipeError):
                self._guard.stdin.write(ORDERLY)
                self._guard.stdin.flush()
            with contextlib.suppress(BrokenPipeError):
                self._guard.stdin.close()
        self._guard.wait()
        if self._guard.stdout is not None:
            self._guard.stdout.close()
        self._log.close()

    def __enter__(self) -> GuardedProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start_guarded(
    command: Sequence[str],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stop_signal: int = signal.SIGTERM,
    remove: Sequence[Path] = (),
) -> GuardedProcess:
    """Start ``command`` so that it dies with this process.

    ``log`` receives its output; ``env`` replaces the environment where given; ``stop_signal`` is the polite signal;
    the folders in ``remove`` are deleted once the child has ended. Raises RuntimeError when it cannot be started.
    """
    plan = json.dumps({"command": list(command), "signal": stop_signal, "remove": [os.fspath(path) for path in remove]})
    log.parent.mkdir(parents=True, exist_ok=True)
    sink = log.open("ab")
    guard = subprocess.Popen(
        [sys.executable, "-S", "-E", os.fspath(Path(__file__).resolve()), plan],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=sink,
        env=dict(env) if env is not None else None,
        cwd=cwd,
        start_new_session=True,
    )
    try:
        return GuardedProcess(guard, sink)
    except RuntimeError:
        guard.stdin and guard.stdin.close()
        guard.wait()
        guard.stdout and guard.stdout.close()
        sink.close()
        raise


def _end_group(child: subprocess.Popen[bytes], polite: int) -> None:
    for number in (polite, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(GRACE_SECONDS)
            break
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)


def _remove(folders: Sequence[Path], *, orderly: bool) -> None:
    # after a crash other guards are still ending processes, which may write there or make the folder anew
    until = time.monotonic() + (0 if orderly else 3 * GRACE_SECONDS)
    while True:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
        if time.monotonic() >= until:
            return
        time.sleep(0.1)


def guard(plan: str) -> int:
    """Run the plan's command until it ends or standard input closes; the command's exit status."""
    what = json.loads(plan)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    child = subprocess.Popen(
        what["command"],
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr.fileno(),
        stderr=sys.stderr.fileno(),
        start_new_session=True,
        preexec_fn=_default_signals,
    )
    with contextlib.suppress(BrokenPipeError):  # a parent that is gone already is seen below
        os.write(1, f"{child.pid}\n".encode())

    said = bytearray()

    def end_with_parent() -> None:
        # not sys.stdin: a thread that holds its lock at the interpreter's end is a fatal error
        while heard := os.read(0, 1024):
            said.extend(heard)
        _end_group(child, what["signal"])

    threading.Thread(target=end_with_parent, daemon=True).start()
    status = child.wait()
    _end_group(child, what["signal"])
    if what["remove"]:
        _remove([Path(folder) for folder in what["remove"]], orderly=bytes(said) == ORDERLY)
    return status if status >= 0 else 128 - status


def _default_signals() -> None:
    # an ignored signal stays ignored across exec, and a server that ignores SIGTERM cannot be stopped politely
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


if __name__ == "__main__":
    sys.exit(guard(sys.argv[1]))
