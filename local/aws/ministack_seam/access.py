"""IAM: what a request is judged by, where ministack leaves something out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import ministack.app as ministack
from ministack.core import iam_actions, iam_evaluator
from ministack.services import s3, secretsmanager

from local.aws.ministack_seam.invocations import function_of

KEY_ACTIONS = {
    "s3:GetObject": "kms:Decrypt",
    "s3:PutObject": "kms:GenerateDataKey",
    "secretsmanager:GetSecretValue": "kms:Decrypt",
    "secretsmanager:PutSecretValue": "kms:GenerateDataKey",
}
"""What a caller must also be allowed on the customer's key that encrypts the bucket or the secret.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
"""

BATCHES = {
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
}
"""Operations that are no actions of their own.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
"""

SERVICE_SESSIONS = {"dms-session-for-replication-task": "dms"}
"""Role sessions by which a service emulated outside ministack is known, with the service's name.

Such a service comes with the root user's key; its trust is judged as that of ``<service>.amazonaws.com`` or
``<service>.<region>.amazonaws.com``, acting for this account.
"""

RequestContext = Callable[[str, bytes], dict[str, Any]]


def judge_as_aws_does(request_context: RequestContext) -> None:
    """Add the DMS service, SQS batches, condition keys from the request's body, keys of encrypted buckets and secrets.

    Requests count as encrypted on their way (aws:SecureTransport): they never leave the loopback interface.
    """
    iam_actions.SERVICE_TO_IAM_NAMESPACE["dms"] = "dms"
    _know_resources_of_dms()
    _know_batches()
    _add_context(request_context)
    _ask_for_keys()
    _know_functions()
    _know_services_that_assume_roles()
    pin_origin = ministack.pin_request_origin
    ministack.pin_request_origin = lambda source_ip, _secure: pin_origin(source_ip, True)


def _know_resources_of_dms() -> None:
    resource_arn = iam_actions.extract_resource_arn

    def with_dms(service: str, method: str, path: str, headers: Any, body: bytes, *rest: Any) -> Any:
        if service != "dms":
            return resource_arn(service, method, path, headers, body, *rest)
        named = [value for name, value in json.loads(body or b"{}").items() if name.endswith("Arn")]
        return named[0] if named else "*"

    iam_actions.extract_resource_arn = with_dms


def _know_batches() -> None:
    action_of = iam_actions.extract_iam_action

    def with_batches(*request: Any) -> str | None:
        action: str | None = action_of(*request)
        return BATCHES.get(action, action) if action else None

    iam_actions.extract_iam_action = with_batches


def _add_context(request_context: RequestContext) -> None:
    tags = iam_actions.request_tag_context

    def with_request(service: str, action: str, body: bytes, parameters: Any) -> Any:
        return {**tags(service, action, body, parameters), **request_context(service, body)}

    iam_actions.request_tag_context = with_request


def _know_functions() -> None:
    enforce = iam_evaluator.enforce

    def with_function(access_key: str, *request: Any, service_context: Any = None, **details: Any) -> Any:
        function = function_of(access_key)
        if function is not None:
            service_context = {**(service_context or {}), "lambda:SourceFunctionArn": function}
        return enforce(access_key, *request, service_context=service_context, **details)

    iam_evaluator.enforce = with_function


def _know_services_that_assume_roles() -> None:
    evaluate = iam_evaluator.evaluate_trust_policy

    def with_services(document: Any, caller: str, context: Any = None) -> Any:
        session = context.service_context.get("sts:rolesessionname") if context is not None else ""
        service = SERVICE_SESSIONS.get(session or "")
        if service is None or not caller.endswith(":root"):
            return evaluate(document, caller, context)
        known = {**context.service_context, "aws:sourceaccount": context.principal_account}
        parsed = json.loads(document) if isinstance(document, str) else document
        principals = {f"{service}.amazonaws.com", f"{service}.{context.region}.amazonaws.com"}
        trusting = [statement for statement in parsed["Statement"] if principals & set(_services_of(statement))]
        return evaluate({"Statement": trusting}, caller, replace(context, service_context=known))

    iam_evaluator.evaluate_trust_policy = with_services


def _services_of(statement: dict[str, Any]) -> list[str]:
    principal = statement.get("Principal", {})
    services = principal.get("Service", []) if isinstance(principal, dict) else []
    return services if isinstance(services, list) else [services]


def _ask_for_keys() -> None:
    enforce = iam_evaluator.enforce

    def with_keys(access_key: str, action: str, service: str, region: str, **details: Any) -> Any:
        denied = enforce(access_key, action, service, region, **details)
        if denied is not None or action not in KEY_ACTIONS:
            return denied
        key = _customer_key(service, details.get("resource_arn", "*"))
        if key is None:
            return None
        denied = enforce(access_key, KEY_ACTIONS[action], "kms", region, resource_arn=key)
        if denied is None or isinstance(denied, iam_evaluator.AuthError):
            return denied
        message = f"User: {denied.principal_arn} is not authorized to perform: {KEY_ACTIONS[action]} on resource: {key}"
        return iam_evaluator.AuthError("AccessDenied", message)

    iam_evaluator.enforce = with_keys


def _customer_key(service: str, resource_arn: str) -> str | None:
    if service == "s3":
        bucket = resource_arn.removeprefix("arn:aws:s3:::").partition("/")[0]
        key = s3._bucket_default_sse_headers(bucket).get("x-amz-server-side-encryption-aws-kms-key-id")
    else:
        _, secret = secretsmanager._resolve(resource_arn)
        key = (secret or {}).get("KmsKeyId")
    return str(key) if key and str(key).startswith("arn:") else None
