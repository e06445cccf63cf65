"""Lambda: our runner in the place of ministack's executors."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from ministack.core.lambda_runtime import execution_credentials
from ministack.services import lambda_svc
from ministack.services.cloudformation import custom_resource

from local.aws.functions.environment import Answer
from local.aws.functions.package import Function, digest
from local.aws.ministack_seam.monitoring import count_call, put_samples
from local.aws.monitoring.embedded import embedded_metrics

InvokeFunction = Callable[[Function, bytes, str], Answer]

_FUNCTION_BY_KEY: dict[str, str] = {}


def run_functions_with(invoke: InvokeFunction) -> None:
    """Let ``invoke`` run every Python function; no other runtime is run at all. Calls are counted, as are the metrics
    that they write into their logs."""

    def execute(record: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
        if not (record.get("config") or record)["Runtime"].startswith("python"):
            return _refuse_runtime(record, event, request_id)
        function = _deployed_function(record)
        began = time.monotonic()
        answer = invoke(function, json.dumps(event).encode(), request_id)
        count_call(function.name, seconds=time.monotonic() - began, failed=answer.failed)
        put_samples(embedded_metrics(answer.log))
        if answer.failed:
            _fail_custom_resource(event, answer)
        return _execution_result(answer)

    lambda_svc._execute_function_warm = execute
    for executor in ("_execute_function_docker", "_execute_function_provided", "_execute_function_provided_warm"):
        setattr(lambda_svc, executor, _refuse_runtime)


def _fail_custom_resource(event: Any, answer: Answer) -> None:
    # CloudFormation would wait for the response that never comes until its time-out, an hour later
    url = event.get("ResponseURL", "") if isinstance(event, dict) else ""
    if "/cfn-response/" in url:
        error = json.loads(answer.payload)
        reason = f"its function failed: {error.get('errorType')}: {error.get('errorMessage')}"
        custom_resource.deliver_response(url.rpartition("/")[2], {"Status": "FAILED", "Reason": reason})


def function_of(access_key: str) -> str | None:
    """The ARN of the function that was given this access key."""
    return _FUNCTION_BY_KEY.get(access_key)


def _credentials(config: dict[str, Any]) -> dict[str, str]:
    credentials: dict[str, str] = execution_credentials(config)
    _FUNCTION_BY_KEY[credentials["AWS_ACCESS_KEY_ID"]] = config["FunctionArn"]
    return credentials


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
        variables=tuple(sorted({**_logging(config), **(config.get("Environment") or {}).get("Variables", {})}.items())),
        credentials=tuple(sorted(_credentials(config).items())),
        code=code,
        layers=layers,
        code_sha=digest(code),
        layer_shas=tuple(map(digest, layers)),
    )


def _logging(config: dict[str, Any]) -> dict[str, str]:
    logging = config.get("LoggingConfig") or {}
    named = {
        "AWS_LAMBDA_LOG_FORMAT": logging.get("LogFormat"),
        "AWS_LAMBDA_LOG_LEVEL": logging.get("ApplicationLogLevel"),
        "AWS_LAMBDA_LOG_GROUP_NAME": logging.get("LogGroup", f"/aws/lambda/{config['FunctionName']}"),
    }
    return {name: value for name, value in named.items() if value}


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
