"""EventBridge and event sources: delivered is only what the policies of both ends let through."""

from __future__ import annotations

import json
import logging
from typing import Any

from ministack.core import iam_evaluator
from ministack.services import eventbridge, lambda_svc, sqs

from local.aws.account import ACCOUNT, REGION
from local.aws.ministack_seam.topics import may_publish
from local.aws.resources.kind import Properties

logger = logging.getLogger("local.aws")

POLLING = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
"""What a function's role needs for its queue: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html"""


def deliver_as_permitted() -> None:
    """Ask the target's own policy before a rule delivers; call functions asynchronously, with their retries."""
    invoke_target = eventbridge._invoke_target

    def with_permission(target: dict[str, Any], event: Any, rule: dict[str, Any], view: Any = None) -> None:
        if _rule_may_reach(target.get("Arn", ""), rule.get("Arn", "")):
            invoke_target(target, event, rule, view)
        else:
            # as on AWS, where it counts as FailedInvocations of the rule
            logger.error("rule %s may not deliver to %s: its policy does not let it", rule.get("Name"), target["Arn"])

    eventbridge._invoke_target = with_permission
    eventbridge._dispatch_to_lambda = _invoke_asynchronously


def queue_objections(properties: Properties) -> list[str]:
    """What keeps an event source mapping from polling its queue: actions that the function's role is not granted."""
    source = properties["EventSourceArn"]
    _, config, name = lambda_svc._get_func_record_for_ref(properties["FunctionName"])
    if config is None:
        return [f"function {name} does not exist"]
    policies = iam_evaluator._gather_role_policies(config["Role"].rpartition("/")[2], ACCOUNT)
    return [
        f"the function execution role does not have permissions to call {action} on {source}"
        for action in POLLING
        if source.startswith("arn:aws:sqs:") and not _allows(policies, action, source)
    ]


def _allows(policies: Any, action: str, resource: str) -> bool:
    context = iam_evaluator.EvalContext(
        principal_arn="*",
        principal_type="AssumedRole",
        principal_account=ACCOUNT,
        action=action,
        resource_arn=resource,
        region=REGION,
    )
    return bool(iam_evaluator.evaluate(context, policies).decision == "Allow")


def _rule_may_reach(target: str, rule: str) -> bool:
    service = "events.amazonaws.com"
    if target.startswith("arn:aws:sqs:"):
        return bool(sqs.queue_policy_allows(target, service, rule, ACCOUNT))
    if target.startswith("arn:aws:lambda:"):
        return _function_lets_in(target, service, rule)
    if target.startswith("arn:aws:sns:"):
        return may_publish(target, service, rule) is None
    return True


def _function_lets_in(function: str, service: str, source: str) -> bool:
    found = lambda_svc.function_policy_for_arn(function)
    context = iam_evaluator.EvalContext(
        principal_arn="*",
        principal_type="Service",
        principal_account="",
        action="lambda:InvokeFunction",
        resource_arn=function,
        region=REGION,
        service_context={"aws:sourcearn": source, "aws:sourceaccount": ACCOUNT},
    )
    policy = found[0] if found else None
    return bool(iam_evaluator.evaluate_resource_policy(policy, context, service=service).decision == "Allow")


def _invoke_asynchronously(arn: str, payload: str) -> None:
    record, config, name = lambda_svc._get_func_record_for_ref(arn)
    if record is None or config is None:
        raise ValueError(f"the rule's target {name} does not exist")
    lambda_svc.invoke_async_with_retry(lambda_svc._execution_record_for_config(record, config), json.loads(payload))
