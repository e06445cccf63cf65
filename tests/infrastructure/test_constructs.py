"""Each construct by itself, as its caller gets it: the whole template is a snapshot, and cdk-nag looks at it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack, Validations
from aws_cdk.aws_ec2 import ISecurityGroup, IVpc, SecurityGroup, Vpc
from aws_cdk.aws_kms import IKey, Key
from aws_cdk.aws_logs import RetentionDays
from aws_cdk.aws_s3 import Bucket, IBucket
from aws_cdk.aws_secretsmanager import Secret
from cdk_nag import AwsSolutionsChecks
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from catchment_constructs.access_log_bucket import AccessLogBucket
from catchment_constructs.dms_account_roles import DmsAccountRoles
from catchment_constructs.dms_lake_endpoint import DmsLakeEndpoint
from catchment_constructs.dms_mappings import DmsTable, LoadByRange
from catchment_constructs.dms_replication_instance import DmsReplicationInstance
from catchment_constructs.dms_serverless_replication import DmsServerlessReplication
from catchment_constructs.dms_source_endpoint import DmsSourceEndpoint
from catchment_constructs.dms_task import DmsTask
from catchment_constructs.dms_task_lifecycle import DmsTaskLifecycle
from catchment_constructs.dms_task_settings import LobPolicy
from catchment_constructs.event_queue import EventQueue
from catchment_constructs.external_database import ExternalDatabase
from catchment_constructs.imported_network import ImportedNetwork, ImportedSubnet
from catchment_constructs.lake_zone import LakeZone
from catchment_constructs.own_code import own_code
from catchment_constructs.source_database import DatabaseEngine, SourceDatabase

ACCOUNT, REGION = "111122223333", "eu-central-1"
TABLES = [
    DmsTable(schema="shop", name="orders"),
    DmsTable(schema="shop", name="documents", lobs=LobPolicy("limited", 1024)),
    DmsTable(schema="shop", name="events", parallel_load=LoadByRange(["id"], [["1000"], ["2000"]])),
]
COLUMNS = {"sequence_column": "dms_seq", "before_image_prefix": "BI_"}


class Around:
    """What is there already when a construct is made: by name only, so that nothing of it is in the template."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.key: IKey = Key.from_key_arn(stack, "Key", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/k")
        self.bucket: IBucket = Bucket.from_bucket_name(stack, "Present", "present")
        zones = {"availability_zones": ["a", "b"], "isolated_subnet_ids": ["subnet-1", "subnet-2"]}
        self.vpc: IVpc = Vpc.from_vpc_attributes(stack, "Vpc", vpc_id="vpc-1", **zones)
        self.group: ISecurityGroup = SecurityGroup.from_security_group_id(stack, "Group", "sg-1")

    def source(self) -> DmsSourceEndpoint:
        return DmsSourceEndpoint(
            self.stack,
            "Source",
            engine="postgres",
            secret=Secret.from_secret_name_v2(self.stack, "Login", "shop/login"),
            key=self.key,
            database="shop",
            ssl_mode="require",
            settings={"PluginName": "test-decoding"},
        )

    def lake(self) -> DmsLakeEndpoint:
        return DmsLakeEndpoint(
            self.stack,
            "Lake",
            bucket=self.bucket,
            folder="shop",
            key=self.key,
            timestamp_column="dms_ts",
            max_batch_seconds=60,
            min_file_kb=32_000,
        )

    def database(self) -> SourceDatabase:
        database = SourceDatabase(
            self.stack,
            "It",
            engine=DatabaseEngine(
                rds_engine="postgres",
                version="18.4",
                major_version="18",
                port=5432,
                parameters={"rds.logical_replication": "1"},
                log_exports=["postgresql"],
            ),
            database="shop",
            vpc=self.vpc,
            key=self.key,
            instance_class="db.t4g.medium",
            storage_gb=50,
            max_storage_gb=200,
            backup_days=7,
            ca_certificate="rds-ca-rsa2048-g1",
            multi_az=False,
            deletion_protection=True,
        )
        database.allow_from(self.group, "DMS reads the database")
        return database

    def external_database(self) -> None:
        secret = Secret.from_secret_name_v2(self.stack, "Login", "shop/login")
        clients = SecurityGroup(self.stack, "Clients", vpc=self.vpc, allow_all_outbound=False)
        for name, place in {
            "ByGroup": {"security_group": self.group},
            "ByAddress": {"address": "10.60.0.0/24"},
        }.items():
            database = ExternalDatabase(self.stack, name, secret=secret, secret_key=None, port=5432, **place)
            database.allow_from(clients, "DMS reads the database")

    def imported_network(self) -> ImportedNetwork:
        tables = {"a": "rtb-1", "b": "rtb-2"}
        return ImportedNetwork(
            self.stack,
            "It",
            vpc_id="vpc-1",
            subnets=[
                ImportedSubnet(subnet_id=f"subnet-{zone}", availability_zone=zone, route_table_id=table)
                for zone, table in tables.items()
            ],
            endpoints=["logs"],
            endpoint_group=self.group,
            s3_prefix_list_id="pl-1",
        )

    def instance(self) -> DmsReplicationInstance:
        return DmsReplicationInstance(
            self.stack,
            "Instance",
            name="shop",
            vpc=self.vpc,
            security_group=self.group,
            key=self.key,
            instance_class="dms.t3.medium",
            engine_version="3.5.4",
            storage_gb=50,
            multi_az=False,
        )

    def task(self, **ends: str) -> DmsTask:
        given = {"source_arn": "arn:source", "target_arn": "arn:target", **ends}
        lobs = LobPolicy("limited", 64)
        return DmsTask(self.stack, "Task", instance=self.instance(), tables=TABLES, lobs=lobs, **given, **COLUMNS)

    def serverless(self) -> DmsServerlessReplication:
        return DmsServerlessReplication(
            self.stack,
            "Serverless",
            name="shop",
            vpc=self.vpc,
            security_group=self.group,
            key=self.key,
            min_units=1,
            max_units=8,
            multi_az=True,
            source_arn="arn:source",
            target_arn="arn:target",
            tables=TABLES,
            lobs=LobPolicy("limited", 64),
            **COLUMNS,
        )

    def lifecycle(self) -> None:
        source, lake = self.source(), self.lake()
        task = self.task(source_arn=source.arn, target_arn=lake.arn)
        kept = DmsTaskLifecycle(
            self.stack,
            "Lifecycle",
            code=own_code(),
            log_retention=RetentionDays.ONE_MONTH,
            task_parameters=["/shop/task-arn"],
        )
        kept.keep("Shop", task=task, source=source, target=lake, task_parameter="/shop/task-arn", running=True)


CONSTRUCTS: dict[str, Callable[[Around], object]] = {
    "AccessLogBucket": lambda around: AccessLogBucket(around.stack, "It", expire_after_days=90),
    "DmsAccountRoles": lambda around: DmsAccountRoles(
        around.stack, "It", code=own_code(), log_retention=RetentionDays.ONE_MONTH, for_redshift=True
    ),
    "DmsLakeEndpoint": Around.lake,
    "DmsReplicationInstance": Around.instance,
    "DmsServerlessReplication": Around.serverless,
    "DmsSourceEndpoint": Around.source,
    "DmsTask": Around.task,
    "DmsTaskLifecycle": Around.lifecycle,
    "EventQueue": lambda around: EventQueue(around.stack, "It", retry_seconds=660, max_receives=5),
    "ExternalDatabase": Around.external_database,
    "ImportedNetwork": Around.imported_network,
    "LakeZone": lambda around: LakeZone(
        around.stack, "It", key=around.key, access_logs=around.bucket, expire_after_days=90, announces_objects=True
    ),
    "SourceDatabase": Around.database,
}


GLUE = ("AWS::IAM::Policy", "AWS::Events::Rule")
"""With the custom resources what is particular to a construct that is a function with a queue."""
LEFT_OUT = {"DmsServerlessReplication": {"TableMappings", "ReplicationSettings"}}
"""What a task is told, and shown there."""


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An app without any feature flag, with a stack for each construct. Synthesis fails on findings of cdk-nag."""
    outdir = tmp_path_factory.mktemp("constructs")
    app = App(outdir=str(outdir))
    for name, make in CONSTRUCTS.items():
        make(Around(Stack(app, name)))
    Validations.of(app).add_plugins(AwsSolutionsChecks())
    app.synth()
    return outdir


def _shown(value: Any) -> Any:
    """Without what changes with the functions' code, with JSON in JSON opened, and components of the log by name."""
    match value:
        case dict():
            return {name: _shown(member) for name, member in value.items()}
        case list():
            names = [member["Id"] for member in value if isinstance(member, dict) and "Severity" in member]
            return names if names else [_shown(member) for member in value]
        case str() if value.startswith('{"'):
            return _shown(json.loads(value))
        case str():
            return re.sub(r"[0-9a-f]{64}", "<hash>", value)
    return value


@pytest.mark.parametrize("name", list(CONSTRUCTS))
def test_what_it_makes(name: str, templates: Path, snapshot: SnapshotAssertion) -> None:
    resources = json.loads((templates / f"{name}.template.json").read_text())["Resources"]
    if any(resource["Type"].startswith("Custom::") for resource in resources.values()):
        kept = {key: each for key, each in resources.items() if each["Type"].startswith(("Custom::", *GLUE))}
        resources = {key: each for key, each in kept.items() if not key.startswith(("Source", "Lake"))}
    for resource in resources.values():
        resource.pop("Metadata", None)
        for name_of in LEFT_OUT.get(name, ()):
            resource["Properties"].pop(name_of, None)
    assert _shown(resources) == snapshot(extension_class=JSONSnapshotExtension)
