"""AlarmTopic."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk.aws_iam import PolicyStatement, ServicePrincipal
from aws_cdk.aws_kms import IKey
from aws_cdk.aws_sns import ITopic, Topic
from aws_cdk.aws_sns_subscriptions import EmailSubscription
from constructs import Construct


class AlarmTopic(Construct):
    """Where alarms go: an encrypted, TLS-only topic. The key's policy has to let CloudWatch use it.

    Example: ``AlarmTopic(self, "Alarms", key=key, email="data@example.org").topic``
    """

    def __init__(self, scope: Construct, construct_id: str, *, key: IKey, email: str | None) -> None:
        super().__init__(scope, construct_id)
        topic = Topic(self, "Topic", master_key=key, enforce_ssl=True)
        # A policy of one's own takes the place of the default one, which lets everything of the account publish.
        topic.add_to_resource_policy(
            PolicyStatement(
                principals=[ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
            )
        )
        if email is not None:
            topic.add_subscription(EmailSubscription(email))
        self.topic: ITopic = topic
