"""Every template of every environment is what CloudFormation, RDS, Lambda and IAM accept, as far as cfn-lint knows."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
from cfnlint.api import lint
from cfnlint.config import ManualArgs

from catchment.settings import environment_names
from stacks.context import CDK_JSON
from tests.infrastructure.assembly import STACKS, Assembly

# W3005: a dependency said twice does no harm, and CDK says many.
IGNORED = ["W3005"]


# The two that differ most from each other; the others, with the same resources and values in between, take their time.
FAST = ("laptop", "prod")
ENVIRONMENTS = [
    pytest.param(name, marks=[] if name in FAST else [pytest.mark.slow]) for name in environment_names(CDK_JSON)
]


def findings(assembly: Assembly, stacks: Iterable[str]) -> list[str]:
    """What cfn-lint says of these stacks."""
    config = ManualArgs(regions=["eu-central-1"], ignore_checks=IGNORED)
    texts = {stack: (assembly.folder / f"{stack}.template.json").read_text() for stack in stacks}
    return [f"{stack}: {found}" for stack, text in texts.items() for found in lint(text, config=config)]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_templates_have_no_finding(assembly_of: Callable[[str], Assembly], environment: str) -> None:
    assert findings(assembly_of(environment), STACKS) == []
