"""SNS: whether a service may publish to a topic, by the policies of the topic and of its key."""

from __future__ import annotations

from typing import Any

from ministack.core import iam_evaluator
from ministack.services import kms, sns
from ministack.services.cloudformation import provisioners

from local.aws.account import ACCOUNT, REGION
from local.aws.resources.kind import Properties

KEY_ACTIONS = ("kms:Decrypt", "kms:GenerateDataKey")
"""What a service needs on the key of an encrypted topic.

https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
"""


def keep_keys_of_topics() -> None:
    """ministack drops ``KmsMasterKeyId`` of a template."""
    handler = provisioners._RESOURCE_HANDLERS["AWS::SNS::Topic"]
    create, update = handler["create"], handler["update"]

    def keep(made: tuple[str, dict[str, Any]], properties: Properties) -> tuple[str, dict[str, Any]]:
        attributes = sns._topics[made[0]]["attributes"]
        attributes.pop("KmsMasterKeyId", None)
        if properties.get("KmsMasterKeyId"):
            attributes["KmsMasterKeyId"] = properties["KmsMasterKeyId"]
        return made

    def with_create(logical_id: str, properties: Properties, stack: str) -> tuple[str, dict[str, Any]]:
        return keep(create(logical_id, properties, stack), properties)

    def with_update(physical_id: str, old: Properties, new: Properties, *rest: Any) -> tuple[str, dict[str, Any]]:
        return keep(update(physical_id, old, new, *rest), new)

    handler.update(create=with_create, update=with_update)


def may_publish(topic: str, service: str, source: str) -> str | None:
    """Why ``service`` may not publish for ``source``, None where it may."""
    found = sns._topic_by_arn_any_scope(topic)
    if found is None:
        return "there is no such topic"
    if not _allows(found["attributes"].get("Policy"), "sns:Publish", topic, service, source):
        return f"the topic's policy does not let {service} publish"
    key = found["attributes"].get("KmsMasterKeyId")
    policy = kms.key_policy_for_arn(key) if key else None
    if policy is None:
        return None
    refused = [action for action in KEY_ACTIONS if not _allows(policy[0], action, key, service, source)]
    return f"the policy of the topic's key does not let {service} {', '.join(refused)}" if refused else None


def _allows(policy: str | None, action: str, resource: str, service: str, source: str) -> bool:
    context = iam_evaluator.EvalContext(
        principal_arn="*",
        principal_type="Service",
        principal_account="",
        action=action,
        resource_arn=resource,
        region=REGION,
        secure_transport=True,
        service_context={
            "aws:sourcearn": source,
            "aws:sourceaccount": ACCOUNT,
            "aws:sourceowner": ACCOUNT,  # what a topic's default policy asks
        },
    )
    decided = iam_evaluator.evaluate_resource_policy(policy, context, service=service)
    return bool(decided.decision == "Allow")
