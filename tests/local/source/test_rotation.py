"""A password is changed in a real database and a secret, step by step and with steps asked for twice.

Scope: lambda_src.source_agent.rotation in process, with the embedded PostgreSQL and the local AWS's Secrets Manager.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from catchment.errors import SourceUnreachable
from lambda_src.source_agent import rotation
from local.aws import LocalAws
from local.source.postgres import EmbeddedPostgres

STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
EXCLUDED = "'@/ "


class Rotated:
    """A database whose user may log in with the password of its secret."""

    def __init__(self, server: EmbeddedPostgres, aws: LocalAws) -> None:
        self._server, self._client = server, aws.client("secretsmanager")
        login = {"host": server.host, "port": server.port, "username": server.user, "password": server.password}
        self.arn = self._client.create_secret(Name="sales", SecretString=json.dumps(login))["ARN"]

    def step(self, name: str, version: str) -> None:
        rotation.handler({"Step": name, "SecretId": self.arn, "ClientRequestToken": version}, None)

    def password(self) -> str:
        return str(json.loads(self._client.get_secret_value(SecretId=self.arn)["SecretString"])["password"])

    def stages(self) -> dict[str, list[str]]:
        return dict(self._client.describe_secret(SecretId=self.arn)["VersionIdsToStages"])

    def takes(self, password: str) -> bool:
        try:
            login: dict[str, Any] = {"host": self._server.host, "port": self._server.port, "user": self._server.user}
            psycopg.connect(dbname="sales", password=password, **login).close()
        except psycopg.OperationalError:
            return False
        return True


@pytest.fixture
def rotated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rotated]:
    server = EmbeddedPostgres.start(
        tmp_path / "db", parameters={}, user="Own er", password="first", database="sales", port=None
    )
    with server, LocalAws.start(tmp_path / "aws") as aws:
        for name, value in aws.environment().items():
            monkeypatch.setenv(name, value)
        rotation._secrets.cache_clear()
        found = Rotated(server, aws)
        monkeypatch.setenv("SOURCES", json.dumps([{"secret": found.arn, "engine": "postgresql", "database": "sales"}]))
        monkeypatch.setenv("EXCLUDED", EXCLUDED)
        yield found
    rotation._secrets.cache_clear()


def test_a_password_is_changed_in_the_database_and_then_in_the_secret(rotated: Rotated) -> None:
    version = str(uuid.uuid4())
    for step in STEPS:
        assert rotated.password() == "first", "the current version is the old one up to the last step"
        rotated.step(step, version)
        rotated.step(step, version)  # Secrets Manager asks again where it had no answer
    assert "AWSCURRENT" in rotated.stages()[version]
    new = rotated.password()
    assert new != "first"
    assert not set(new) & set(EXCLUDED)
    assert (rotated.takes(new), rotated.takes("first")) == (True, False)

    again = str(uuid.uuid4())
    for step in STEPS:
        rotated.step(step, again)
    assert rotated.takes(rotated.password())


def test_a_database_that_takes_neither_password_ends_it_and_the_secret_stays(rotated: Rotated) -> None:
    version = str(uuid.uuid4())
    rotated.step("createSecret", version)
    rotated._server.stop()
    with pytest.raises(SourceUnreachable):
        rotated.step("setSecret", version)
    assert rotated.password() == "first"
