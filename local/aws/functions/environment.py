"""An execution environment: one process that serves one invocation after the other, as Lambda does it."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from local.aws.account import REGION
from local.aws.functions.package import Function
from local.aws.functions.runtime_api import Happening, Invocation, RuntimeApi
from local.processes import GuardedProcess, start_guarded

INIT_SECONDS = 60.0
"""Lambda gives the init phase 10 s on a quiet machine; a laptop under load gets more."""

RESPONSE_BYTES = 6 * 1024 * 1024
"""Limit of a synchronous response: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""

_BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
_ROOT = Path(__file__).resolve().parents[3]


def memory_allowance_mb() -> int:
    """What the process may have over the function's memory size, in MB.

    Lambda counts resident memory. The limit that can be set here (RLIMIT_DATA) counts reserved memory, which lies
    130 to 270 MB higher for DuckDB with delta-rs and grows with the number of threads.
    """
    return 256 + 16 * (os.cpu_count() or 1)


@dataclass(frozen=True)
class Answer:
    """How an invocation ended: the payload, whether it is an error, and what the function printed."""

    payload: bytes
    failed: bool
    log: str
    usable: bool
    """Whether the environment can serve the next invocation."""


class Environment:
    """One started environment of ``function``; use it from one thread at a time."""

    def __init__(self, function: Function, code: Path, layers: list[Path], folder: Path, endpoint: str) -> None:
        self.function = function
        self._api = RuntimeApi()
        self._folder = folder
        self._temporary = folder / "tmp"
        self._temporary.mkdir(parents=True)
        self._log = folder / "output.log"
        self._log_read = 0
        self._started = False
        self._process = start_guarded(
            [sys.executable, "-P", os.fspath(_BOOTSTRAP), function.handler],
            log=self._log,
            env=self._variables(code, layers, endpoint),
            cwd=code,
        )
        threading.Thread(target=self._report_exit, args=(self._process,), daemon=True).start()

    def invoke(self, event: bytes, request_id: str) -> Answer:
        """Run the handler on ``event`` (JSON) and wait for its answer, its end or its time-out."""
        if not self._started:
            failure = self._wait_for_init(request_id)
            if failure is not None:
                return failure
            self._started = True
        seconds = self.function.timeout_seconds
        deadline = time.time() + seconds
        self._api.hand(Invocation(request_id, self.function.arn, int(deadline * 1000), event))
        while True:
            happening = self._wait(deadline - time.time())
            if happening is None:
                message = f"RequestId: {request_id} Error: Task timed out after {seconds:.2f} seconds"
                return self._failure("Sandbox.Timedout", message)
            if happening.kind == "exit":
                return self._failure("Runtime.ExitError", _exit_message(request_id, happening))
            if happening.request_id == request_id:
                return self._answer(happening)

    def stop(self) -> None:
        """End the process and remove its files."""
        self._process.stop()
        self._api.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _wait_for_init(self, request_id: str) -> Answer | None:
        happening = self._wait(INIT_SECONDS)
        if happening is None:
            return self._failure("Sandbox.Timedout", f"RequestId: {request_id} Error: Init timed out")
        if happening.kind == "ready":
            return None
        if happening.kind == "init-error":
            return Answer(happening.body, True, self._new_output(), usable=False)
        return self._failure("Runtime.ExitError", _exit_message(request_id, happening))

    def _answer(self, happening: Happening) -> Answer:
        if len(happening.body) > RESPONSE_BYTES:
            message = f"Response payload size ({len(happening.body)} bytes) exceeded maximum allowed payload size."
            return self._failure("Function.ResponseSizeTooLarge", message, usable=True)
        return Answer(happening.body, happening.kind == "error", self._new_output(), usable=True)

    def _failure(self, kind: str, message: str, *, usable: bool = False) -> Answer:
        payload = json.dumps({"errorType": kind, "errorMessage": message}).encode()
        return Answer(payload, True, self._new_output() + f"{message}\n", usable)

    def _wait(self, seconds: float) -> Happening | None:
        try:
            return self._api.happenings.get(timeout=max(seconds, 0.0))
        except queue.Empty:
            return None

    def _new_output(self) -> str:
        with self._log.open("rb") as log:
            log.seek(self._log_read)
            output = log.read()
        self._log_read += len(output)
        return output.decode(errors="replace")

    def _report_exit(self, process: GuardedProcess) -> None:
        try:
            status = process.wait()
        except subprocess.TimeoutExpired:  # pragma: no cover - no time-out is given
            return
        self._api.happenings.put(Happening("exit", str(status).encode()))

    def _variables(self, code: Path, layers: list[Path], endpoint: str) -> dict[str, str]:
        function, temporary = self.function, os.fspath(self._temporary)
        reserved = {
            "_HANDLER": function.handler,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_VERSION": function.version,
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_STREAM_NAME": self._folder.name,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_LAMBDA_RUNTIME_API": self._api.address,
            "LAMBDA_TASK_ROOT": os.fspath(code),
        }
        local = {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "HOME": temporary,
            "TMPDIR": temporary,
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ALLOW_HTTP": "true",
            "AWS_EC2_METADATA_DISABLED": "true",
            "CATCHMENT_MEMORY_LIMIT_MB": str(function.memory_mb + memory_allowance_mb()),
            "CATCHMENT_HIDE_FROM_FUNCTIONS": os.fspath(_ROOT),
            "CATCHMENT_LAYER_PATHS": os.pathsep.join(map(os.fspath, layers)),
        }
        return {**local, **dict(function.variables), **reserved, **dict(function.credentials)}


def _exit_message(request_id: str, happening: Happening) -> str:
    return f"RequestId: {request_id} Error: Runtime exited with error: exit status {happening.body.decode()}"
