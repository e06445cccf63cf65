"""AlarmTopic."""

from __future__ import annotations

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
        if email is not None:
            topic.add_subscription(EmailSubscription(email))
        self.topic: ITopic = topic
