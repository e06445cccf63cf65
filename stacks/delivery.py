"""The Delivery stack."""

from __future__ import annotations

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from catchment.settings import DeliverySettings, Settings
from catchment_constructs.github_delivery import GitHubDelivery
from stacks.choices import stack_name


class DeliveryStack(Stack):
    """Who deploys from where: the roles that the workflows of a GitHub repository take."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, delivery: DeliverySettings) -> None:
        super().__init__(scope, construct_id, stack_name=stack_name(settings, construct_id))
        github = GitHubDelivery(
            self,
            "GitHub",
            repository=delivery.repository,
            environment=settings.environment,
            create_provider=delivery.create_provider,
            branch=delivery.branch,
        )
        CfnOutput(self, "DeployRoleArn", value=github.deploy.role_arn)
        CfnOutput(self, "PlanRoleArn", value=github.plan.role_arn)
