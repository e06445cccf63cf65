"""SourceAgent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import Duration, Stack
from aws_cdk.aws_ec2 import ISecurityGroup, IVpc
from aws_cdk.aws_events import Rule, RuleTargetInput, Schedule
from aws_cdk.aws_events_targets import LambdaFunction
from aws_cdk.aws_kms import IKey
from aws_cdk.aws_lambda import Code, IFunction, ILayerVersion
from aws_cdk.aws_logs import RetentionDays
from aws_cdk.aws_secretsmanager import ISecret
from constructs import Construct

from catchment_constructs.python_function import PythonFunction
from catchment_constructs.secret_access import let_read_secrets


@dataclass(frozen=True, kw_only=True)
class AttendedSource:
    """A database that the agent looks after."""

    engine: str
    """As the handler knows it."""
    secret: ISecret
    key: IKey | None
    """What encrypts the secret; None for Secrets Manager's own key of this account."""
    database: str
    storage_gb: int | None = None
    """The size of its disk, where it is known."""
    verified: bool = True
    """Whether its certificate has to be right; if not, connections are encrypted, to whoever answers."""
    certificate: str | None = None
    """A PEM file in the code: who else may have signed it besides the authorities of RDS and of the runtime."""


class SourceAgent(Construct):
    """A function in the databases' own network, which reaches them and their secrets and nothing else.

    A schedule asks it how much of its log each source keeps; what else it does depends on the event's ``action``.
    Its security group has to be let into each database.

    Example: ``SourceAgent(self, "Agent", sources={"sales": AttendedSource(…)}, vpc=vpc, …).function``
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        sources: Mapping[str, AttendedSource],
        vpc: IVpc,
        security_group: ISecurityGroup,
        headroom_minutes: int,
        code: Code,
        handler: str,
        layer: ILayerVersion,
        environment: Mapping[str, str],
        log_retention: RetentionDays,
    ) -> None:
        super().__init__(scope, construct_id)
        self._worker = PythonFunction(
            self,
            "Worker",
            code=code,
            handler=handler,
            layers=[layer],
            memory_mb=256,
            timeout_seconds=300,
            log_retention=log_retention,
            environment={**environment, "SOURCES": Stack.of(self).to_json_string(_said(sources))},
            vpc=vpc,
            security_group=security_group,
        )
        self.function: IFunction = self._worker.function
        let_read_secrets(self._worker, [(source.secret, source.key) for source in sources.values()])
        Rule(
            self,
            "Headroom",
            description="Ask each source how much of its log it keeps",
            schedule=Schedule.rate(Duration.minutes(headroom_minutes)),
            targets=[
                LambdaFunction(
                    self.function, event=RuleTargetInput.from_object({"action": "headroom"}), retry_attempts=0
                )
            ],
        )


def _said(sources: Mapping[str, AttendedSource]) -> dict[str, object]:
    return {
        name: {
            "engine": source.engine,
            "secret": source.secret.secret_arn,
            "database": source.database,
            "storage_gb": source.storage_gb,
            "verified": source.verified,
            "certificate": source.certificate,
        }
        for name, source in sources.items()
    }
