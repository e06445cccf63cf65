"""DmsTaskLifecycle."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

from aws_cdk import CustomResource, Stack
from aws_cdk.aws_events import EventPattern, Match, Rule, RuleTargetInput
from aws_cdk.aws_events_targets import LambdaFunction
from aws_cdk.aws_iam import Policy, PolicyStatement
from aws_cdk.aws_lambda import Code, IFunction
from aws_cdk.aws_logs import RetentionDays
from aws_cdk.aws_secretsmanager import ISecret
from constructs import Construct

from catchment_constructs.dms_lake_endpoint import DmsLakeEndpoint
from catchment_constructs.dms_serverless_replication import DmsServerlessReplication
from catchment_constructs.dms_source_endpoint import DmsSourceEndpoint
from catchment_constructs.dms_task import DmsTask
from catchment_constructs.waiting_function import WaitingFunction

HANDLER = "lambda_src.task_lifecycle.handler.handler"
"""In ``own_code()``."""


class DmsTaskLifecycle(Construct):
    """Stops DMS tasks before they are changed or deleted, and has them run after.

    CloudFormation leaves a new task in ``ready``, cannot change one that runs, and cannot delete it. One function
    serves every task of a stack. Each task has two custom resources, one that is updated before the task and its
    endpoints, and one after. A task that is waited for is looked at every ``wait_seconds``. ``task_parameters`` are
    the names of the SSM parameters that hold the ARN of each task. A serverless replication is kept as a task is; it
    needs no instance, and tests its connections itself.

    Example::

        lifecycle = DmsTaskLifecycle(self, "TaskLifecycle", task_parameters=["/lake/shop"], …)
        lifecycle.keep("Shop", task=task, source=source, target=lake, instance_arn=…, running=True, …)
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        code: Code | None = None,
        handler: str = HANDLER,
        log_retention: RetentionDays = RetentionDays.THREE_MONTHS,
        task_parameters: Sequence[str],
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
            environment={"TASK_PARAMETERS": ",".join(task_parameters)},
        )
        self.function: IFunction = self._worker.function
        self._allow_looking(task_parameters)
        self._go_on_after_rollbacks()

    def keep(
        self,
        construct_id: str,
        *,
        task: DmsTask | DmsServerlessReplication,
        source: DmsSourceEndpoint,
        target: DmsLakeEndpoint,
        task_parameter: str,
        running: bool,
    ) -> CustomResource:
        """Stop a task before it or an endpoint is changed, and have it run after, if it is to.

        Returns what has it run.
        """
        made_of = [task.definition, source.definition, target.definition, running]
        configuration = _digest(json.dumps(Stack.of(self).resolve(made_of), sort_keys=True))
        held = self._worker.resource(
            self,
            f"{construct_id}-hold",
            "Custom::DmsTaskHold",
            {"TaskParameter": task_parameter, "Configuration": configuration},
        )
        for part in (task, source, target):
            part.node.add_dependency(held)
        return self._manage(
            construct_id, task, [source.arn, target.arn], {"Running": running, "Configuration": configuration}
        )

    def restart_after_rotation(self, construct_id: str, *, secret: ISecret, task_parameter: str) -> None:
        """Stop and resume the task that the SSM parameter names, if it runs, when its source's secret has a new value.

        Secrets Manager tells of it where the secret is (its User Guide, "Secret Label Updated event").
        """
        named = secret.secret_full_arn
        Rule(
            self,
            construct_id,
            description="A task whose password was changed connects anew",
            event_pattern=EventPattern(
                source=["aws.secretsmanager"],
                detail_type=["Secret Label Updated"],
                resources=Match.prefix(f"{secret.secret_arn}-") if named is None else [named],
                detail={"labelUpdated": ["AWSCURRENT"]},
            ),
            targets=[LambdaFunction(self.function, event=RuleTargetInput.from_object({"restart": task_parameter}))],
        )

    def _manage(
        self,
        construct_id: str,
        task: DmsTask | DmsServerlessReplication,
        endpoint_arns: Sequence[str],
        wanted: Mapping[str, object],
    ) -> CustomResource:
        # A policy of its own: what is held waits for the role's, which must not wait for the task.
        policy = Policy(self, f"{construct_id}Policy", roles=[self._worker.role])
        task.grant_operate(policy)
        if task.instance_arn is not None:
            tested = [task.instance_arn, *endpoint_arns]
            policy.add_statements(PolicyStatement(actions=["dms:TestConnection"], resources=tested))
        managed = self._worker.resource(
            self,
            construct_id,
            "Custom::DmsTaskLifecycle",
            {
                "TaskArn": task.arn,
                **({"InstanceArn": task.instance_arn} if task.instance_arn is not None else {}),
                "EndpointArns": list(endpoint_arns),
                "Running": "true" if wanted["Running"] else "false",
                "Configuration": wanted["Configuration"],
                # Other columns take effect only when everything is loaded again (AWS DMS User Guide,
                # "Transformation rules and actions"); of tables, those that are new are loaded.
                "Columns": _digest(task.columns),
                "Tables": list(task.tables),
            },
        )
        # The function has to be able to do it before it is called, and as long as the resource exists.
        managed.node.add_dependency(policy)
        return managed

    def _allow_looking(self, task_parameters: Sequence[str]) -> None:
        stack = Stack.of(self)
        # None of these takes a resource in IAM (Service Authorization Reference, AWS Database Migration Service).
        looking = ["dms:DescribeReplicationTasks", "dms:DescribeReplications", "dms:DescribeConnections"]
        self._worker.allow(actions=looking, resources=["*"])
        self._worker.acknowledge(
            {"AwsSolutions-IAM5[Resource::*]": "DMS describes tasks and connections for all resources or for none."}
        )
        names = [name.lstrip("/") for name in task_parameters]
        parameters = [stack.format_arn(service="ssm", resource="parameter", resource_name=name) for name in names]
        self._worker.allow(actions=["ssm:GetParameter"], resources=parameters)

    def _go_on_after_rollbacks(self) -> None:
        stack = Stack.of(self)
        Rule(
            self,
            "RolledBack",
            description="Tasks that a rolled-back deployment held go on",
            event_pattern=EventPattern(
                source=["aws.cloudformation"],
                detail_type=["CloudFormation Stack Status Change"],
                detail={"stack-id": [stack.stack_id], "status-details": {"status": ["UPDATE_ROLLBACK_COMPLETE"]}},
            ),
            targets=[LambdaFunction(self.function)],
        )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
