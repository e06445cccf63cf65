"""DmsTaskLifecycle."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import CustomResource
from aws_cdk.aws_lambda import Code, IFunction
from aws_cdk.aws_logs import RetentionDays
from constructs import Construct

from catchment_constructs.python_function import PythonFunction


class DmsTaskLifecycle(Construct):
    """Starts DMS tasks once they are deployed, and stops them before they are deleted.

    CloudFormation leaves a task in ``ready`` and cannot delete one that runs. One function serves every task of a
    stack; each task has its custom resource, made by ``manage``.

    Example: ``DmsTaskLifecycle(self, "Lifecycle", code=code, handler="…", …).manage("Sales", task_arn=task.arn, …)``
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        code: Code,
        handler: str,
        log_retention: RetentionDays,
    ) -> None:
        super().__init__(scope, construct_id)
        self._worker = PythonFunction(
            self,
            "Worker",
            code=code,
            handler=handler,
            memory_mb=256,
            timeout_seconds=900,
            log_retention=log_retention,
        )
        self.function: IFunction = self._worker.function
        # These two take no resource in IAM (Service Authorization Reference, AWS Database Migration Service).
        self._worker.allow(actions=["dms:DescribeReplicationTasks", "dms:DescribeConnections"], resources=["*"])
        self._worker.acknowledge(
            {"AwsSolutions-IAM5[Resource::*]": "DMS describes tasks and connections for all resources or for none."}
        )

    def manage(
        self,
        construct_id: str,
        *,
        task_arn: str,
        instance_arn: str,
        endpoint_arns: Sequence[str],
        configuration: str,
    ) -> CustomResource:
        """Start the task now, stop it before it is deleted, start it again when ``configuration`` changes."""
        self._worker.allow(actions=["dms:StartReplicationTask", "dms:StopReplicationTask"], resources=[task_arn])
        self._worker.allow(actions=["dms:TestConnection"], resources=[instance_arn, *endpoint_arns])
        managed = CustomResource(
            self,
            construct_id,
            service_token=self.function.function_arn,
            resource_type="Custom::DmsTaskLifecycle",
            properties={
                "TaskArn": task_arn,
                "InstanceArn": instance_arn,
                "EndpointArns": list(endpoint_arns),
                "Configuration": configuration,
            },
        )
        # The function has to be able to do it before it is called, and as long as the resource exists.
        managed.node.add_dependency(self._worker.role)
        return managed
