"""The resource types the local AWS takes, with what of each has an effect."""

from __future__ import annotations

from local.aws.resources.coverage import (
    BACKUP,
    NO_NETWORK,
    NO_TIME,
    ONE_ZONE,
    RECORD,
    SIZE,
    TAGS,
    UNENCRYPTED,
    UPGRADES,
    Coverage,
    covers,
)

NETWORK = {
    "AWS::EC2::FlowLog": covers(
        "ResourceId",
        "ResourceType",
        DeliverLogsPermissionArn=NO_NETWORK,
        LogDestination=NO_NETWORK,
        LogDestinationType=NO_NETWORK,
        LogGroupName=NO_NETWORK,
        MaxAggregationInterval=NO_NETWORK,
        Tags=TAGS,
        TrafficType=NO_NETWORK,
    ),
    "AWS::EC2::RouteTable": covers("VpcId", Tags=TAGS),
    "AWS::EC2::SecurityGroup": covers(
        "GroupDescription", "GroupName", "SecurityGroupEgress", "SecurityGroupIngress", "VpcId", Tags=TAGS
    ),
    **{
        f"AWS::EC2::SecurityGroup{direction}": covers(
            "CidrIp", "CidrIpv6", "FromPort", "GroupId", "IpProtocol", group, "ToPort", Description=RECORD
        )
        for direction, group in (("Ingress", "SourceSecurityGroupId"), ("Egress", "DestinationSecurityGroupId"))
    },
    "AWS::EC2::Subnet": covers("AvailabilityZone", "CidrBlock", "VpcId", MapPublicIpOnLaunch=NO_NETWORK, Tags=TAGS),
    "AWS::EC2::SubnetRouteTableAssociation": covers("RouteTableId", "SubnetId"),
    "AWS::EC2::VPC": covers("CidrBlock", "EnableDnsHostnames", "EnableDnsSupport", "InstanceTenancy", Tags=TAGS),
    "AWS::EC2::VPCEndpoint": covers(
        "RouteTableIds",
        "SecurityGroupIds",
        "ServiceName",
        "SubnetIds",
        "VpcEndpointType",
        "VpcId",
        PolicyDocument=NO_NETWORK,
        PrivateDnsEnabled=NO_NETWORK,
        Tags=TAGS,
    ),
}

STORAGE = {
    "AWS::DynamoDB::Table": covers(
        "AttributeDefinitions",
        "BillingMode",
        "KeySchema",
        "TableName",
        DeletionProtectionEnabled=RECORD,
        PointInTimeRecoverySpecification=BACKUP,
        SSESpecification=UNENCRYPTED,
        Tags=TAGS,
        TimeToLiveSpecification=NO_TIME,
    ),
    "AWS::Athena::WorkGroup": covers(
        "Description",
        "Name",
        "RecursiveDeleteOption",
        "State",
        Tags=TAGS,
        WorkGroupConfiguration="kept and described; no query runs here",
    ),
    "AWS::Glue::Database": covers("CatalogId", "DatabaseInput", "DatabaseName"),
    "AWS::KMS::Alias": covers("AliasName", "TargetKeyId"),
    "AWS::KMS::Key": covers(
        "Description", "Enabled", "KeyPolicy", EnableKeyRotation=NO_TIME, PendingWindowInDays=NO_TIME, Tags=TAGS
    ),
    "AWS::S3::Bucket": covers(
        "BucketEncryption",
        "BucketName",
        "NotificationConfiguration.EventBridgeConfiguration",
        "OwnershipControls",
        "PublicAccessBlockConfiguration",
        "VersioningConfiguration",
        AccessControl="nobody but this account asks",
        LifecycleConfiguration=NO_TIME,
        LoggingConfiguration="accesses are not logged",
        Tags=TAGS,
    ),
    "AWS::S3::BucketPolicy": covers("Bucket", "PolicyDocument"),
    "AWS::SSM::Parameter": covers("Name", "Type", "Value", Description=RECORD, Tags=TAGS),
    "AWS::SecretsManager::RotationSchedule": covers(
        "RotateImmediatelyOnUpdate", "RotationLambdaARN", "SecretId", RotationRules=NO_TIME
    ),
    "AWS::SecretsManager::Secret": covers(
        "GenerateSecretString", "KmsKeyId", "Name", "SecretString", Description=RECORD, Tags=TAGS
    ),
    "AWS::SecretsManager::SecretTargetAttachment": covers("SecretId", "TargetId", "TargetType"),
}

COMPUTE = {
    "AWS::Events::Rule": covers(
        "EventBusName", "EventPattern", "Name", "ScheduleExpression", "State", "Targets", Description=RECORD, Tags=TAGS
    ),
    "AWS::Glue::Job": covers(
        "Command",
        "DefaultArguments",
        "ExecutionProperty",
        "MaxRetries",
        "Name",
        "Role",
        "Timeout",
        Description=RECORD,
        GlueVersion="runs have the Spark of .venv-spark, which is that of Glue 5.1",
        NumberOfWorkers=SIZE,
        Tags=TAGS,
        WorkerType=SIZE,
    ),
    "AWS::IAM::ManagedPolicy": covers(
        "ManagedPolicyName", "Path", "PolicyDocument", "Roles", Description=RECORD, Tags=TAGS
    ),
    "AWS::IAM::Policy": covers("PolicyDocument", "PolicyName", "Roles"),
    "AWS::IAM::Role": covers(
        "AssumeRolePolicyDocument",
        "ManagedPolicyArns",
        "Path",
        "PermissionsBoundary",
        "Policies",
        "RoleName",
        Description=RECORD,
        MaxSessionDuration=NO_TIME,
        Tags=TAGS,
    ),
    "AWS::Lambda::EventInvokeConfig": covers(
        "DestinationConfig", "FunctionName", "MaximumEventAgeInSeconds", "MaximumRetryAttempts", "Qualifier"
    ),
    "AWS::Lambda::EventSourceMapping": covers(
        "BatchSize",
        "Enabled",
        "EventSourceArn",
        "FilterCriteria",
        "FunctionName",
        "FunctionResponseTypes",
        "ScalingConfig",
        MaximumBatchingWindowInSeconds="batches are taken at once: they are smaller, and come sooner",
        Tags=TAGS,
    ),
    "AWS::Lambda::Function": covers(
        "Code",
        "DeadLetterConfig",
        "Environment",
        "FunctionName",
        "Handler",
        "Layers",
        "LoggingConfig",
        "MemorySize",
        "ReservedConcurrentExecutions",
        "Role",
        "Runtime",
        "Timeout",
        Architectures="the code runs on this machine's processor",
        Description=RECORD,
        EphemeralStorage="files go to a folder of the environment's own, without limit",
        KmsKeyArn=UNENCRYPTED,
        Tags=TAGS,
        TracingConfig="nothing is traced",
        VpcConfig=NO_NETWORK,
    ),
    "AWS::Lambda::LayerVersion": covers(
        "Content", "LayerName", CompatibleArchitectures=RECORD, CompatibleRuntimes=RECORD, Description=RECORD
    ),
    "AWS::Lambda::Permission": covers("Action", "FunctionName", "Principal", "SourceAccount", "SourceArn"),
    "AWS::Logs::LogGroup": covers("LogGroupName", KmsKeyId=UNENCRYPTED, RetentionInDays=NO_TIME, Tags=TAGS),
    "AWS::SQS::Queue": covers(
        "DelaySeconds",
        "FifoQueue",
        "ContentBasedDeduplication",
        "MessageRetentionPeriod",
        "QueueName",
        "ReceiveMessageWaitTimeSeconds",
        "RedriveAllowPolicy",
        "RedrivePolicy",
        "VisibilityTimeout",
        KmsDataKeyReusePeriodSeconds=UNENCRYPTED,
        KmsMasterKeyId=UNENCRYPTED,
        SqsManagedSseEnabled=UNENCRYPTED,
        Tags=TAGS,
    ),
    "AWS::SQS::QueuePolicy": covers("PolicyDocument", "Queues"),
    "AWS::SNS::Subscription": covers(
        "Endpoint", "FilterPolicy", "FilterPolicyScope", "Protocol", "RawMessageDelivery", "RedrivePolicy", "TopicArn"
    ),
    "AWS::SNS::Topic": covers(
        "FifoTopic",
        "TopicName",
        DisplayName=RECORD,
        KmsMasterKeyId="what is told is not encrypted; but the key's policy is asked",
        Tags=TAGS,
    ),
    "AWS::SNS::TopicPolicy": covers("PolicyDocument", "Topics"),
}

MONITORING = {
    "AWS::CloudWatch::Alarm": covers(
        "ActionsEnabled",
        "AlarmActions",
        "AlarmDescription",
        "AlarmName",
        "ComparisonOperator",
        "DatapointsToAlarm",
        "Dimensions",
        "EvaluationPeriods",
        "InsufficientDataActions",
        "MetricName",
        "Metrics",
        "Namespace",
        "OKActions",
        "Period",
        "Statistic",
        "Threshold",
        "TreatMissingData",
        Tags=TAGS,
    ),
    "AWS::CloudWatch::Dashboard": covers("DashboardBody", "DashboardName", Tags=TAGS),
    "AWS::CDK::Metadata": covers(Analytics=RECORD),
}

DATABASES = {
    "AWS::RDS::DBInstance": covers(
        "DBInstanceIdentifier",
        "DBName",
        "DBParameterGroupName",
        "DeletionProtection",
        "Engine",
        "MasterUserPassword",
        "MasterUsername",
        AllocatedStorage=SIZE,
        AllowMajorVersionUpgrade=UPGRADES,
        AutoMinorVersionUpgrade=UPGRADES,
        BackupRetentionPeriod=BACKUP,
        CACertificateIdentifier="the embedded server is built without TLS",
        CopyTagsToSnapshot=TAGS,
        DeleteAutomatedBackups=BACKUP,
        DBInstanceClass=SIZE,
        DBSubnetGroupName=NO_NETWORK,
        EnableCloudwatchLogsExports="the server's log lies in its folder",
        EnablePerformanceInsights=RECORD,
        EngineVersion=UPGRADES,
        KmsKeyId=UNENCRYPTED,
        MaxAllocatedStorage=SIZE,
        MultiAZ=ONE_ZONE,
        PerformanceInsightsKMSKeyId=RECORD,
        PerformanceInsightsRetentionPeriod=RECORD,
        Port="two runs on one machine must not meet: the port is chosen; ask the endpoint",
        PubliclyAccessible="it listens on the loopback interface",
        StorageEncrypted=UNENCRYPTED,
        StorageType=SIZE,
        Tags=TAGS,
        VPCSecurityGroups=NO_NETWORK,
    ),
    "AWS::RDS::DBParameterGroup": covers("DBParameterGroupName", "Family", "Parameters", Description=RECORD, Tags=TAGS),
    "AWS::RDS::DBSubnetGroup": covers("DBSubnetGroupName", "SubnetIds", DBSubnetGroupDescription=RECORD, Tags=TAGS),
}

# The DMS service looks at every setting itself, and refuses by name those it does not emulate.
REPLICATION = {
    f"AWS::DMS::{noun}": Coverage(any_property=True)
    for noun in ("Endpoint", "ReplicationConfig", "ReplicationInstance", "ReplicationSubnetGroup", "ReplicationTask")
}

TYPES: dict[str, Coverage] = {**NETWORK, **STORAGE, **COMPUTE, **MONITORING, **DATABASES, **REPLICATION}
"""Coverage by type."""
