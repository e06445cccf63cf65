"""Who may deploy from where, and the workflows that do it.

Scope: the Delivery stack's template; .github/workflows by zizmor and by what each job may do.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from catchment.settings import DeliverySettings, load_settings
from stacks.context import CDK_JSON
from tests.infrastructure.assembly import Assembly

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.fixture(scope="module")
def roles(synthesized: Callable[..., Assembly]) -> dict[str, dict[str, Any]]:
    delivery = DeliverySettings(repository="acme/lake", create_provider=True)
    assembly = synthesized(load_settings(CDK_JSON, "prod").model_copy(update={"delivery": delivery}))
    assert len(assembly.resources("Delivery", "AWS::IAM::OIDCProvider")) == 1
    return {
        name.removeprefix("GitHub")[:4]: resource["Properties"]
        for name, resource in assembly.resources("Delivery", "AWS::IAM::Role").items()
    }


def test_roles_are_taken_from_one_repository_only(roles: dict[str, dict[str, Any]]) -> None:
    def subjects(role: str) -> Any:
        [statement] = roles[role]["AssumeRolePolicyDocument"]["Statement"]
        conditions = statement["Condition"]["StringEquals"]
        assert conditions["token.actions.githubusercontent.com:aud"] == "sts.amazonaws.com"
        return conditions["token.actions.githubusercontent.com:sub"]

    assert subjects("Depl") == ["repo:acme/lake:environment:prod"]
    assert subjects("Plan") == ["repo:acme/lake:pull_request", "repo:acme/lake:ref:refs/heads/main"]


def test_no_delivery_without_a_repository(prod: Assembly) -> None:
    assert not (prod.folder / "Delivery.template.json").exists()


def test_zizmor_has_no_finding() -> None:
    zizmor = Path(sys.executable).parent / "zizmor"
    done = subprocess.run(
        [zizmor, "--offline", "--no-progress", *WORKFLOWS], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_may_do_little_and_run_what_is_pinned(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text())
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert set(job["permissions"].items()) <= {
            ("contents", "read"),
            ("id-token", "write"),
            ("pull-requests", "write"),
        }
        for action in _actions(job):
            assert action.startswith("./") or re.search(r"@[0-9a-f]{40}$", action), action


def test_workflows_call_targets_that_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for path in WORKFLOWS:
        called = re.findall(r"make (?:--silent )?([a-z-]+)", path.read_text())
        assert set(called) <= targets, path.name


def _actions(job: dict[str, Any]) -> Iterator[str]:
    if "uses" in job:
        yield job["uses"]
    for step in job.get("steps", []):
        if "uses" in step:
            yield step["uses"]
