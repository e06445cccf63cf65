"""One run of a Glue job, as a process of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from local.aws.account import REGION
from local.processes import GuardedProcess, start_guarded

SPARK_PYTHON = "CATCHMENT_SPARK_PYTHON"
"""Environment variable with the Python that scripts run in; left out: that of ``make setup-spark``."""

_ROOT = Path(__file__).resolve().parents[3]
_TAIL = 2000


@dataclass(frozen=True)
class JobRun:
    """What Glue is asked to run. ``credentials`` are environment variables of a session of the job's role."""

    id: str
    job: str
    script: str
    """``s3://`` URL."""
    arguments: Mapping[str, str]
    timeout_seconds: float
    credentials: Mapping[str, str] = field(repr=False)


class RunProcess:
    """A run under way. ``ended`` is called once, in a thread of its own, with a state of Glue's and a message.

    Glue fetches script and Python files as the job's role, so a missing grant fails the run here as well.
    """

    def __init__(self, run: JobRun, folder: Path, log: Path, endpoint: str, ended: Callable[[str, str], None]) -> None:
        self._run, self._folder, self._log, self._endpoint, self._ended = run, folder, log, endpoint, ended
        self._stopped = threading.Event()
        self._process: GuardedProcess | None = None
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._work, name=f"job run {run.id}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End it; it counts as stopped. Returns when its process has ended."""
        self._stopped.set()
        with self._lock:
            if self._process is not None:
                self._process.stop()
        self._thread.join()

    def _work(self) -> None:
        try:
            state, message = self._execute()
        except Exception as error:  # the edge to Glue's API: whatever it was, the run has failed of it
            state, message = "FAILED", f"{type(error).__name__}: {error}"
        shutil.rmtree(self._folder, ignore_errors=True)
        self._ended("STOPPED" if self._stopped.is_set() else state, message)

    def _execute(self) -> tuple[str, str]:
        (self._folder / "tmp").mkdir(parents=True)
        script = self._fetch(self._run.script)
        listed = self._run.arguments.get("--extra-py-files", "")
        libraries = [self._fetch(url) for url in listed.split(",") if url]
        given = [text for pair in self._run.arguments.items() for text in pair]
        command = [os.fspath(_python()), os.fspath(script), *given]
        with self._lock:
            if self._stopped.is_set():
                return "STOPPED", ""
            self._process = start_guarded(command, log=self._log, env=self._environment(libraries), cwd=self._folder)
        try:
            status = self._process.wait(self._run.timeout_seconds)
        except subprocess.TimeoutExpired:
            return "TIMEOUT", f"it ran longer than {self._run.timeout_seconds / 60:g} minutes"
        finally:
            self._process.stop()
        if status == 0:
            return "SUCCEEDED", ""
        return "FAILED", f"exit status {status}: {self._log.read_text(errors='replace').strip()[-_TAIL:]}"

    def _fetch(self, url: str) -> Path:
        import boto3

        place = urlsplit(url)
        target = self._folder / Path(place.path).name
        keys = self._run.credentials
        s3 = boto3.client(
            "s3",
            endpoint_url=self._endpoint,
            region_name=REGION,
            aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=keys["AWS_SESSION_TOKEN"],
        )
        s3.download_file(place.netloc, place.path.lstrip("/"), os.fspath(target))
        return target

    def _environment(self, libraries: list[Path]) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("JAVA_HOME", "LD_LIBRARY_PATH") if name in os.environ}
        temporary = os.fspath(self._folder / "tmp")
        return {
            **kept,
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "en_US.UTF-8",
            "TZ": "UTC",
            "HOME": temporary,
            "TMPDIR": temporary,
            "PYTHONPATH": os.pathsep.join(map(os.fspath, libraries)),
            "AWS_ENDPOINT_URL": self._endpoint,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ALLOW_HTTP": "true",
            "AWS_EC2_METADATA_DISABLED": "true",
            **self._run.credentials,
        }


def _python() -> Path:
    named = os.environ.get(SPARK_PYTHON)
    python = Path(named) if named else _ROOT / ".venv-spark" / "bin" / "python"
    if not python.exists():
        raise FileNotFoundError(f"{python}: there is no Spark here; make setup-spark")
    return python
