"""The daily budget: there where the settings name one."""

from __future__ import annotations

from collections.abc import Callable

from catchment.settings import Settings, load_settings
from stacks.context import CDK_JSON
from tests.infrastructure.assembly import Assembly


def test_a_day_that_costs_too_much_is_told(prod: Assembly, synthesized: Callable[[Settings], Assembly]) -> None:
    assert not prod.properties("Monitoring", "AWS::Budgets::Budget")
    settings = load_settings(CDK_JSON, "dev")
    with_budget = settings.model_copy(
        update={"monitoring": settings.monitoring.model_copy(update={"daily_dollars": 20})}
    )
    assembly = synthesized(with_budget)
    (budget,) = assembly.properties("Monitoring", "AWS::Budgets::Budget")
    assert budget["Budget"]["TimeUnit"] == "DAILY"
    assert budget["Budget"]["BudgetLimit"] == {"Amount": 20, "Unit": "USD"}
    assert budget["Budget"]["CostFilters"] == {"TagKeyValue": ["user:catchment$catchment-dev"]}
    for bucket in assembly.properties("Lake", "AWS::S3::Bucket"):
        assert {"Key": "catchment", "Value": "catchment-dev"} in bucket["Tags"]
    (policy,) = assembly.properties("Monitoring", "AWS::SNS::TopicPolicy")
    allowed = [each for each in policy["PolicyDocument"]["Statement"] if each["Effect"] == "Allow"]
    assert "budgets.amazonaws.com" in str(allowed)
    (key,) = assembly.properties("Lake", "AWS::KMS::Key")
    assert "budgets.amazonaws.com" in str(key["KeyPolicy"])
