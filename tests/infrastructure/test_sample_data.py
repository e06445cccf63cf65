"""Sample systems are written where the settings ask for one, and by nobody else.

Scope: the templates; deployed, with a real PostgreSQL behind the local AWS (slow).
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import psycopg
import pytest

from catchment.cli.app import run
from catchment.samples.commerce import commerce
from catchment.samples.files import sample_files
from catchment.settings import FileSamples, SampleSettings, Settings, load_settings
from local.aws import LocalAws, deploy
from local.aws.deployment import DeploymentFailed
from local.aws.grants import granted, unused
from stacks.context import CDK_JSON
from tests.infrastructure.assembly import Assembly
from tests.infrastructure.test_cfn_lint import findings

Synthesize = Callable[[Settings], Assembly]


def with_samples(**said: Any) -> Settings:
    laptop = load_settings(CDK_JSON, "laptop")
    sales = laptop.sources["sales"]
    tables = {name: table for name, table in sales.tables.items() if name in commerce.keys}
    changed = {"samples": SampleSettings(kind="commerce", **said), "tables": tables}
    lake = laptop.lake.model_copy(update={"samples": FileSamples(kind="files", rows=100)})
    return laptop.model_copy(update={"sources": {"sales": sales.model_copy(update=changed)}, "lake": lake})


@pytest.fixture(scope="module")
def seeded(synthesized: Synthesize) -> Assembly:
    return synthesized(with_samples(rows=2000))


def test_nothing_of_it_is_deployed_where_nobody_asks(laptop: Assembly) -> None:
    assert not laptop.resources("Sources", "Custom::SampleData")
    handlers = [each["Handler"] for each in laptop.properties("Sources", "AWS::Lambda::Function")]
    handlers += [each["Handler"] for each in laptop.properties("Lake", "AWS::Lambda::Function")]
    assert not [handler for handler in handlers if "seeder" in handler or "sample" in handler]


def test_rows_are_written_once_the_database_is_there(seeded: Assembly) -> None:
    [filled] = seeded.resources("Sources", "Custom::SampleData").values()
    [instance] = seeded.resources("Sources", "AWS::RDS::DBInstance")
    assert instance in filled["DependsOn"]
    assert filled["Properties"]["Database"] == {"Fn::GetAtt": [instance, "Endpoint.Address"]}
    said = {name: filled["Properties"][name] for name in ("Source", "Kind", "Rows", "Seed")}
    assert said == {"Source": "sales", "Kind": "commerce", "Rows": "2000", "Seed": "7"}


def test_who_writes_may_read_the_secret_of_its_source_and_no_more(seeded: Assembly) -> None:
    policies = seeded.resources("Sources", "AWS::IAM::Policy")
    [own] = [each for name, each in policies.items() if "SamplesSeederRoleDefault" in name]
    statements = own["Properties"]["PolicyDocument"]["Statement"]
    said = [each["Action"] for each in statements]
    actions = {action for each in said for action in ([each] if isinstance(each, str) else each)}
    assert {action for action in actions if not action.startswith(("ec2:", "logs:"))} == {
        "secretsmanager:GetSecretValue",
        "kms:Decrypt",
    }
    [read] = [each for each in statements if each["Action"] == "secretsmanager:GetSecretValue"]
    assert "*" not in json.dumps(read["Resource"])


def test_the_handlers_can_be_imported_from_the_code_that_is_deployed(seeded: Assembly) -> None:
    functions = [each for stack in ("Lake", "Sources") for each in seeded.properties(stack, "AWS::Lambda::Function")]
    for name in ("seeder", "sample_data", "sample_files"):
        [function] = [each for each in functions if each["Handler"] == f"lambda_src.{name}.handler.handler"]
        code = seeded.folder / f"asset.{function['Code']['S3Key'].removesuffix('.zip')}"
        assert (code / "catchment" / "samples").exists() == (name != "sample_data")
        script = f"import sys; sys.path.insert(0, {str(code)!r}); from lambda_src.{name}.handler import handler"
        subprocess.run([sys.executable, "-P", "-c", script], check=True, cwd=seeded.folder)


@pytest.mark.slow
def test_templates_with_samples_have_no_finding(seeded: Assembly) -> None:
    assert findings(seeded, ("Lake", "Sources")) == []


@pytest.fixture
def aws(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalAws]:
    with LocalAws.start(tmp_path) as started:
        for name, value in started.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
        yield started


def counts(aws: LocalAws, outputs: dict[str, str]) -> dict[str, int]:
    login = json.loads(
        aws.client("secretsmanager").get_secret_value(SecretId=outputs["salesSecretArn"])["SecretString"]
    )
    with psycopg.connect(
        host=login["host"], port=login["port"], user=login["username"], password=login["password"], dbname="sales"
    ) as connection:
        return {
            table.name: connection.execute(f"SELECT count(*) FROM sales.{table.name}".encode()).fetchone()[0]  # type: ignore[index]
            for table in commerce.tables
        }


def once_equal(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What `catchment validate` says of the deployed lake once it has what the source has."""
    deadline = time.monotonic() + 120
    while run(["validate", "sales", "--env", "laptop", "--format", "json"]) != 0:
        assert time.monotonic() < deadline, capsys.readouterr().out
        capsys.readouterr()
        time.sleep(0.5)
    return list(json.loads(capsys.readouterr().out))


@pytest.mark.slow
def test_a_deployment_fills_the_database_and_another_one_adds_the_rest(
    aws: LocalAws, seeded: Assembly, synthesized: Synthesize, capsys: pytest.CaptureFixture[str]
) -> None:
    stacks = ["Network", "Lake", "Sources"]
    all_outputs = deploy(aws, seeded.folder, stacks=stacks)
    outputs = all_outputs["catchment-laptop-sources"]
    assert counts(aws, outputs) == commerce.row_counts(2000)
    files = aws.folder / "s3" / all_outputs["catchment-laptop-lake"]["ArtifactsBucket"] / "samples"
    assert {path.relative_to(files).as_posix(): path.read_bytes() for path in files.rglob("*.*")} == dict(
        sample_files(100)
    )

    assert run(["connect", "sales", "--env", "laptop", "--tool", "python", "--with-password"]) == 0
    asked = "print(connection.execute('SELECT count(*) FROM sales.clients').fetchone()[0]); connection.close()"
    script = f"{capsys.readouterr().out}\n{asked}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(done.stdout) == commerce.row_counts(2000)["clients"]

    deploy(aws, synthesized(with_samples(rows=3000)).folder)
    assert counts(aws, outputs) == commerce.row_counts(3000)
    found = once_equal(capsys)
    assert {each["table"]: each["rows_target"] for each in found} == {
        f"sales.{name}": rows for name, rows in commerce.row_counts(3000).items()
    }
    grants = {grant for grant in granted(aws) if any(part in grant.role for part in ("Samples", "SampleFiles"))}
    needless = {grant.action for grant in unused(grants, aws.folder)}
    # networks and logs are the services' own here, as are queues, into which only a call that has to wait puts itself
    assert not [action for action in needless if not action.startswith(("ec2:", "logs:", "sqs:"))]
    assert len(grants) > 5
    with pytest.raises(DeploymentFailed, match="its rows are of the seed 7"):
        deploy(aws, synthesized(with_samples(rows=3000, seed=8)).folder, stacks=["Sources"])
    assert counts(aws, outputs) == commerce.row_counts(3000)
