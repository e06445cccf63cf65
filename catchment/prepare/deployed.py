"""A source of a deployed environment: asked and told by the function beside it, its record in the control table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

from catchment.deployed import stack_outputs
from catchment.engines.readiness import Finding, Level, Step, Undone, Wanted
from catchment.errors import SettingsError
from catchment.prepare.agent import ask
from catchment.prepare.record import ControlRecord


class AgentSide:
    """A database that the function beside it reaches. Raises SourceUnreachable, SourceAgentFailed."""

    def __init__(self, client: Any, function: str, source: str) -> None:
        self._client, self._function, self._source = client, function, source

    def plan(self, wanted: Wanted) -> list[Step]:
        """What is still to be done."""
        return [Step(**step) for step in self._ask("plan", wanted=wanted.to_json())["steps"]]

    def take(self, wanted: Wanted) -> list[str]:
        """Do what is still to be done; what was done, in words."""
        return list(self._ask("prepare", wanted=wanted.to_json())["done"])

    def undo(self, statements: Sequence[str]) -> Undone:
        """Take back what was done."""
        return Undone(**self._ask("unprepare", statements=list(statements)))

    def findings(self, wanted: Wanted) -> list[Finding]:
        """What stands in the way of a task, or will."""
        found = self._ask("preflight", wanted=wanted.to_json())["findings"]
        return [_finding(**each) for each in found]

    def _ask(self, action: str, **said: Any) -> dict[str, Any]:
        return ask(self._client, self._function, self._source, action, **said)


def _finding(*, level: str, fix: str, **said: Any) -> Finding:
    return Finding(level=Level(level), **said)


@dataclass(frozen=True)
class DeployedSource:
    """A source as its deployment has it."""

    side: AgentSide
    record: ControlRecord


def deployed_source(environment: str, stack_prefix: str, source: str) -> DeployedSource:
    """Find it by the outputs of its stacks. Raises SettingsError where the environment has no such function."""
    outputs = stack_outputs(environment, [f"{stack_prefix}-{environment}-{stack}" for stack in ("sources", "apply")])
    if "AgentFunction" not in outputs:
        allowed = "no function is beside these databases: give the database's --url"
        raise SettingsError("command line", "--env", environment, allowed)
    # a call that is repeated by the client would be one of many that wait for the same database
    client = boto3.client("lambda", config=Config(read_timeout=320, retries={"total_max_attempts": 1}))
    record = ControlRecord(boto3.client("dynamodb"), outputs["ControlTable"], source)
    return DeployedSource(AgentSide(client, outputs["AgentFunction"], source), record)
