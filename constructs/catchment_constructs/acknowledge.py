"""Why a security finding is no danger where it stands."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Acknowledgment, Stack, Validations
from aws_cdk.aws_s3 import IBucket
from constructs import IConstruct


def acknowledge(construct: IConstruct, reasons: Mapping[str, str]) -> None:
    """Record on one construct, by the finding's id, the reason why it is safe there.

    Example: ``acknowledge(bucket, {"AwsSolutions-S1": "it receives the access logs of the others"})``
    """
    Validations.of(construct).acknowledge(
        *(Acknowledgment(id=finding, reason=reason) for finding, reason in reasons.items())
    )


def objects_finding(scope: IConstruct, bucket: IBucket, pattern: str = "*") -> str:
    """The id of the finding that a policy in ``scope`` allows something on all objects of a bucket that match.

    cdk-nag names the bucket as the template does: by its attribute, by the export of another stack, or by its ARN
    where nothing of this app made it.
    """
    here, there = Stack.of(scope), Stack.of(bucket)
    made = there.resolve(bucket.bucket_arn).keys() == {"Fn::GetAtt"}
    foreign = made and here.node.path != there.node.path
    match here.resolve(there.export_value(bucket.bucket_arn) if foreign else bucket.bucket_arn):
        case {"Fn::ImportValue": name}:
            shown = name
        case {"Fn::GetAtt": [resource, attribute]}:
            shown = f"<{resource}.{attribute}>"
        case {"Fn::Join": [glue, parts]}:
            shown = str(glue).join(part if isinstance(part, str) else f"<{part['Ref']}>" for part in parts)
        case other:
            shown = str(other)
    return f"AwsSolutions-IAM5[Resource::{shown}/{pattern}]"
