"""Resource types as people call them."""

from __future__ import annotations

import re

from catchment.review.assembly import Resource

_NOUNS = {
    "AWS::CloudWatch::Alarm": "alarm",
    "AWS::CloudWatch::Dashboard": "dashboard",
    "AWS::DMS::Certificate": "certificate",
    "AWS::DMS::Endpoint": "endpoint",
    "AWS::DMS::ReplicationConfig": "serverless replication",
    "AWS::DMS::ReplicationInstance": "replication instance",
    "AWS::DMS::ReplicationTask": "replication task",
    "AWS::DynamoDB::Table": "table",
    "AWS::EC2::SecurityGroup": "security group",
    "AWS::EC2::VPC": "network",
    "AWS::EC2::VPCEndpoint": "network endpoint",
    "AWS::Events::Rule": "event rule",
    "AWS::Glue::Database": "catalog database",
    "AWS::Glue::Job": "Glue job",
    "AWS::IAM::Policy": "policy",
    "AWS::IAM::Role": "role",
    "AWS::KMS::Key": "key",
    "AWS::Lambda::EventSourceMapping": "event source",
    "AWS::Lambda::Function": "function",
    "AWS::Lambda::LayerVersion": "layer",
    "AWS::Logs::LogGroup": "log group",
    "AWS::RDS::DBInstance": "database",
    "AWS::RDS::DBParameterGroup": "parameter group",
    "AWS::S3::Bucket": "bucket",
    "AWS::S3::BucketPolicy": "bucket policy",
    "AWS::SNS::Topic": "topic",
    "AWS::SQS::Queue": "queue",
    "AWS::SSM::Parameter": "parameter",
    "AWS::SecretsManager::Secret": "secret",
}


def called(resource: Resource) -> str:
    """``replication task sales``: what it is and its name."""
    return f"{noun(resource.type)} {resource.fixed_name or resource.name}"


def noun(resource_type: str) -> str:
    """``AWS::EC2::SubnetRouteTableAssociation`` is a ``subnet route table association``."""
    if resource_type in _NOUNS:
        return _NOUNS[resource_type]
    last = resource_type.rsplit("::", 1)[-1]
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", last).lower()
