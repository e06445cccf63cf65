"""The server's own life: on the loopback interface, alone in its folder, gone when it is stopped or its parent dies."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from local.aws import LocalAws

PARENT = """
import sys, pathlib, signal
from local.aws import LocalAws
aws = LocalAws.start(pathlib.Path(sys.argv[1]))
print(aws.endpoint, aws.pid, flush=True)
signal.pause()
"""


def call_a_function(aws: LocalAws, code: Callable[[str], bytes]) -> None:
    trust = {
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]
    }
    role = aws.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    aws.client("lambda").create_function(
        FunctionName="f",
        Role=role,
        Runtime="python3.13",
        Handler="app.handler",
        Code={"ZipFile": code("def handler(event, context): return 1")},
    )
    aws.client("lambda").invoke(FunctionName="f")


def test_it_listens_on_the_loopback_interface_only(aws: LocalAws) -> None:
    listening = {
        connection.laddr.ip
        for process in [psutil.Process(aws.pid), *psutil.Process(aws.pid).children(recursive=True)]
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}


def test_a_proxy_of_the_machine_is_not_asked(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

    assert aws.client("sts").get_caller_identity()["Account"] == aws.account


def test_a_used_folder_is_refused(aws: LocalAws) -> None:
    with pytest.raises(FileExistsError, match="another run"):
        LocalAws.start(aws.folder)


def test_stopping_leaves_the_files_and_no_process(
    tmp_path: Path, code: Callable[[str], bytes], until: Callable[..., Any]
) -> None:
    with LocalAws.start(tmp_path / "aws") as aws:
        aws.client("s3").create_bucket(Bucket="left")
        aws.client("s3").put_object(Bucket="left", Key="a/b", Body=b"bytes")
        call_a_function(aws, code)
        server = psutil.Process(aws.pid)
        family = [server, *server.children(recursive=True)]
        assert len(family) > 2

    assert (tmp_path / "aws" / "s3" / "left" / "a" / "b").read_bytes() == b"bytes"
    until(lambda: not [process for process in family if process.is_running()])
    assert not list((tmp_path / "aws").glob("environments/*"))


def test_it_dies_with_its_parent(tmp_path: Path, until: Callable[..., Any]) -> None:
    root = Path(__file__).resolve().parents[3]
    command = [sys.executable, "-c", PARENT, os.fspath(tmp_path / "aws")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as parent:
        assert parent.stdout is not None
        endpoint, pid = parent.stdout.readline().split()
        server = psutil.Process(int(pid))
        parent.send_signal(signal.SIGKILL)

    until(lambda: not server.is_running())
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(endpoint.rpartition(":")[2])), timeout=5)


def test_a_killed_server_takes_its_children_with_it(
    tmp_path: Path, code: Callable[[str], bytes], until: Callable[..., Any]
) -> None:
    with LocalAws.start(tmp_path / "aws") as aws:
        call_a_function(aws, code)
        server = psutil.Process(aws.pid)
        family = [server, *server.children(recursive=True)]
        server.send_signal(signal.SIGKILL)

        assert len(family) > 2
        until(lambda: not [process for process in family if process.is_running()])


def test_a_start_that_fails_says_why_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "s3").mkdir()
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    with pytest.raises(RuntimeError, match="FileExistsError"):
        LocalAws.start(tmp_path)

    assert {child.pid for child in psutil.Process().children(recursive=True)} <= before


def test_nothing_but_the_seam_reaches_into_ministack() -> None:
    root = Path(__file__).resolve().parents[3]
    importing = [
        path.relative_to(root).as_posix()
        for folder in ("catchment", "local", "stacks", "constructs", "tests")
        for path in (root / folder).rglob("*.py")
        if re.search(r"^\s*(import|from) ministack\b", path.read_text(), re.MULTILINE)
    ]
    assert [path for path in importing if not path.startswith("local/aws/ministack_seam/")] == []
