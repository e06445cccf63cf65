"""The one place that reaches into ministack: its modules, their private names, their registries.

ministack (PyPI, MIT) is young; a new version may move any of these names. tests/local/aws pins the behaviour, and
this module is where it is put right. Import it only in the server process: ministack reads its settings from the
environment when it is imported.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import ministack.app as ministack
from hypercorn.asyncio import serve as hypercorn_serve
from hypercorn.config import Config
from ministack.core import iam_actions, router
from ministack.core.concurrency import run_reentrant
from ministack.core.lambda_runtime import execution_credentials
from ministack.services import ec2 as ec2_service
from ministack.services import lambda_svc, rds, s3
from ministack.services.cloudformation import provisioners, stacks

from local.aws.functions.environment import Answer
from local.aws.functions.package import Function, digest
from local.aws.resources.kind import Created, Properties, ResourceKind

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


def bucket_holds_objects(name: str) -> bool:
    """Whether a bucket has objects, or versions of them."""
    bucket = s3._buckets.get(name)
    return bucket is not None and (bool(bucket["objects"]) or bool(s3._bucket_has_versions(name)))


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


# --- CloudFormation ---------------------------------------------------------------------------------------------


def register(kinds: Mapping[str, ResourceKind]) -> None:
    """Add resource types, or put ours in the place of ministack's."""
    for name, kind in kinds.items():
        provisioners._RESOURCE_HANDLERS[name] = {
            **provisioners._RESOURCE_HANDLERS.get(name, {}),
            "create": _creator(kind),
            "update": _updater(name, kind),
            "update_with_logical_id": True,
            "delete": kind.delete,
            "delete_with_logical_id": False,
        }
        if kind.replacing:
            provisioners._REPLACING_PROPERTIES[name] = tuple(kind.replacing)
        if kind.slow:
            _slow_types.add(name)


def physical_name(stack: str, logical_id: str, max_len: int = 63) -> str:
    """The name CloudFormation gives a resource that its template leaves unnamed."""
    name: str = provisioners._physical_name(stack, logical_id, max_len=max_len)
    return name


_slow_types: set[str] = set()
_ministack_runs_on_worker_thread = stacks._runs_on_worker_thread


def _runs_on_worker_thread(resource_type: str) -> bool:
    return resource_type in _slow_types or bool(_ministack_runs_on_worker_thread(resource_type))


stacks._runs_on_worker_thread = _runs_on_worker_thread


def _creator(kind: ResourceKind) -> Callable[..., tuple[str, dict[str, Any]]]:
    def create(logical_id: str, properties: Properties, stack: str) -> tuple[str, dict[str, Any]]:
        made = kind.create(logical_id, properties, stack)
        return made.physical_id, made.attributes

    return create


def _updater(name: str, kind: ResourceKind) -> Callable[..., tuple[str, dict[str, Any]]]:
    def update(
        physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str
    ) -> tuple[str, dict[str, Any]]:
        if kind.update is None:
            replaced: tuple[str, dict[str, Any]] = provisioners._replace_resource(
                name, physical_id, old, new, stack, logical_id
            )
            return replaced
        changed = kind.update(physical_id, old, new)
        return changed.physical_id, changed.attributes

    return update


def builtin_kind(name: str) -> ResourceKind:
    """ministack's own implementation of a type, to be built upon."""
    handler = provisioners._RESOURCE_HANDLERS[name]

    def create(logical_id: str, properties: Properties, stack: str) -> Created:
        return Created(*handler["create"](logical_id, properties, stack))

    if handler.get("update_with_logical_id"):
        raise ValueError(f"{name}: its update needs the logical id, which ours does not hand on")

    def update(physical_id: str, old: Properties, new: Properties) -> Created:
        return Created(*handler["update"](physical_id, old, new, ""))

    return ResourceKind(create, handler["delete"], update)


# --- EC2, RDS ---------------------------------------------------------------------------------------------------


def ec2(action: str, parameters: dict[str, Any]) -> Callable[[str], str]:
    """Call an EC2 action; gives a reader of elements of the answer. Raises ValueError with the answer's text."""
    status, _, body = ec2_service._ACTION_MAP[action]({name: [str(value)] for name, value in parameters.items()})
    text = body.decode() if isinstance(body, bytes) else body
    if status != 200:
        raise ValueError(text)

    def element(name: str) -> str:
        found = re.search(f"<{name}>([^<]*)<", text)
        return found.group(1) if found else ""

    return element


def database_records() -> ResourceKind:
    """What DescribeDBInstances answers about a deployed instance: made, changed, deleted; no server behind it."""

    def create(logical_id: str, properties: Properties, stack: str) -> Created:
        return Created(*provisioners._rds_db_instance_create(logical_id, properties, stack))

    def update(identifier: str, old: Properties, new: Properties) -> Created:
        record = rds._instances[identifier]
        fields = provisioners._rds_db_instance_fields
        provisioners._rds_apply_changed(record, fields(old), fields(new))
        return Created(identifier, provisioners._rds_db_instance_attrs(record))

    return ResourceKind(create, provisioners._rds_db_instance_delete, update)


def set_database_endpoint(identifier: str, address: str, port: int) -> None:
    """Where DescribeDBInstances says a database answers."""
    rds._instances[identifier]["Endpoint"].update(Address=address, Port=port)


def database_parameters(group: str) -> dict[str, str]:
    """The values that a parameter group's template sets."""
    values = rds._param_groups[group].get("Parameters", {})
    return {name: str(value["ParameterValue"]) for name, value in values.items()}


# --- DMS --------------------------------------------------------------------------------------------------------


def answer_dms(handle: Callable[[str, dict[str, Any]], dict[str, Any]]) -> None:
    """Route the DMS API (AWS JSON 1.1) to ``handle``; a fault is an exception with ``code`` and ``message``."""

    async def handler(
        _method: str, _path: str, headers: dict[str, str], body: bytes, _query: dict[str, Any]
    ) -> tuple[int, dict[str, str], bytes]:
        action = headers["x-amz-target"].rpartition(".")[2]
        status, answer = await run_reentrant(_dms_answer, handle, action, json.loads(body or b"{}"))
        return status, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(answer, default=_epoch).encode()

    ministack.SERVICE_HANDLERS["dms"] = handler
    router.SERVICE_PATTERNS["dms"] = {"target_prefixes": ["AmazonDMSv20160101."]}
    iam_actions.SERVICE_TO_IAM_NAMESPACE["dms"] = "dms"


def _dms_answer(
    handle: Callable[[str, dict[str, Any]], dict[str, Any]], action: str, parameters: dict[str, Any]
) -> tuple[int, dict[str, Any]]:
    try:
        return 200, handle(action, parameters)
    except Exception as fault:
        code = getattr(fault, "code", None)
        if code is None:
            raise
        return 400, {"__type": code, "message": getattr(fault, "message", str(fault))}


def _epoch(value: object) -> float:
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(f"{value!r} cannot stand in an answer")


_ministack_resource_arn = iam_actions.extract_resource_arn


def _resource_arn(service: str, method: str, path: str, headers: Any, body: bytes, *rest: Any) -> str:
    if service != "dms":
        arn: str = _ministack_resource_arn(service, method, path, headers, body, *rest)
        return arn
    named = [value for name, value in json.loads(body or b"{}").items() if name.endswith("Arn")]
    return str(named[0]) if named else "*"


iam_actions.extract_resource_arn = _resource_arn
