"""What is told of a change, by example: each line is a sentence that a reviewer reads.

Scope: catchment.review on templates in memory; CloudFormation's schemas are cfn-lint's.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from catchment.review import Level, review
from tests.core.review.templates import Template, mappings, said, stack, told

SOURCE = ("AWS::DMS::Endpoint", {"EndpointType": "source", "EngineName": "postgres"})
TARGET = (
    "AWS::DMS::Endpoint",
    {"EndpointType": "target", "EngineName": "s3", "S3Settings": {"CdcMaxBatchInterval": 60}},
)
INSTANCE = ("AWS::DMS::ReplicationInstance", {"ReplicationInstanceClass": "dms.t3.medium", "AllocatedStorage": 50})


def task(*tables: str, sequence: str = "dms_seq", settings: str = "{}") -> tuple[str, dict[str, Any]]:
    return "AWS::DMS::ReplicationTask", {
        "MigrationType": "full-load-and-cdc",
        "ReplicationInstanceArn": {"Ref": "Instance"},
        "SourceEndpointArn": {"Ref": "Source"},
        "TargetEndpointArn": {"Ref": "Target"},
        "TableMappings": mappings(*tables, sequence=sequence),
        "ReplicationTaskSettings": settings,
    }


def pipeline(**other: Any) -> Template:
    parts = {"Instance": INSTANCE, "Source": SOURCE, "Target": TARGET, "sales": task("s.a", "s.b")}
    return {**parts, **other}


def test_nothing_is_told_of_nothing() -> None:
    assert told(pipeline(), pipeline()) == []
    spaced = task("s.a", "s.b", settings='{ "Logging": {"EnableLogging": true}}')
    dense = task("s.a", "s.b", settings='{"Logging":{"EnableLogging":true}}')
    assert told(pipeline(sales=spaced), pipeline(sales=dense)) == [], "JSON in a text is compared by what it says"


def test_a_replaced_endpoint_is_a_full_reload_with_its_rows() -> None:
    other = (SOURCE[0], {**SOURCE[1], "KmsKeyId": "other"})
    assert told(pipeline(), pipeline(Source=other), rows={"s.a": 200_000_000, "s.b": 12_345_678}) == [
        "reload: replaces replication task sales (SourceEndpointArn is that of Source, which is replaced) "
        "→ full reload of 2 tables (≈ 212 M rows)",
        "interruption: replaces endpoint Source (KmsKeyId)",
    ]
    without_rows = told(pipeline(), pipeline(Source=other), rows={"s.a": 1})
    assert without_rows[0].endswith("→ full reload of 2 tables")


def test_a_stack_under_another_name_is_a_new_one_and_the_old_one_stays() -> None:
    def named(name: str, template: Template) -> dict[str, Any]:
        return {"S": replace(stack("S", template), deployed_as=name)}

    other = pipeline(Instance=(INSTANCE[0], {**INSTANCE[1], "KmsKeyId": "other"}))
    assert said(review(named("a-dev-s", pipeline()), named("b-dev-s", other))) == [
        "reload: deploys b-dev-s, all of it new, beside a-dev-s, which stays until it is removed "
        "→ full load of every table"
    ]
    quiet = review(named("a-dev-s", {"Instance": INSTANCE}), named("b-dev-s", {"Instance": INSTANCE}))
    assert [effect.level for effect in quiet] == [Level.INTERRUPTION]


def test_replacement_is_passed_on_between_stacks() -> None:
    def assembly(kms: str) -> dict[str, Any]:
        exported = {"x:Endpoint": {"Ref": "Source"}}
        first = stack("Endpoints", {"Source": (SOURCE[0], {**SOURCE[1], "KmsKeyId": kms})}, exports=exported)
        kind, properties = task("s.a")
        return {
            "Endpoints": first,
            "Tasks": stack(
                "Tasks", {"sales": (kind, {**properties, "SourceEndpointArn": {"Fn::ImportValue": "x:Endpoint"}})}
            ),
        }

    found = review(assembly("a"), assembly("b"))
    assert [(effect.level, effect.stack) for effect in found] == [
        (Level.RELOAD, "Tasks"),
        (Level.INTERRUPTION, "Endpoints"),
    ]


def test_a_changed_task_is_stopped_and_resumed() -> None:
    assert told(pipeline(), pipeline(sales=task("s.a", "s.b", "s.c"))) == [
        "interruption: adds s.c to replication task sales → full load of 1 table, of no other",
        "interruption: stops and resumes replication task sales, about 4 minutes behind",
    ]
    assert told(pipeline(), pipeline(sales=task("s.a")))[0] == (
        "interruption: takes s.b off replication task sales: in the lake they stay as they are"
    )
    assert told(pipeline(), pipeline(sales=task("s.a", "s.b", sequence="seq")))[0] == (
        "reload: changes the columns that replication task sales adds or renames → full reload of 2 tables"
    )
    faster = (TARGET[0], {**TARGET[1], "S3Settings": {"CdcMaxBatchInterval": 30}})
    assert told(pipeline(), pipeline(Target=faster)) == [
        "interruption: stops and resumes replication task sales, about 4 minutes behind "
        "(S3Settings.CdcMaxBatchInterval of its endpoint)"
    ]
    both = told(pipeline(), pipeline(Target=faster, sales=task("s.a", "s.b", settings='{"a": 1}')))
    assert sum("stops and resumes" in line for line in both) == 1, "it stops once"


def test_a_task_is_started_and_stopped_by_what_manages_it() -> None:
    def managed(running: str, configuration: str = "a") -> Template:
        parts = {"Configuration": configuration}
        return {
            "hold": ("Custom::DmsTaskHold", parts),
            "sales": ("Custom::DmsTaskLifecycle", {**parts, "Running": running}),
        }

    assert told({}, managed("true")) == ["none: starts replication task sales"]
    assert told({}, managed("false")) == []
    assert told(managed("false"), managed("true")) == ["none: starts replication task sales"]
    assert told(managed("true"), managed("true", "b")) == []
    assert told(managed("true"), managed("false")) == [
        "interruption: stops replication task sales: its source keeps what it logs until the task is started again"
    ]
    assert told(managed("true"), {}) == ["interruption: stops replication task sales"]


def test_what_clears_up_after_a_task_is_told_when_it_does_and_when_it_changes() -> None:
    def cleaned(wanted: str, tables: str = "a") -> Template:
        told_of = {"Source": "sales", "CleanUp": wanted, "Tables": [tables]}
        return {"clean": ("Custom::SourceCleanUp", told_of), "held": ("Custom::SourceHeld", {"Configuration": tables})}

    assert told({}, cleaned("true")) == told(cleaned("true"), cleaned("true", "b")) == told(cleaned("false"), {}) == []
    assert told(cleaned("true"), {}) == ["none: clears up in source sales what its task left there"]
    assert told(cleaned("true"), cleaned("false")) == [
        "none: will leave in source sales what its task leaves there, once it is removed"
    ]


def test_sample_rows_come_and_never_go() -> None:
    def samples(rows: int = 2000, seed: int = 7, kind: str = "commerce") -> Template:
        said = {"Source": "sales", "Kind": kind, "Rows": str(rows), "Seed": str(seed)}
        return {"samples": ("Custom::SampleData", said)}

    assert told({}, samples()) == ["none: writes 2,000 sample rows of commerce into source sales"]
    assert told(samples(), samples(0, kind="type-zoo")) == ["none: writes the type zoo into source sales"]
    assert told(samples(), samples(3000)) == ["none: adds sample rows to source sales: 3,000 in place of 2,000"]
    assert told(samples(), samples(1000)) == ["none: takes no sample rows from source sales, which has more"]
    assert told(samples(), samples(3000, seed=8)) == [
        "none: fails if source sales holds sample rows of seed 7: they are not replaced"
    ]
    assert told(samples(), {}) == ["none: leaves the sample rows in source sales as they are"]


def test_what_sets_a_source_up_is_told_when_it_begins_and_ends() -> None:
    def prepared(prepares: str, wanted: str = "a") -> Template:
        said = {"Source": "sales", "Wanted": wanted}
        looked = ("Custom::SourcePreflight", {**said, "Running": "true"})
        return {"up": ("Custom::SourcePrepared", {**said, "Prepare": prepares}), "look": looked}

    back = ["none: puts source sales back as it was before it was set up for its task"]
    assert told({}, prepared("true")) == ["none: sets source sales up for its task, where it is not yet"]
    assert told(prepared("true"), prepared("true", "b")) == told({}, prepared("false")) == []
    assert told(prepared("true"), prepared("false")) == told(prepared("true"), {}) == back


def test_what_a_name_forbids_breaks_off() -> None:
    named = {**INSTANCE[1], "ReplicationInstanceIdentifier": "catchment-dev", "KmsKeyId": "a"}
    found = told(pipeline(Instance=(INSTANCE[0], named)), pipeline(Instance=(INSTANCE[0], {**named, "KmsKeyId": "b"})))
    assert any(
        line.startswith("interruption: breaks off: replication instance catchment-dev had to be replaced (KmsKeyId)")
        for line in found
    )


def test_buckets() -> None:
    def bucket(days: int | None, **other: Any) -> Template:
        rules = [{"Status": "Enabled", "ExpirationInDays": days}] if days else []
        return {"Landing": ("AWS::S3::Bucket", {"LifecycleConfiguration": {"Rules": rules}, **other})}

    assert told(bucket(30), {}) == ["data-loss: drops bucket Landing with its data"]
    assert told(bucket(30), {}, Landing="Retain") == [
        "cost: lets go of bucket Landing: it stays, and nobody manages it (and is billed)"
    ]
    assert told(bucket(30), bucket(7)) == [
        "data-loss: deletes objects of bucket Landing after 7 days instead of 30 days"
    ]
    assert told(bucket(None), bucket(7))[0].endswith("after 7 days instead of for good")
    assert told(bucket(7), bucket(30)) == ["cost: keeps objects of bucket Landing for 30 days instead of 7 days"]
    shut = {"PublicAccessBlockConfiguration": {"BlockPublicAcls": True, "BlockPublicPolicy": True}}
    assert told(bucket(7, **shut), bucket(7)) == [
        "security: takes BlockPublicAcls, BlockPublicPolicy off bucket Landing: it can be made public"
    ]
    assert told(bucket(7, BucketName="a"), bucket(7, BucketName="b")) == [
        "data-loss: replaces bucket b by an empty one (BucketName), and drops the old one with its data"
    ]


def test_databases() -> None:
    def database(parameters: dict[str, str], **other: Any) -> Template:
        return {
            "Group": ("AWS::RDS::DBParameterGroup", {"Family": "postgres18", "Parameters": parameters}),
            "orders": ("AWS::RDS::DBInstance", {"DBParameterGroupName": {"Ref": "Group"}, "MultiAZ": False, **other}),
        }

    assert told(database({}), database({"wal_level": "logical"})) == [
        "interruption: restarts database orders (wal_level in its parameter group), if one of them is static"
    ]
    larger = told(database({}, DBInstanceClass="db.t4g.medium"), database({}, DBInstanceClass="db.r6g.large"))
    assert larger == [
        "interruption: changes DBInstanceClass of database orders from db.t4g.medium to db.r6g.large: "
        "restarts it, a few minutes without the database"
    ]
    assert told(database({}), database({}, MultiAZ=True)) == [
        "cost: changes MultiAZ of database orders from False to True: a standby doubles what the database costs"
    ], "a conditional replacement that concerns replicas only"
    assert told(database({}, DeletionProtection=True), database({}, DeletionProtection=False)) == [
        "security: takes the deletion protection off database orders"
    ]
    assert told(database({}), database({}, KmsKeyId="k")) == [
        "data-loss: replaces database orders by an empty one (KmsKeyId), and drops the old one with its data"
    ]
    assert told(database({}, BackupRetentionPeriod=7), database({}, BackupRetentionPeriod=0)) == [
        "data-loss: restarts database orders (backups are switched off)"
    ]


def test_security_groups() -> None:
    def group(*rules: dict[str, Any]) -> Template:
        return {"Db": ("AWS::EC2::SecurityGroup", {"GroupDescription": "d", "SecurityGroupIngress": list(rules)})}

    opened = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "CidrIp": "10.0.0.0/8"}
    assert told(group(), group(opened)) == ["security: opens 5432 from 10.0.0.0/8 in security group Db"]
    assert told(group(opened), group()) == [
        "interruption: closes 5432 from 10.0.0.0/8 in security group Db: whoever uses it is cut off"
    ]
    alone = {
        "IpProtocol": "-1",
        "GroupId": {"Ref": "Db"},
        "SourceSecurityGroupId": {"Fn::GetAtt": ["Other", "GroupId"]},
    }
    both = {**group(), "Other": ("AWS::EC2::SecurityGroup", {"GroupDescription": "o"})}
    assert told(both, {**both, "Rule": ("AWS::EC2::SecurityGroupIngress", alone)}) == [
        "security: opens everything from Other in security group Db"
    ]


def test_permissions() -> None:
    def policy(*actions: str, target: Any = "*") -> Template:
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": target}
        bucket = ("AWS::S3::Bucket", {})
        return {"Reader": ("AWS::IAM::Policy", {"PolicyDocument": {"Statement": [statement]}}), "Lake": bucket}

    objects = {"Fn::Join": ["", [{"Fn::GetAtt": ["Lake", "Arn"]}, "/*"]]}
    assert told(policy("s3:GetObject", target=objects), policy("s3:GetObject", "s3:PutObject", target=objects)) == [
        "security: adds an IAM permission to policy Reader: s3:PutObject on Lake/*"
    ]
    assert told(policy("a:B", "c:D"), policy("c:D")) == ["none: takes an IAM permission from policy Reader: a:B on *"]
    assert told(policy("a:B", "c:D"), policy("c:D", "a:B")) == [
        "none: writes policy Reader otherwise, with the same permissions"
    ]


def test_assets_have_no_effect() -> None:
    def code(digit: str, **other: Any) -> Template:
        return {"Apply": ("AWS::Lambda::Function", {"Code": {"S3Key": f"{digit * 64}.zip"}, **other})}

    assert told(code("a"), code("b")) == ["none: puts new code into function Apply: calls go on"]
    assert told(code("a", MemorySize=1), code("b", MemorySize=2)) == [
        "none: changes MemorySize of function Apply in place"
    ]
    parameter = [{"P": ("AWS::SSM::Parameter", {"Value": f"s3://assets/{digit * 64}.json"})} for digit in "ab"]
    assert told(*parameter) == ["none: gives parameter P other content: no effect at run time (asset hash)"]


def test_contracts_say_which_tables_are_held() -> None:
    def contracts(**table: Any) -> dict[str, Any]:
        one = stack("Apply", {})
        return {"Apply": type(one)(one.name, one.resources, one.exports, {"sales": {"tables": {"s.orders": table}}})}

    found = review(contracts(key=["id"]), contracts(key=["id", "line"], engine="spark"), {"s.orders": 1500})
    assert said(found) == [
        "reload: s.orders has another key: it is held until catchment reload s.orders (≈ 1.5 k rows)",
        "none: changes engine of table s.orders, from its next commit on",
    ]


def test_effects_are_json() -> None:
    from catchment.review.report import document, markdown, text

    found = review({"S": stack("S", pipeline())}, {"S": stack("S", pipeline(sales=task("s.a")))})
    said_once = json.loads(json.dumps(document(found, "dev", "main")))
    assert said_once["worst"] == "interruption"
    assert [each["level"] for each in said_once["effects"]] == ["interruption", "interruption"]
    assert markdown(found, "dev", "main").startswith("### What deploying this to `dev` does\n")
    assert "2 interruption" in text(found)
    assert text([]).startswith("Nothing happens")


def serverless(*tables: str, most: int = 8) -> tuple[str, dict[str, Any]]:
    return "AWS::DMS::ReplicationConfig", {
        "ReplicationConfigIdentifier": "sales",
        "ReplicationType": "full-load-and-cdc",
        "SourceEndpointArn": {"Ref": "Source"},
        "TargetEndpointArn": {"Ref": "Target"},
        "TableMappings": json.loads(mappings(*tables)),
        "ReplicationSettings": {},
        "ComputeConfig": {"MinCapacityUnits": 1, "MaxCapacityUnits": most},
    }


def test_more_capacity_and_another_table_stop_a_serverless_replication_and_reload_nothing_else() -> None:
    before = {"Source": SOURCE, "Target": TARGET, "sales": serverless("s.a")}
    more = {**before, "sales": serverless("s.a", "s.b", most=16)}
    lines = told(before, more)
    assert "interruption: adds s.b to replication task sales → full load of 1 table, of no other" in lines
    assert "interruption: stops and resumes replication task sales, about 4 minutes behind" in lines
    assert not [line for line in lines if line.startswith(("reload", "data-loss"))]


def test_turning_from_an_instance_to_serverless_is_a_full_load() -> None:
    lines = told(pipeline(), {"Source": SOURCE, "Target": TARGET, "Serverless": serverless("s.a", "s.b")})
    assert any("full load of 2 tables" in line for line in lines)
    assert any("are followed no more" in line for line in lines)


def test_a_task_that_is_to_migrate_otherwise_is_made_anew() -> None:
    kind, properties = task("s.a", "s.b")
    lines = told(pipeline(), pipeline(sales=(kind, {**properties, "MigrationType": "cdc"})))
    assert lines == ["reload: replaces replication task sales (MigrationType) → full reload of 2 tables"]
