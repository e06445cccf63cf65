"""What embedded database servers have in common: a process on a port of its own, waited for until it answers."""

from __future__ import annotations

import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Self

from local.processes import GuardedProcess

HOST = "127.0.0.1"
START_SECONDS = 30.0
ATTEMPTS = 5


class ServerFailed(RuntimeError):
    """An embedded server could not be started; the message ends with what it printed."""

    def __init__(self, what: str, printed: str) -> None:
        super().__init__(what, printed)
        self.what, self.printed = what, printed

    def __str__(self) -> str:
        return f"{self.what}:\n{self.printed.strip()[-2000:]}"


class EmbeddedServer(ABC):
    """A running server, a child of this process. Its user is the one it was made with."""

    title: ClassVar[str]
    unreachable: ClassVar[type[Exception]]
    """What its driver raises while nobody answers."""

    def __init__(self, process: GuardedProcess, *, folder: Path, port: int, user: str, password: str) -> None:
        self._process = process
        self.folder = folder
        self.host = HOST
        self.port = port
        self.user = user
        self.password = password

    @property
    def pid(self) -> int:
        """Process id of the server."""
        return self._process.pid

    @property
    def log(self) -> Path:
        """The file that holds the server's log."""
        return self._process.log

    def stop(self) -> None:
        """Shut down at once; open transactions roll back. Harmless a second time."""
        self._process.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @abstractmethod
    def probe(self) -> None:
        """Connect, and let go. Raises ``unreachable``."""

    @abstractmethod
    def ensure_database(self, database: str) -> None:
        """Make a database where it is not there."""

    @classmethod
    def _started(
        cls,
        launch: Callable[[int], GuardedProcess],
        port: int | None,
        database: str | None,
        *,
        folder: Path,
        user: str,
        password: str,
    ) -> Self:
        """A server that answers, on ``port`` or one that is free. Raises ServerFailed."""
        for attempt in range(1, ATTEMPTS + 1):
            chosen = port or _free_port()
            server = cls(launch(chosen), folder=folder, port=chosen, user=user, password=password)
            try:
                server._wait_until_ready()
                if database is not None:
                    server.ensure_database(database)
            except BaseException as error:
                server.stop()
                # somebody may have taken the port between our choosing it and the server's binding it
                taken = isinstance(error, ServerFailed) and "Address already in use" in error.printed
                if taken and port is None and attempt < ATTEMPTS:
                    continue
                raise
            return server
        raise AssertionError("the last attempt returns or raises")

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self.probe()
                return
            except self.unreachable as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise ServerFailed(f"{self.title} did not start", self.log.read_text() + str(error)) from error
            time.sleep(0.02)


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
