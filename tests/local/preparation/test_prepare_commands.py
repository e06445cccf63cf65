"""``catchment prepare`` and ``catchment preflight`` with a database given by its URL.

Scope: the commands in process, on the embedded PostgreSQL.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from catchment.cli.app import run
from local.source.postgres import EmbeddedPostgres


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres.start(
        tmp_path_factory.mktemp("commands"),
        parameters={"rds.logical_replication": "1"},
        user="owner",
        password="owner's",
        database="shop",
    ) as server:
        with psycopg.connect(server.dsn("shop"), autocommit=True) as connection:
            connection.execute("CREATE TABLE orders (id int PRIMARY KEY)")
        yield server


def test_the_plan_is_shown_done_and_taken_back(
    server: EmbeddedPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CATCHMENT_PASSWORD", server.password)
    monkeypatch.setenv("CATCHMENT_DMS_PASSWORD", "secret")
    url = ["--url", f"postgresql://owner@{server.host}:{server.port}/shop", "--user", "dms"]

    def said(*arguments: str, code: int) -> str:
        assert run([*arguments, *url]) == code
        return capsys.readouterr().out

    assert "there is no user dms" in said("preflight", code=1)
    assert "GRANT SELECT ON TABLE" in said("prepare", code=0)
    assert "there is no user dms" in said("preflight", code=1), "only shown"
    done = said("prepare", "--yes", code=0)
    assert "make the user dms" in done
    assert "secret" not in done + (tmp_path / "catchment-prepared.json").read_text()
    assert "Nothing stands in the way" in said("preflight", code=0)
    assert "nothing to do" in said("prepare", "--yes", code=0)
    assert 'DROP ROLE "dms"' in said("prepare", "--undo", code=0)
    assert "statements have been run" in said("prepare", "--undo", "--yes", code=0)
    assert not (tmp_path / "catchment-prepared.json").exists()
    assert "there is no user dms" in said("preflight", code=1)


def test_a_database_that_does_not_answer_is_a_finding(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["preflight", "--url", "postgresql://a:b@127.0.0.1:9/x", "--format", "json"]) == 1
    [found] = json.loads(capsys.readouterr().out)
    assert (found["check"], found["level"]) == ("connection", "blocks")


@pytest.mark.parametrize(
    "url", ["sybase://a:b@h/x", "postgresql://h/x", "postgresql://a:b@h", "postgresql://a:b@h:x/y"]
)
def test_an_address_that_is_none_is_refused_without_its_password(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["preflight", "--url", url]) == 2
    assert "a:b" not in capsys.readouterr().err
