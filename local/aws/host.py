"""Start the local AWS as a process of its own and talk to it."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

from local.aws.account import ACCOUNT, KEY, KEY_ID, REGION
from local.aws.bootstrap import bootstrap
from local.processes import GuardedProcess, start_guarded

START_SECONDS = 60.0
"""A generous limit: the server is up within a second or two on an idle machine."""

_ROOT = Path(__file__).resolve().parents[2]


class LocalAws:
    """A running local AWS; a context manager that stops it, and all it started, at the end.

    Example: ``with LocalAws.start(folder) as aws: aws.client("s3").list_buckets()``

    ``folder`` keeps ``s3/<bucket>/<key>`` (the objects, as plain files, readable after stop() too),
    ``logs/<function>.log`` and ``server.log``.
    """

    def __init__(self, folder: Path, process: GuardedProcess, endpoint: str) -> None:
        self.folder = folder
        self.endpoint = endpoint
        self.region = REGION
        self.account = ACCOUNT
        self._process = process
        # the server imports this module as well, and comes up faster without it
        import boto3

        self._session = boto3.Session(aws_access_key_id=KEY_ID, aws_secret_access_key=KEY, region_name=REGION)

    @classmethod
    def start(cls, folder: Path, *, settings: dict[str, str] | None = None) -> LocalAws:
        """Start the server in ``folder``, which it must not have used before; return when the account is bootstrapped.

        ``settings`` are environment variables for the server process (such as CATCHMENT_CHAOS).
        Raises FileExistsError for a used folder, RuntimeError (with the log's end) when the server does not come up.
        """
        folder = folder.resolve()
        folder.mkdir(parents=True, exist_ok=True)
        address = folder / "server.json"
        if address.exists():
            raise FileExistsError(f"{folder} belongs to another run of the local AWS")
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("AWS_") and not name.lower().endswith("_proxy")
        }
        process = start_guarded(
            [sys.executable, "-m", "local.aws.server", "--folder", os.fspath(folder)],
            log=folder / "server.log",
            env={**environment, **(settings or {})},
            cwd=_ROOT,
            stop_signal=signal.SIGTERM,
        )
        try:
            endpoint = _wait_for_address(address, process)
            _wait_until_healthy(endpoint, process)
            aws = cls(folder, process, endpoint)
            bootstrap(aws)
        except BaseException:
            process.stop()
            raise
        return aws

    @property
    def pid(self) -> int:
        """Process id of the server."""
        return self._process.pid

    def client(self, service: str, *, attempts: int = 3) -> Any:
        """A boto3 client of ``service`` with the operator's credentials, which may do everything."""
        from botocore.config import Config

        config = Config(
            retries={"total_max_attempts": attempts, "mode": "standard"},
            max_pool_connections=32,
            proxies={},  # the machine's proxy, if it has one, cannot reach its loopback interface
        )
        make: Any = self._session.client  # its stubs know one overload a service, none for a name in a variable
        return make(service, endpoint_url=self.endpoint, config=config)

    def environment(self) -> dict[str, str]:
        """What a child process needs in its environment to reach this AWS, and no other, as the operator."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": KEY_ID,
            "AWS_SECRET_ACCESS_KEY": KEY,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ALLOW_HTTP": "true",
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
        }

    def stop(self) -> None:
        """End the server and everything it started. Harmless when it has ended already."""
        self._process.stop()

    def __enter__(self) -> LocalAws:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _wait_for_address(address: Path, process: GuardedProcess) -> str:
    deadline = time.monotonic() + START_SECONDS
    while not address.exists():
        _fail_if_over(process, deadline)
        time.sleep(0.02)
    return str(json.loads(address.read_text())["endpoint"])


def _wait_until_healthy(endpoint: str, process: GuardedProcess) -> None:
    deadline = time.monotonic() + START_SECONDS
    directly = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while True:
        try:
            with directly.open(f"{endpoint}/_ministack/health", timeout=5):
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            _fail_if_over(process, deadline)
            time.sleep(0.02)


def _fail_if_over(process: GuardedProcess, deadline: float) -> None:
    if process.poll() is None and time.monotonic() < deadline:
        return
    tail = process.log.read_text(errors="replace")[-3000:]
    raise RuntimeError(f"the local AWS did not start; the end of {process.log}:\n{tail}")
