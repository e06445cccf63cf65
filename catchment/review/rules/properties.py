"""What changing one property in place does, where it does more than that.

``source`` names the page; CFN is the CloudFormation Template Reference, "Update requires" of the property.
"""

from __future__ import annotations

from dataclasses import dataclass

from catchment.review.effects import Level


@dataclass(frozen=True)
class InPlace:
    """``words`` follow "changes PROPERTY of RESOURCE: "; ``begins``, where given, takes the place of all that."""

    level: Level
    words: str
    source: str


_RDS = "Amazon RDS User Guide, Settings for DB instances"
_DMS = "AWS DMS User Guide, Modifying a replication instance"
_CFN = "CFN {}: some interruptions"


def _restarts(resource_type: str) -> InPlace:
    return InPlace(Level.INTERRUPTION, "restarts it, a few minutes without the database", _CFN.format(resource_type))


_INSTANCE = "AWS::RDS::DBInstance"
_REPLICATION = "AWS::DMS::ReplicationInstance"

IN_PLACE: dict[tuple[str, str], InPlace] = {
    (_INSTANCE, "DBInstanceClass"): _restarts(_INSTANCE),
    (_INSTANCE, "Engine"): _restarts(_INSTANCE),
    (_INSTANCE, "EngineVersion"): InPlace(
        Level.INTERRUPTION,
        "upgrades and restarts it; tasks must stand still over a major upgrade, and their slots are lost",
        "AWS DMS User Guide, Upgrading PostgreSQL source databases; " + _CFN.format(_INSTANCE),
    ),
    (_INSTANCE, "DBParameterGroupName"): _restarts(_INSTANCE),
    (_INSTANCE, "OptionGroupName"): _restarts(_INSTANCE),
    (_INSTANCE, "StorageType"): InPlace(
        Level.INTERRUPTION, "may stop it for a moment, and is slow for hours", _CFN.format(_INSTANCE)
    ),
    (_INSTANCE, "MultiAZ"): InPlace(Level.COST, "a standby doubles what the database costs", _RDS),
    (_INSTANCE, "AllocatedStorage"): InPlace(Level.COST, "storage can grow, and never shrinks again", _RDS),
    (_INSTANCE, "MaxAllocatedStorage"): InPlace(Level.COST, "storage grows up to there by itself", _RDS),
    (_INSTANCE, "CACertificateIdentifier"): InPlace(
        Level.INTERRUPTION,
        "may restart it, and whoever verifies its certificate has to trust the new authority before",
        "Amazon RDS User Guide, Rotating your SSL/TLS certificate",
    ),
    (_INSTANCE, "Iops"): InPlace(Level.COST, "storage is billed by it", _RDS),
    (_INSTANCE, "PerformanceInsightsRetentionPeriod"): InPlace(
        Level.COST, "kept longer than 7 days it is billed", _RDS
    ),
    (_INSTANCE, "EnableIAMDatabaseAuthentication"): InPlace(Level.SECURITY, "changes who may log in", _RDS),
    (_INSTANCE, "VPCSecurityGroups"): InPlace(Level.SECURITY, "other groups decide who reaches it", _RDS),
    (_REPLICATION, "ReplicationInstanceClass"): InPlace(
        Level.INTERRUPTION, "restarts it; its tasks stop for some minutes and go on where they were", _DMS
    ),
    (_REPLICATION, "EngineVersion"): InPlace(
        Level.INTERRUPTION, "upgrades and restarts it; its tasks stop and go on where they were", _DMS
    ),
    (_REPLICATION, "MultiAZ"): InPlace(Level.COST, "a standby doubles what the instance costs", _DMS),
    (_REPLICATION, "AllocatedStorage"): InPlace(Level.COST, "storage can grow, and never shrinks again", _DMS),
    (_REPLICATION, "VpcSecurityGroupIds"): InPlace(Level.SECURITY, "other groups decide whom it reaches", _DMS),
    ("AWS::KMS::Key", "KeyPolicy"): InPlace(Level.SECURITY, "changes who may use the key", "AWS KMS, Key policies"),
    ("AWS::KMS::Key", "EnableKeyRotation"): InPlace(
        Level.SECURITY, "changes whether the key is rotated", "AWS KMS, Rotating keys"
    ),
    ("AWS::KMS::Key", "Enabled"): InPlace(
        Level.INTERRUPTION,
        "nothing that the key encrypts can be read while it is off",
        "AWS KMS, Enabling and disabling",
    ),
    ("AWS::SQS::Queue", "KmsMasterKeyId"): InPlace(Level.SECURITY, "other encryption", "CFN AWS::SQS::Queue"),
    ("AWS::SQS::Queue", "MessageRetentionPeriod"): InPlace(
        Level.NONE, "older messages are dropped", "CFN AWS::SQS::Queue"
    ),
    ("AWS::DynamoDB::Table", "SSESpecification"): InPlace(
        Level.SECURITY, "other encryption", "CFN AWS::DynamoDB::Table"
    ),
    ("AWS::DynamoDB::Table", "PointInTimeRecoverySpecification"): InPlace(
        Level.COST, "continuous backups are billed", "Amazon DynamoDB Developer Guide, Point-in-time recovery"
    ),
    ("AWS::EC2::VPCEndpoint", "PolicyDocument"): InPlace(
        Level.SECURITY, "changes what may be reached through it", "CFN AWS::EC2::VPCEndpoint"
    ),
    ("AWS::Logs::LogGroup", "RetentionInDays"): InPlace(
        Level.NONE, "older log lines are dropped", "CFN AWS::Logs::LogGroup"
    ),
    ("AWS::Glue::Job", "NumberOfWorkers"): InPlace(Level.COST, "each run is billed by its workers", "AWS Glue pricing"),
    ("AWS::Glue::Job", "WorkerType"): InPlace(Level.COST, "each run is billed by its workers", "AWS Glue pricing"),
}

GUARDS = {
    ("AWS::RDS::DBInstance", "DeletionProtection"),
    ("AWS::DynamoDB::Table", "DeletionProtectionEnabled"),
}
"""Switching one of these off takes away a lock."""

BILLED = {
    "AWS::DMS::ReplicationInstance": "by the hour",
    "AWS::DMS::ReplicationConfig": "by the capacity unit and hour",
    "AWS::EC2::NatGateway": "by the hour and by the byte",
    "AWS::EC2::VPCEndpoint": "by the hour and zone, if it is an interface",
    "AWS::KMS::Key": "by the month",
    "AWS::RDS::DBInstance": "by the hour",
    "AWS::SecretsManager::Secret": "by the month",
}
"""New ones are billed whether they are used or not."""

HOLDS = {
    "AWS::DynamoDB::Table": "its items",
    "AWS::KMS::Key": "with it everything that it encrypts",
    "AWS::Logs::LogGroup": "its log",
    "AWS::RDS::DBInstance": "its data",
    "AWS::S3::Bucket": "its data",
    "AWS::SecretsManager::Secret": "its value",
    "AWS::SQS::Queue": "the messages in it",
}
"""What is gone with one that is removed or replaced."""

ONLY_REPLICAS = {
    "AWS::RDS::DBInstance": frozenset(
        {
            "AutoMinorVersionUpgrade",
            "BackupRetentionPeriod",
            "DBParameterGroupName",
            "MultiAZ",
            "PreferredMaintenanceWindow",
        }
    )
}
"""Conditional replacements (CFN AWS::RDS::DBInstance): of replicas and of members of a cluster."""

UNNOTICED = frozenset(
    {
        "AWS::CloudWatch::Alarm",
        "AWS::CloudWatch::Dashboard",
        "AWS::EC2::FlowLog",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::Policy",
        "AWS::Lambda::LayerVersion",
        "AWS::Lambda::Permission",
        "AWS::SSM::Parameter",
    }
)
"""The new one is there before the old one goes, and nobody waits for it."""

KEPT = ("Retain", "RetainExceptOnCreate", "Snapshot")
