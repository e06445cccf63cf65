"""SourceCleanUp."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from aws_cdk import CustomResource, Stack
from aws_cdk.aws_lambda import Code, IFunction
from aws_cdk.aws_logs import RetentionDays
from constructs import Construct, IConstruct

from catchment_constructs.dms_serverless_replication import DmsServerlessReplication
from catchment_constructs.dms_task import DmsTask
from catchment_constructs.waiting_function import WaitingFunction

HANDLER = "lambda_src.source_clean_up.handler.handler"
"""In ``own_code()``."""

_CALL_SECONDS = 330
"""Longer than a call of the agent may take."""


class SourceCleanUp(Construct):
    """Takes away what DMS tasks leave in their sources, once they are deleted: a slot would fill the source's disk.

    What a task holds is noted while it runs, because afterwards nobody can tell whose it was. ``agent`` is the function
    of a SourceAgent, which reaches the databases; this one answers CloudFormation, which the agent cannot.

    Example::

        clean_up = SourceCleanUp(self, "CleanUp", agent=agent.function, code=own_code(), parameters=["/lake/shop"], …)
        clean_up.after("Shop", task=task, runs=managed, running=True, parameter="/lake/shop", source="shop", …)
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        agent: IFunction,
        code: Code,
        handler: str = HANDLER,
        log_retention: RetentionDays,
        parameters: Sequence[str],
        wait_seconds: int = 15,
    ) -> None:
        super().__init__(scope, construct_id)
        self._worker = WaitingFunction(
            self,
            "Worker",
            code=code,
            handler=handler,
            log_retention=log_retention,
            wait_seconds=wait_seconds,
            call_seconds=_CALL_SECONDS,
            environment={"AGENT_FUNCTION": agent.function_name},
        )
        self._worker.allow(actions=["lambda:InvokeFunction"], resources=[agent.function_arn])
        self._allow_noting(parameters)

    def after(
        self,
        construct_id: str,
        *,
        task: DmsTask | DmsServerlessReplication,
        runs: IConstruct,
        running: bool,
        parameter: str,
        source: str,
        wanted: bool,
        kept: str = "",
    ) -> CustomResource:
        """Clear up after a task, if it is ``wanted`` then.

        ``runs`` is what has the task run, if ``running``. What it then holds is noted in the SSM parameter, anew
        whenever it was changed or started. ``source`` is what the agent calls its database, ``kept`` the name of what
        somebody else made for the task. Returns what clears up, which is removed after the task.
        """
        cleaned = self._worker.resource(
            self,
            f"{construct_id}CleanUp",
            "Custom::SourceCleanUp",
            {
                "Source": source,
                "Parameter": parameter,
                "Tables": list(task.tables),
                "CleanUp": "true" if wanted else "false",
            },
        )
        task.node.add_dependency(cleaned)
        definition = json.dumps(Stack.of(self).resolve(task.definition), sort_keys=True)
        held = self._worker.resource(
            self,
            f"{construct_id}Held",
            "Custom::SourceHeld",
            {
                "Source": source,
                "Parameter": parameter,
                "TaskArn": task.arn,
                "Kept": kept,
                "Running": "true" if running else "false",
                "Configuration": hashlib.sha256(definition.encode()).hexdigest(),
            },
        )
        held.node.add_dependency(runs)
        return cleaned

    def _allow_noting(self, parameters: Sequence[str]) -> None:
        stack = Stack.of(self)
        names = [name.lstrip("/") for name in parameters]
        self._worker.allow(
            actions=["ssm:DeleteParameter", "ssm:GetParameter", "ssm:PutParameter"],
            resources=[stack.format_arn(service="ssm", resource="parameter", resource_name=name) for name in names],
        )
        # It takes no resource in IAM (Service Authorization Reference, AWS Database Migration Service).
        self._worker.allow(actions=["dms:DescribeReplicationTasks", "dms:DescribeReplications"], resources=["*"])
        self._worker.acknowledge({"AwsSolutions-IAM5[Resource::*]": "DMS describes all tasks or none."})
