"""Scope: the local AWS as a process, over its public API. One server for all tests of this folder.

Each test makes its own stacks, named after itself, from templates written down in the test.
"""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from local.aws import LocalAws, deploy

Template = dict[str, Any]
Deploy = Callable[..., dict[str, str]]
Until = Callable[..., Any]

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with LocalAws.start(tmp_path_factory.mktemp("aws") / "server") as server:
        yield server


@pytest.fixture(scope="session")
def until() -> Until:
    """Wait for a condition: gives what ``probe`` gives as soon as that is true."""

    def wait(probe: Callable[[], Any], seconds: float = 20.0) -> Any:
        deadline = time.monotonic() + seconds
        while True:
            seen = probe()
            if seen:
                return seen
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.02)

    return wait


@pytest.fixture
def assembly(tmp_path: Path) -> Callable[..., Path]:
    """Write a cloud assembly of templates by stack name; ``needs`` says which stack needs which."""

    def write(needs: Mapping[str, list[str]] | None = None, **templates: Template) -> Path:
        folder = tmp_path / "cdk.out"
        folder.mkdir(exist_ok=True)
        artifacts = {}
        for name, template in templates.items():
            (folder / f"{name}.template.json").write_text(json.dumps(template))
            artifacts[name] = {
                "type": "aws:cloudformation:stack",
                "environment": "aws://unknown-account/unknown-region",
                "dependencies": list((needs or {}).get(name, [])),
                "properties": {"templateFile": f"{name}.template.json"},
            }
        (folder / "manifest.json").write_text(json.dumps({"version": "48.0.0", "artifacts": artifacts}))
        return folder

    return write


@pytest.fixture
def deployed(aws: LocalAws, assembly: Callable[..., Path]) -> Deploy:
    """Deploy one stack of the given resources and outputs; its outputs."""

    def run(stack: str, resources: Template, outputs: Mapping[str, Any] | None = None) -> dict[str, str]:
        template = {
            "Resources": resources,
            "Outputs": {name: {"Value": value} for name, value in (outputs or {}).items()},
        }
        return deploy(aws, assembly(**{stack: template}))[stack]

    return run


@pytest.fixture(scope="session")
def code() -> Callable[[str], bytes]:
    """A function's package whose module ``app`` is the given text."""

    def pack(text: str) -> bytes:
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w") as archive:
            archive.writestr("app.py", text)
        return target.getvalue()

    return pack


@pytest.fixture
def function(aws: LocalAws, code: Callable[[str], bytes]) -> Callable[..., str]:
    """Create a function from the text of its module ``app``; its name. ``statements`` are what its role may do."""

    def create(name: str, text: str, *, statements: list[dict[str, Any]] | None = None, **settings: Any) -> str:
        role = role_of(aws, name, statements or [])
        defaults = {"Runtime": "python3.13", "Handler": "app.handler", "Timeout": 10, "MemorySize": 256}
        aws.client("lambda").create_function(
            FunctionName=name, Role=role, Code={"ZipFile": code(text)}, **{**defaults, **settings}
        )
        return name

    return create


def role_of(aws: LocalAws, name: str, statements: list[dict[str, Any]]) -> str:
    iam = aws.client("iam")
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    if statements:
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=document)
    return arn


@pytest.fixture
def invoke(aws: LocalAws) -> Callable[..., tuple[Any, str | None]]:
    """Call a function and give its payload and the kind of its error."""
    client = aws.client("lambda")

    def call(name: str, **event: Any) -> tuple[Any, str | None]:
        answer = client.invoke(FunctionName=name, Payload=json.dumps(event).encode())
        return json.loads(answer["Payload"].read()), answer.get("FunctionError")

    return call
