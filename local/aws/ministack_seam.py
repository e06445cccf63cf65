"""The one place that reaches into ministack: its modules, their private names, their registries.

ministack (PyPI, MIT) is young; a new version may move any of these names. tests/local/aws pins the behaviour, and
this module is where it is put right. Import it only in the server process: ministack reads its settings from the
environment when it is imported.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from collections.abc import Callable
from typing import Any

import ministack.app as ministack
from hypercorn.asyncio import serve as hypercorn_serve
from hypercorn.config import Config
from ministack.core.lambda_runtime import execution_credentials
from ministack.services import lambda_svc, s3

from local.aws.functions.environment import Answer
from local.aws.functions.package import Function, digest

InvokeFunction = Callable[[Function, bytes, str], Answer]


def serve(listener: socket.socket) -> None:
    """Answer HTTP requests on ``listener`` until SIGTERM or SIGINT."""
    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    config.graceful_timeout = 0.5
    config.shutdown_timeout = 1.0

    async def until_stopped() -> None:
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopped.set)
        await hypercorn_serve(ministack.app, config, shutdown_trigger=stopped.wait)

    asyncio.run(until_stopped())


# --- S3 ---------------------------------------------------------------------------------------------------------


def keep_objects_on_disk() -> None:
    """Write each object to its file and nothing beside it: ministack's metadata files would lie in the lake."""
    s3._persist_object = _write_object


def _write_object(bucket: str, key: str, record: dict[str, Any]) -> None:
    path = s3._object_disk_path(bucket, key)
    body = record.get("body")
    if body is None:
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    s3._atomic_write(path, body)
    record["body"] = None


# --- Lambda -----------------------------------------------------------------------------------------------------


def run_functions_with(invoke: InvokeFunction) -> None:
    """Let ``invoke`` run every Python function; no other runtime is run at all."""

    def execute(record: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
        function = _deployed_function(record)
        answer = invoke(function, json.dumps(event).encode(), request_id)
        return _execution_result(answer)

    lambda_svc._execute_function_warm = execute
    for executor in ("_execute_function_docker", "_execute_function_provided", "_execute_function_provided_warm"):
        setattr(lambda_svc, executor, _refuse_runtime)


def _deployed_function(record: dict[str, Any]) -> Function:
    config = record.get("config") or record
    code = record.get("code_zip") or b""
    layers = tuple(_layer_package(layer) for layer in config.get("Layers", []))
    return Function(
        name=config["FunctionName"],
        arn=config["FunctionArn"],
        version=config.get("Version", "$LATEST"),
        runtime=config["Runtime"],
        handler=config["Handler"],
        memory_mb=int(config["MemorySize"]),
        timeout_seconds=int(config["Timeout"]),
        variables=tuple(sorted((config.get("Environment") or {}).get("Variables", {}).items())),
        credentials=tuple(sorted(execution_credentials(config).items())),
        code=code,
        layers=layers,
        code_sha=digest(code),
        layer_shas=tuple(map(digest, layers)),
    )


def _layer_package(layer: dict[str, Any] | str) -> bytes:
    package = lambda_svc._resolve_layer_zip(layer)
    if package is None:
        raise ValueError(f"layer {layer} has no content")
    return bytes(package)


def _execution_result(answer: Answer) -> dict[str, Any]:
    result: dict[str, Any] = {"body": json.loads(answer.payload or b"null"), "log": answer.log}
    if answer.failed:
        result |= {"error": True, "function_error": "Unhandled"}
    return result


def _refuse_runtime(record: dict[str, Any], _event: Any, _request_id: str) -> dict[str, Any]:
    runtime = (record.get("config") or record).get("Runtime")
    message = f"runtime {runtime} is not emulated: functions are Python"
    return {"body": {"errorType": "Runtime.NotEmulated", "errorMessage": message}, "error": True, "log": message}
