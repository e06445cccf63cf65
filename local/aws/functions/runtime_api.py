"""One execution environment's side of the Lambda Runtime API (version 2018-06-01).

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import json
import queue
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

Kind = Literal["ready", "response", "error", "init-error", "exit"]


@dataclass(frozen=True)
class Invocation:
    """What the runtime is handed: the event as JSON, and by when it has to be done."""

    request_id: str
    function_arn: str
    deadline_ms: int
    event: bytes


@dataclass(frozen=True)
class Happening:
    """What an environment did: asked for work, answered, failed, or ended."""

    kind: Kind
    body: bytes = b""
    request_id: str = ""


class RuntimeApi:
    """The HTTP interface awslambdaric polls; ``happenings`` receives what the runtime does."""

    def __init__(self) -> None:
        self.happenings: queue.SimpleQueue[Happening] = queue.SimpleQueue()
        self._work: queue.SimpleQueue[Invocation | None] = queue.SimpleQueue()
        self._server = _Server(self)
        self.address = f"127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.1,), name="runtime-api", daemon=True).start()

    def hand(self, invocation: Invocation) -> None:
        """Let the runtime's next request for work answer with ``invocation``."""
        self._work.put(invocation)

    def next_invocation(self) -> Invocation | None:
        """Wait for work, in the runtime's request; None when the environment is stopping."""
        self.happenings.put(Happening("ready"))
        return self._work.get()

    def close(self) -> None:
        """Release the port and whoever waits for work."""
        self._work.put(None)
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, api: RuntimeApi) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.api = api

    def handle_error(self, request: Any, client_address: Any) -> None:
        """The runtime was killed in the middle of a request: its environment's end tells the pool."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: two would meet Nagle's algorithm, 40 ms an invocation
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Requests of the runtime are not worth a line."""

    def do_GET(self) -> None:
        work = self.server.api.next_invocation()
        if work is None:
            self.send_error(410)
            return
        self.send_response(200)
        self.send_header("Lambda-Runtime-Aws-Request-Id", work.request_id)
        self.send_header("Lambda-Runtime-Deadline-Ms", str(work.deadline_ms))
        self.send_header("Lambda-Runtime-Invoked-Function-Arn", work.function_arn)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(work.event)))
        self.end_headers()
        self.wfile.write(work.event)

    def do_POST(self) -> None:
        body = self._body()
        parts = self.path.strip("/").split("/")  # 2018-06-01/runtime/{init/error | invocation/ID/{response|error}}
        if parts[2:] == ["init", "error"]:
            happening = Happening("init-error", body)
        elif parts[-1] == "response":
            happening = Happening("response", body, parts[-2])
        else:
            happening = Happening("error", body, parts[-2])
        accepted = json.dumps({"status": "OK"}).encode()
        self.send_response(202)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(accepted)))
        self.end_headers()
        self.wfile.write(accepted)
        self.server.api.happenings.put(happening)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)
