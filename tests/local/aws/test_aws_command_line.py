"""The CDK's own command line against the local AWS."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from local.aws import LocalAws, cdk_environment

ROOT = Path(__file__).resolve().parents[3]
CDK = ROOT / "node_modules" / "aws-cdk" / "bin" / "cdk"


@pytest.fixture
def cdk(aws: LocalAws, tmp_path: Path) -> Callable[..., str]:
    environment = cdk_environment(aws)

    def run(assembly: Path, *arguments: str) -> str:
        command = ["node", os.fspath(CDK), *arguments, "--app", os.fspath(assembly), "--ci"]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_deploy_diff_and_destroy(aws: LocalAws, assembly: Callable[..., Path], cdk: Callable[..., str]) -> None:
    folder = assembly(
        cli={"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}, "Outputs": {"Url": {"Value": {"Ref": "Queue"}}}}
    )
    assert "cli.Url = http://127.0.0.1" in cdk(folder, "deploy", "--all", "--require-approval", "never")
    assert "There were no differences" in cdk(folder, "diff")
    cdk(folder, "destroy", "--all", "--force")
    assert not [url for url in aws.client("sqs").list_queues().get("QueueUrls", []) if "cli-Queue" in url]
