"""IAM: a function may do what its role was granted, and a missing grant fails."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from local.aws import LocalAws

Function = Callable[..., str]
Invoke = Callable[..., tuple[Any, str | None]]

CALLING = """
import boto3
from botocore.exceptions import ClientError

def handler(event, context):
    client = boto3.client(event["service"])
    try:
        getattr(client, event["call"])(**event["arguments"])
    except ClientError as error:
        return error.response["Error"]["Code"] + ": " + error.response["Error"]["Message"]
    return "allowed"
"""


def allow(*actions: str, resource: str = "*", **condition: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource} | (
        {"Condition": condition} if condition else {}
    )


def test_what_is_not_granted_is_denied(function: Function, invoke: Invoke, aws: LocalAws) -> None:
    aws.client("s3").create_bucket(Bucket="guarded")
    name = function(
        "reader", CALLING, statements=[allow("s3:GetObject", "s3:PutObject", resource="arn:aws:s3:::guarded/a/*")]
    )
    put = {"service": "s3", "call": "put_object"}

    assert invoke(name, **put, arguments={"Bucket": "guarded", "Key": "a/1", "Body": "x"})[0] == "allowed"
    assert "AccessDenied" in invoke(name, **put, arguments={"Bucket": "guarded", "Key": "b/1", "Body": "x"})[0]
    listing = invoke(name, service="s3", call="list_objects_v2", arguments={"Bucket": "guarded"})[0]
    assert "s3:ListBucket" in listing


def test_a_batch_of_messages_is_allowed_by_what_allows_a_message(
    function: Function, invoke: Invoke, aws: LocalAws
) -> None:
    queue = aws.client("sqs").create_queue(QueueName="batches")["QueueUrl"]
    arn = "arn:aws:sqs:*:*:batches"
    batch: dict[str, Any] = {"service": "sqs", "call": "send_message_batch"}
    batch["arguments"] = {"QueueUrl": queue, "Entries": [{"Id": "1", "MessageBody": "x"}]}

    sender = function("batch-sender", CALLING, statements=[allow("sqs:SendMessage", resource=arn)])
    assert invoke(sender, **batch)[0] == "allowed"
    reader = function("batch-reader", CALLING, statements=[allow("sqs:ReceiveMessage", resource=arn)])
    assert "sqs:SendMessage " in invoke(reader, **batch)[0]


def test_an_encrypted_bucket_asks_for_its_key_too(function: Function, invoke: Invoke, aws: LocalAws) -> None:
    s3, kms = aws.client("s3"), aws.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    s3.create_bucket(Bucket="encrypted")
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    s3.put_bucket_encryption(Bucket="encrypted", ServerSideEncryptionConfiguration={"Rules": [rule]})
    objects = allow("s3:GetObject", "s3:PutObject", resource="arn:aws:s3:::encrypted/*")
    without = function("keyless", CALLING, statements=[objects])
    with_key = function("keyed", CALLING, statements=[objects, allow("kms:GenerateDataKey", resource=key)])
    put = {"service": "s3", "call": "put_object", "arguments": {"Bucket": "encrypted", "Key": "k", "Body": "x"}}

    assert "kms:GenerateDataKey" in invoke(without, **put)[0]
    assert invoke(with_key, **put)[0] == "allowed"
    get = {"service": "s3", "call": "get_object", "arguments": {"Bucket": "encrypted", "Key": "k"}}
    assert "kms:Decrypt" in invoke(with_key, **get)[0]


def test_a_deployed_bucket_asks_for_the_key_of_its_template(
    deployed: Callable[..., dict[str, str]], aws: LocalAws
) -> None:
    key = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Version": "2012-10-17", "Statement": []}}}
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": {"Fn::GetAtt": ["Key", "Arn"]}}
    encryption = {"ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": default}]}
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketEncryption": encryption}}
    names = {"Bucket": {"Ref": "Bucket"}, "Key": {"Fn::GetAtt": ["Key", "Arn"]}}
    outputs = deployed("encrypted-bucket", {"Key": key, "Bucket": bucket}, names)
    written = aws.client("s3").put_object(Bucket=outputs["Bucket"], Key="k", Body=b"x")
    assert written["SSEKMSKeyId"] == outputs["Key"], "else access to the key is never asked for"


def test_a_policy_against_plain_http_does_not_bite_on_the_loopback_interface(
    function: Function, invoke: Invoke, aws: LocalAws
) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="tls-only")
    plain = {"Bool": {"aws:SecureTransport": "false"}}
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": "arn:aws:s3:::tls-only/*",
        "Condition": plain,
    }
    s3.put_bucket_policy(Bucket="tls-only", Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))
    name = function("over-loopback", CALLING, statements=[allow("s3:PutObject", resource="arn:aws:s3:::tls-only/*")])

    answer, _ = invoke(name, service="s3", call="put_object", arguments={"Bucket": "tls-only", "Key": "k", "Body": "x"})
    assert answer == "allowed"


def test_a_bucket_policy_denies(function: Function, invoke: Invoke, aws: LocalAws) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="denying")
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::denying/*"}
    s3.put_bucket_policy(Bucket="denying", Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))
    name = function("denied", CALLING, statements=[allow("s3:*")])

    answer, _ = invoke(name, service="s3", call="put_object", arguments={"Bucket": "denying", "Key": "k", "Body": "x"})
    assert answer.startswith("AccessDenied")


def test_metrics_of_another_namespace_are_denied(function: Function, invoke: Invoke) -> None:
    only = allow("cloudwatch:PutMetricData", StringEquals={"cloudwatch:namespace": "Catchment"})
    name = function("measuring", CALLING, statements=[only])

    def put(namespace: str) -> Any:
        arguments = {"Namespace": namespace, "MetricData": [{"MetricName": "m", "Value": 1}]}
        return invoke(name, service="cloudwatch", call="put_metric_data", arguments=arguments)[0]

    assert put("Catchment") == "allowed"
    assert put("Other").startswith("AccessDenied")


def test_items_of_another_leading_key_are_denied(function: Function, invoke: Invoke, aws: LocalAws) -> None:
    aws.client("dynamodb").create_table(
        TableName="leading",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    keys = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["mine"]}}
    name = function("leading", CALLING, statements=[allow("dynamodb:GetItem", **keys)])

    def get(key: str) -> Any:
        arguments = {"TableName": "leading", "Key": {"pk": {"S": key}}}
        return invoke(name, service="dynamodb", call="get_item", arguments=arguments)[0]

    assert get("mine") == "allowed"
    assert get("yours").startswith("AccessDenied")


def test_a_queue_in_nobodys_grant_is_denied(function: Function, invoke: Invoke, aws: LocalAws) -> None:
    url = aws.client("sqs").create_queue(QueueName="ungranted")["QueueUrl"]
    name = function("sending", CALLING)

    answer, _ = invoke(name, service="sqs", call="send_message", arguments={"QueueUrl": url, "MessageBody": "x"})
    assert "sqs:sendmessage" in answer.lower()
