"""The app's own templates, in every kind of environment, hold nothing that the local AWS would skip."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from local.aws.assembly import Assembly
from local.aws.resources.inspection import objections
from local.aws.resources.types import TYPES
from stacks.assembly import synthesize


@pytest.mark.parametrize("environment", ["laptop", pytest.param("prod", marks=pytest.mark.slow)])
def test_everything_the_app_deploys_is_emulated(environment: str, tmp_path: Path) -> None:
    assembly = Assembly(synthesize(environment, tmp_path), "123456789012", "us-east-1")
    found = [
        f"{stack.name}: {objection}"
        for stack in assembly.stacks()
        for objection in objections(json.loads(stack.template.read_text()), {}, TYPES)
    ]

    assert found == []
