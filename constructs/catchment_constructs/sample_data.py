"""SampleData."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import CustomResource, Stack
from aws_cdk.aws_ec2 import ISecurityGroup, IVpc
from aws_cdk.aws_lambda import Code, ILayerVersion
from aws_cdk.aws_logs import RetentionDays
from constructs import Construct

from catchment_constructs.python_function import PythonFunction
from catchment_constructs.secret_access import let_read_secrets
from catchment_constructs.source_agent import AttendedSource
from catchment_constructs.waiting_function import WaitingFunction

_CALL_SECONDS = 300


class SampleData(Construct):
    """Sample systems in source databases: one function in their network writes, another answers CloudFormation.

    ``seeder_code`` with ``layer`` runs in the network, where its security group has to be let into each database;
    ``code`` runs outside, where CloudFormation and the queue are.

    Example: ``SampleData(self, "Samples", sources={"sales": AttendedSource(…)}, …).fill("sales", kind="commerce", …)``
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        sources: Mapping[str, AttendedSource],
        vpc: IVpc,
        security_group: ISecurityGroup,
        code: Code,
        handler: str,
        seeder_code: Code,
        seeder_handler: str,
        layer: ILayerVersion,
        log_retention: RetentionDays,
        wait_seconds: int = 15,
    ) -> None:
        super().__init__(scope, construct_id)
        said = {
            name: {"engine": source.engine, "secret": source.secret.secret_arn, "database": source.database}
            for name, source in sources.items()
        }
        seeder = PythonFunction(
            self,
            "Seeder",
            code=seeder_code,
            handler=seeder_handler,
            layers=[layer],
            memory_mb=512,
            timeout_seconds=_CALL_SECONDS,
            log_retention=log_retention,
            environment={"SOURCES": Stack.of(self).to_json_string(said)},
            vpc=vpc,
            security_group=security_group,
        )
        let_read_secrets(seeder, [(source.secret, source.key) for source in sources.values()])
        self._worker = WaitingFunction(
            self,
            "Worker",
            code=code,
            handler=handler,
            log_retention=log_retention,
            wait_seconds=wait_seconds,
            call_seconds=_CALL_SECONDS + 30,
            environment={"SEEDER_FUNCTION": seeder.function.function_name},
        )
        self._worker.allow(actions=["lambda:InvokeFunction"], resources=[seeder.function.function_arn])
        self._worker.node.add_dependency(seeder)

    def fill(self, source: str, *, kind: str, rows: int, seed: int, identity: str) -> CustomResource:
        """Have a system written into a source, anew where another database has its place: it has another ``identity``.

        More rows are added, fewer take none away; another seed is refused where there are rows of one.
        """
        return self._worker.resource(
            self,
            f"{source}Samples",
            "Custom::SampleData",
            {"Source": source, "Kind": kind, "Rows": str(rows), "Seed": str(seed), "Database": identity},
        )
