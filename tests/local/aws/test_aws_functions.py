"""Lambda: the deployed package in AWS's runtime client, with the limits and the role it was given."""

from __future__ import annotations

import io
import json
import threading
import zipfile
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from local.aws import LocalAws

Function = Callable[..., str]
Invoke = Callable[..., tuple[Any, str | None]]

MISBEHAVING = """
import os, time

class OrderLost(Exception):
    pass

calls = 0

def handler(event, context):
    global calls
    calls += 1
    if event.get("do") == "raise":
        raise OrderLost("which one?")
    if event.get("do") == "sleep":
        time.sleep(60)
    if event.get("do") == "exit":
        os._exit(3)
    if event.get("do") == "allocate":
        bytearray(event["mb"] << 20)
    return {"calls": calls, "memory": context.memory_limit_in_mb, "left": context.get_remaining_time_in_millis()}
"""


def test_a_warm_environment_is_used_again(function: Function, invoke: Invoke) -> None:
    name = function("warm", MISBEHAVING)

    assert [invoke(name)[0]["calls"] for _ in range(3)] == [1, 2, 3]


def test_a_raised_exception_is_answered_by_its_own_name(function: Function, invoke: Invoke) -> None:
    payload, error = invoke(function("raising", MISBEHAVING), do="raise")

    assert error == "Unhandled"
    assert (payload["errorType"], payload["errorMessage"]) == ("OrderLost", "which one?")
    assert "app.py" in payload["stackTrace"][0]


def test_a_function_over_its_time_is_killed_and_starts_anew(function: Function, invoke: Invoke) -> None:
    name = function("sleeping", MISBEHAVING, Timeout=1)
    invoke(name)
    payload, error = invoke(name, do="sleep")

    assert (error, payload["errorType"]) == ("Unhandled", "Sandbox.Timedout")
    assert "Task timed out after 1.00 seconds" in payload["errorMessage"]
    assert invoke(name)[0]["calls"] == 1


def test_a_process_that_ends_is_a_failed_invocation(function: Function, invoke: Invoke) -> None:
    name = function("exiting", MISBEHAVING)
    payload, error = invoke(name, do="exit")

    assert (error, payload["errorType"]) == ("Unhandled", "Runtime.ExitError")
    assert invoke(name)[0]["calls"] == 1


def test_memory_is_limited(function: Function, invoke: Invoke) -> None:
    name = function("hungry", MISBEHAVING, MemorySize=128)

    assert invoke(name, do="allocate", mb=64)[1] is None
    assert invoke(name, do="allocate", mb=4096)[0]["errorType"] == "MemoryError"


def test_the_context_tells_what_was_configured(function: Function, invoke: Invoke) -> None:
    answer, _ = invoke(function("configured", MISBEHAVING, MemorySize=192, Timeout=7))

    assert int(answer["memory"]) == 192
    assert 6000 < answer["left"] <= 7000


LOOKING = """
import importlib, os

def handler(event, context):
    found = {}
    for name in event["modules"]:
        try:
            found[name] = importlib.import_module(name).__file__
        except ModuleNotFoundError:
            found[name] = None
    return {"modules": found, "environment": dict(os.environ)}
"""


def test_only_deployed_code_and_locked_packages_can_be_imported(function: Function, invoke: Invoke) -> None:
    name = function("looking", LOOKING)
    found = invoke(name, modules=["app", "boto3", "catchment", "local.aws", "stacks", "catchment_constructs"])[0][
        "modules"
    ]

    assert found["app"].endswith("/app.py")
    assert "site-packages" in found["boto3"]
    assert [found[module] for module in ("catchment", "local.aws", "stacks", "catchment_constructs")] == [None] * 4


def test_the_environment_is_the_functions_own(
    function: Function, invoke: Invoke, aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = function("variables", LOOKING, Environment={"Variables": {"TABLE": "control"}})
    seen = invoke(name, modules=[])[0]["environment"]

    assert seen["TABLE"] == "control"
    assert seen["AWS_LAMBDA_FUNCTION_NAME"] == name
    assert seen["AWS_ENDPOINT_URL"] == aws.endpoint
    assert seen["AWS_ACCESS_KEY_ID"].startswith("ASIA")
    assert "VIRTUAL_ENV" not in seen


def layer(files: dict[str, str]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return target.getvalue()


def publish(aws: LocalAws, name: str, content: bytes) -> str:
    answer = aws.client("lambda").publish_layer_version(LayerName=name, Content={"ZipFile": content})
    return str(answer["LayerVersionArn"])


def test_a_layer_gives_its_packages(function: Function, invoke: Invoke, aws: LocalAws) -> None:
    arn = publish(aws, "given", layer({"python/from_the_layer.py": "X = 1"}))
    found = invoke(function("layered", LOOKING, Layers=[arn]), modules=["from_the_layer"])[0]["modules"]

    assert found["from_the_layer"].endswith("/python/from_the_layer.py")


@pytest.mark.parametrize(
    "files",
    [{}, {"python/duckdb/__init__.py": "raise ImportError", "python/duckdb/x.cpython-39-riscv64-linux-gnu.so": ""}],
    ids=["placeholder", "built for another machine"],
)
def test_a_layer_that_cannot_run_here_leaves_the_machines_packages(
    function: Function, invoke: Invoke, aws: LocalAws, files: dict[str, str]
) -> None:
    name = f"unlayered-{len(files)}"
    arn = publish(aws, name, layer(files))
    found = invoke(function(name, LOOKING, Layers=[arn]), modules=["duckdb"])[0]["modules"]

    assert "site-packages" in found["duckdb"]


def test_new_code_is_run_by_the_next_call(
    function: Function, invoke: Invoke, aws: LocalAws, code: Callable[[str], bytes]
) -> None:
    name = function("changing", "def handler(event, context): return 1")
    before = invoke(name)[0]
    aws.client("lambda").update_function_code(FunctionName=name, ZipFile=code("def handler(event, context): return 2"))

    assert (before, invoke(name)[0]) == (1, 2)


def test_calls_at_the_same_time_have_environments_of_their_own(function: Function, invoke: Invoke) -> None:
    name = function(
        "parallel", "import os, time\ndef handler(event, context):\n    time.sleep(0.3)\n    return os.getpid()"
    )
    pids: list[int] = []
    callers = [threading.Thread(target=lambda: pids.append(invoke(name)[0])) for _ in range(3)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()

    assert len(set(pids)) == 3


def test_reserved_concurrency_is_a_limit(function: Function, aws: LocalAws) -> None:
    client = aws.client("lambda", attempts=1)
    name = function("reserved", "def handler(event, context): return 1")
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)

    with pytest.raises(client.exceptions.TooManyRequestsException):
        client.invoke(FunctionName=name)


def test_what_a_function_prints_is_in_its_log(
    function: Function, invoke: Invoke, aws: LocalAws, until: Callable[..., Any]
) -> None:
    name = function("talking", "def handler(event, context): print('spoke of', event['of'])")
    invoke(name, of="the weather")

    assert "spoke of the weather" in (aws.folder / "logs" / f"{name}.log").read_text()
    events = aws.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
    assert "spoke of the weather" in [event["message"] for event in events]


def test_another_runtime_is_refused_by_name(function: Function, invoke: Invoke) -> None:
    payload, error = invoke(function("foreign", "", Runtime="nodejs22.x"))

    assert error is not None
    assert "nodejs22.x is not emulated" in payload["errorMessage"]


def test_an_asynchronous_call_is_tried_three_times_and_then_given_up(
    function: Function, aws: LocalAws, until: Callable[..., Any]
) -> None:
    sqs = aws.client("sqs")
    queue = sqs.create_queue(QueueName="given-up")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    name = function(
        "failing",
        "def handler(event, context):\n    print('tried')\n    raise RuntimeError('no')",
        statements=[{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": arn}],
        DeadLetterConfig={"TargetArn": arn},
    )
    aws.client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=b"{}")
    message = until(lambda: sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages"))[0]

    assert json.loads(message["Body"]) is not None
    assert (aws.folder / "logs" / f"{name}.log").read_text().count("tried\n") == 3


def test_environments_are_children_of_the_server(function: Function, invoke: Invoke, aws: LocalAws) -> None:
    invoke(function("descending", "def handler(event, context): return 1"))
    commands = [" ".join(child.cmdline()) for child in psutil.Process(aws.pid).children(recursive=True)]

    assert any("bootstrap.py app.handler" in command for command in commands)
