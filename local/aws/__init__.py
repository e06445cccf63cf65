"""The local AWS: the synthesized templates deployed on this machine, the deployed code running from them.

What is emulated is real to its callers: S3 (bytes on disk), SQS, EventBridge, Lambda (in AWS's own runtime client),
DynamoDB, IAM, Secrets Manager, CloudFormation, CloudWatch metrics and alarms, and behind it DMS and RDS PostgreSQL.
"""

from local.aws.cdk import cdk_environment
from local.aws.deployment import DeploymentFailed, deploy, destroy
from local.aws.host import LocalAws

__all__ = ["DeploymentFailed", "LocalAws", "cdk_environment", "deploy", "destroy"]
