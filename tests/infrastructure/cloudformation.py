"""CloudFormation as a custom resource meets it."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any


class CloudFormation:
    """Where a custom resource answers: a real HTTP server on the loopback interface."""

    def __init__(self) -> None:
        answers = self.answers = []

        class Receive(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                answers.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return None

        self._server = HTTPServer(("127.0.0.1", 0), Receive)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    answers: list[dict[str, str]]

    def event(self, kind: str, **more: str) -> dict[str, Any]:
        url = f"http://127.0.0.1:{self._server.server_port}/answer"
        ids = {"StackId": "stack", "RequestId": "request", "LogicalResourceId": "Task", "ResponseURL": url}
        return {"RequestType": kind, **ids, "ResourceProperties": {"TaskArn": "arn:task"}, **more}

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
