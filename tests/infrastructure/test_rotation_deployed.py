"""A password is changed by the deployed function, with the rights it has, as Secrets Manager would have it do it.

Scope: the laptop's Network, Lake and Sources on the local AWS with enforced IAM and a real PostgreSQL; what each
step does is tests/local/source/test_rotation.py.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from catchment.settings import Settings, load_settings
from local.aws import LocalAws, deploy
from stacks.context import CDK_JSON
from tests.infrastructure.assembly import Assembly

pytestmark = pytest.mark.slow

STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[LocalAws]:
    with LocalAws.start(tmp_path) as started:
        yield started


def _login(aws: LocalAws, arn: str) -> dict[str, Any]:
    return dict(json.loads(aws.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]))


def _takes(login: dict[str, Any], password: str) -> bool:
    try:
        psycopg.connect(
            host=login["host"], port=login["port"], user=login["username"], dbname=login["dbname"], password=password
        ).close()
    except psycopg.OperationalError:
        return False
    return True


def test_the_deployed_function_changes_the_password(aws: LocalAws, synthesized: Callable[[Settings], Assembly]) -> None:
    laptop = load_settings(CDK_JSON, "laptop")
    sales = laptop.sources["sales"]
    assert sales.rds is not None
    rotated = sales.model_copy(update={"rds": sales.rds.model_copy(update={"rotate_days": 30})})
    assembly = synthesized(laptop.model_copy(update={"sources": {"sales": rotated}}))
    outputs = deploy(aws, assembly.folder, stacks=["Network", "Lake", "Sources"])
    arn = outputs["catchment-laptop-sources"]["salesSecretArn"]
    functions = aws.client("lambda").list_functions()["Functions"]
    [name] = [each["FunctionName"] for each in functions if each["Handler"].endswith(".rotation.handler")]

    before, version = _login(aws, arn), str(uuid.uuid4())
    for step in STEPS:
        asked = json.dumps({"Step": step, "SecretId": arn, "ClientRequestToken": version})
        answer = aws.client("lambda").invoke(FunctionName=name, Payload=asked)
        assert "FunctionError" not in answer, answer["Payload"].read()
    after = _login(aws, arn)
    assert (_takes(after, after["password"]), _takes(after, before["password"])) == (True, False)
