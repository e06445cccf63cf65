"""Scope: every alarm of the environment laptop as it is deployed, with the parts of the local AWS that it watches."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local.aws import LocalAws
from local.aws.monitoring.watch import MINUTE_SECONDS
from stacks.assembly import synthesize
from tests.local.monitoring.deployment import MINUTE, Deployment


@pytest.fixture(scope="package")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("monitoring")
    settings = {MINUTE_SECONDS: str(MINUTE), "CATCHMENT_SPARK_PYTHON": sys.executable}
    with LocalAws.start(folder / "aws", settings=settings) as aws:
        yield Deployment.make(aws, synthesize("laptop", folder / "cdk.out"))


@pytest.fixture(scope="package")
def until() -> Callable[..., Any]:
    """Wait for a condition: gives what ``probe`` gives as soon as that is true."""

    def wait(probe: Callable[[], Any], what: str, seconds: float = 60.0) -> Any:
        deadline = time.monotonic() + seconds
        while not (seen := probe()):
            assert time.monotonic() < deadline, f"it did not happen in time: {what}"
            time.sleep(0.1)
        return seen

    return wait
