"""The layer's build: what it refuses, and that its lock is what the functions import."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from stacks.bundle import LOCK, PYTHON_VERSION, ROOT

LOCKED = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", LOCK.read_text(), flags=re.MULTILINE))


def _build(endpoint: str | None) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "CATCHMENT_BUNDLE": "false", **({"AWS_ENDPOINT_URL": endpoint} if endpoint else {})}
    return subprocess.run(
        [sys.executable, "-m", "stacks.bundle"], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("endpoint", [None, "https://s3.eu-central-1.amazonaws.com", "http://10.0.0.1:4566"])
def test_a_note_instead_of_packages_is_never_published_to_the_real_aws(endpoint: str | None) -> None:
    done = _build(endpoint)
    assert done.returncode != 0
    assert "is for a local AWS only" in done.stderr
    assert not done.stdout


def test_a_local_aws_gets_a_note(tmp_path: Path) -> None:
    done = _build("http://127.0.0.1:4566")
    assert done.returncode == 0
    assert zipfile.ZipFile(ROOT / done.stdout.strip()).namelist() == ["python/NOT_BUNDLED"]


def test_every_package_of_the_layer_is_locked_by_hash() -> None:
    hashed = re.findall(r"^([a-z0-9-]+)==\S+ \\\n    --hash=sha256:", LOCK.read_text(), flags=re.MULTILINE)
    assert sorted(hashed) == sorted(LOCKED)


@pytest.mark.parametrize(
    "package", ["duckdb", "deltalake", "pyroaring", "arro3-core", "pydantic", "aws-lambda-powertools"]
)
def test_functions_run_the_versions_that_are_tested(package: str) -> None:
    tested = dict(
        re.findall(r"^([a-z0-9-]+)==([^\s;]+)", (ROOT / "requirements-dev.txt").read_text(), flags=re.MULTILINE)
    )
    assert LOCKED[package] == tested[package]


@pytest.mark.parametrize("package", ["pyarrow", "boto3", "botocore", "aws-cdk-lib"])
def test_the_layer_leaves_out_what_is_too_large_or_there_already(package: str) -> None:
    assert package not in LOCKED


def test_the_layer_is_built_for_the_python_of_the_functions() -> None:
    from catchment_constructs.python_function import PYTHON

    assert f"python{PYTHON_VERSION}" == PYTHON.name
