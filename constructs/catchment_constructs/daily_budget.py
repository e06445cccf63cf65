"""DailyBudget."""

from __future__ import annotations

from aws_cdk.aws_budgets import CfnBudget
from aws_cdk.aws_iam import ServicePrincipal
from aws_cdk.aws_sns import ITopic
from constructs import Construct


class DailyBudget(Construct):
    """Tells a topic when a day has cost more than it may.

    Costs are those of resources with the tag ``tag_name`` = ``tag_value``; the tag has to be activated as a cost
    allocation tag in the paying account, and AWS works costs out a few times a day (AWS Cost Management User Guide,
    "Managing your costs with AWS Budgets"). The topic, and the key that encrypts it, have to let
    ``budgets.amazonaws.com`` publish: the topic's policy is given here.

    Example: ``DailyBudget(self, "Budget", name="lake-a-day", dollars=20, tag_name="stage", tag_value="dev", …)``
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        dollars: float,
        tag_name: str,
        tag_value: str,
        topic: ITopic,
    ) -> None:
        super().__init__(scope, construct_id)
        told = topic.grant_publish(ServicePrincipal("budgets.amazonaws.com"))
        budget = CfnBudget(
            self,
            "Resource",
            budget=CfnBudget.BudgetDataProperty(
                budget_name=name,
                budget_type="COST",
                time_unit="DAILY",
                budget_limit=CfnBudget.SpendProperty(amount=dollars, unit="USD"),
                cost_filters={"TagKeyValue": [f"user:{tag_name}${tag_value}"]},
            ),
            notifications_with_subscribers=[
                CfnBudget.NotificationWithSubscribersProperty(
                    notification=CfnBudget.NotificationProperty(
                        notification_type="ACTUAL",
                        comparison_operator="GREATER_THAN",
                        threshold=100,
                        threshold_type="PERCENTAGE",
                    ),
                    subscribers=[CfnBudget.SubscriberProperty(subscription_type="SNS", address=topic.topic_arn)],
                )
            ],
        )
        # AWS tries the topic when the budget is made.
        told.apply_before(budget)
        self.name: str = name
