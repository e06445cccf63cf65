"""SourcePreparation."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from aws_cdk import CustomResource, Stack
from aws_cdk.aws_dynamodb import ITable
from aws_cdk.aws_lambda import Code, IFunction
from aws_cdk.aws_logs import RetentionDays
from constructs import Construct, IConstruct

from catchment_constructs.dms_serverless_replication import DmsServerlessReplication
from catchment_constructs.dms_task import DmsTask
from catchment_constructs.waiting_function import WaitingFunction

HANDLER = "lambda_src.source_preparation.handler.handler"
"""In ``own_code()``."""

_CALL_SECONDS = 330
"""Longer than a call of the agent may take."""


class SourcePreparation(Construct):
    """Makes sources ready for their DMS tasks, and keeps a task from starting whose source is not.

    ``agent`` is the function of a SourceAgent, which reaches the databases; this one answers CloudFormation, which the
    agent cannot. What takes preparation back is kept in ``control``, until it is taken back.

    Example::

        preparation = SourcePreparation(self, "Preparation", agent=agent.function, control=control.table, …)
        prepared = preparation.before("Shop", source="shop", task=task, wanted=wanted, prepares=True)
        preparation.gate("Shop", source="shop", task=task, runs=managed, running=True, wanted=wanted)
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        agent: IFunction,
        control: ITable,
        code: Code,
        handler: str = HANDLER,
        log_retention: RetentionDays,
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
            environment={"AGENT_FUNCTION": agent.function_name, "CONTROL_TABLE": control.table_name},
        )
        self._worker.allow(actions=["lambda:InvokeFunction"], resources=[agent.function_arn])
        record = ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem"]
        self._worker.allow(actions=record, resources=[control.table_arn])
        # Whether a change is a rollback, which must not fail.
        self._worker.allow(actions=["cloudformation:DescribeStacks"], resources=[Stack.of(self).stack_id])

    def before(
        self,
        construct_id: str,
        *,
        source: str,
        task: DmsTask | DmsServerlessReplication,
        wanted: Mapping[str, object],
        prepares: bool,
    ) -> CustomResource:
        """Have a source as ``wanted`` before its task is made or changed, if ``prepares``; else, put it back.

        ``source`` is what the agent calls its database, ``wanted`` JSON that the agent understands. Returns what has it
        prepared, which is removed after the task.
        """
        prepared = self._worker.resource(
            self,
            f"{construct_id}Prepared",
            "Custom::SourcePrepared",
            {"Source": source, "Prepare": "true" if prepares else "false", "Wanted": json.dumps(wanted)},
        )
        task.node.add_dependency(prepared)
        return prepared

    def gate(
        self,
        construct_id: str,
        *,
        source: str,
        task: DmsTask | DmsServerlessReplication,
        runs: IConstruct,
        running: bool,
        wanted: Mapping[str, object],
    ) -> None:
        """Look at a source after its task was made or changed, and before ``runs`` has it run, if ``running``.

        Something that would keep it from running fails the deployment.
        """
        definition = json.dumps(Stack.of(self).resolve(task.definition), sort_keys=True)
        looked = self._worker.resource(
            self,
            f"{construct_id}Preflight",
            "Custom::SourcePreflight",
            {
                "Source": source,
                "Running": "true" if running else "false",
                "Wanted": json.dumps(wanted),
                "Configuration": hashlib.sha256(definition.encode()).hexdigest(),
            },
        )
        looked.node.add_dependency(task)
        runs.node.add_dependency(looked)
