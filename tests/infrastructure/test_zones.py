"""The zones of the lake: who may reach them, how long they keep things, what becomes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from catchment.settings import load_settings
from stacks.context import CDK_JSON
from tests.infrastructure.assembly import Assembly

BUCKET = "AWS::S3::Bucket"
ZONES = ("Landing", "Silver", "Gold", "Quarantine", "Artifacts", "Queries")


def _zone(assembly: Assembly, name: str) -> dict[str, Any]:
    (found,) = [
        resource for logical_id, resource in assembly.resources("Lake", BUCKET).items() if logical_id.startswith(name)
    ]
    return found


@pytest.mark.parametrize("name", [*ZONES, "AccessLogs"])
def test_no_zone_is_public(prod: Assembly, name: str) -> None:
    block = _zone(prod, name)["Properties"]["PublicAccessBlockConfiguration"]
    assert set(block.values()) == {True}
    assert len(block) == 4


def test_every_bucket_refuses_plain_http_and_old_tls(prod: Assembly) -> None:
    policies = prod.properties("Lake", "AWS::S3::BucketPolicy")
    assert len(policies) == len(prod.resources("Lake", BUCKET))
    for policy in policies:
        denied = [each["Condition"] for each in policy["PolicyDocument"]["Statement"] if each["Effect"] == "Deny"]
        assert {"Bool": {"aws:SecureTransport": "false"}} in denied
        assert {"NumericLessThan": {"s3:TlsVersion": 1.2}} in denied


@pytest.mark.parametrize("name", ZONES)
def test_zones_are_encrypted_with_the_lakes_key(prod: Assembly, name: str) -> None:
    (rule,) = _zone(prod, name)["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert rule["BucketKeyEnabled"] is True


def test_the_landing_zone_is_unversioned(prod: Assembly) -> None:
    assert "VersioningConfiguration" not in _zone(prod, "Landing")["Properties"]


def test_only_the_landing_zone_tells_of_new_objects(prod: Assembly) -> None:
    told = {
        name: "EventBridgeConfiguration" in _zone(prod, name)["Properties"].get("NotificationConfiguration", {})
        for name in ZONES
    }
    assert [name for name, announced in told.items() if announced] == ["Landing"]


@pytest.mark.parametrize("environment", ["dev", "staging", "prod", "laptop"])
def test_zones_keep_what_the_settings_say_and_tables_for_good(
    assembly_of: Callable[[str], Assembly], environment: str
) -> None:
    wanted = load_settings(CDK_JSON, environment).lake

    def days(name: str) -> int | None:
        zone = _zone(assembly_of(environment), name)["Properties"]
        (rule,) = zone["LifecycleConfiguration"]["Rules"]
        return rule.get("ExpirationInDays")

    kept = [wanted.landing_days, None, None, wanted.quarantine_days, wanted.artifact_days, wanted.query_days]
    assert [days(name) for name in ZONES] == kept


def test_with_deletion_protection_data_outlives_its_stack(prod: Assembly) -> None:
    assert {_zone(prod, name)["DeletionPolicy"] for name in ZONES} == {"Retain"}
    (database,) = prod.resources("Sources", "AWS::RDS::DBInstance").values()
    assert database["DeletionPolicy"] == "Retain"
    assert database["Properties"]["DeletionProtection"] is True
    assert not prod.resources("Lake", "Custom::EmptiedBucket")


def test_with_both_keys_turned_data_goes_with_its_stack(laptop: Assembly) -> None:
    assert {_zone(laptop, name)["DeletionPolicy"] for name in ZONES} == {"Delete"}
    assert len(laptop.resources("Lake", "Custom::EmptiedBucket")) == len(laptop.resources("Lake", BUCKET))
    (database,) = laptop.resources("Sources", "AWS::RDS::DBInstance").values()
    assert database["DeletionPolicy"] == "Delete"


def test_with_one_key_turned_data_stays(synthesized: Callable[..., Assembly]) -> None:
    assembly = synthesized(load_settings(CDK_JSON, "dev", {"destroy_data": False}))
    assert {_zone(assembly, name)["DeletionPolicy"] for name in ZONES} == {"Retain"}
    (database,) = assembly.resources("Sources", "AWS::RDS::DBInstance").values()
    assert database["DeletionPolicy"] == "Snapshot"


def _referred(value: Any) -> Iterator[str]:
    """Logical ids, and names of exports, that a value refers to."""
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), *_]} | {"Fn::ImportValue": str(name)}:
            yield name
        case dict():
            for each in value.values():
                yield from _referred(each)
        case list():
            for each in value:
                yield from _referred(each)


def test_what_a_retained_database_stands_on_stays_with_it(prod: Assembly) -> None:
    """Else its stack could not be deleted, or the database would lose its password."""
    templates = {stack: prod.json(stack) for stack in ("Network", "Lake", "Sources")}
    resources = {name: each for template in templates.values() for name, each in template["Resources"].items()}
    exports = {
        each["Export"]["Name"]: list(_referred(each["Value"]))
        for template in templates.values()
        for each in template["Outputs"].values()
        if "Export" in each
    }
    [waiting] = [[name] for name, each in resources.items() if each["Type"] == "AWS::RDS::DBInstance"]
    kept: dict[str, str] = {}
    while waiting:
        name = waiting.pop()
        if name in exports:
            waiting += exports[name]
        elif name in resources and name not in kept:
            kept[name] = resources[name].get("DeletionPolicy", "Delete")
            waiting += _referred(resources[name]["Properties"])
    kinds = {resources[name]["Type"].split("::", 1)[1] for name in kept}
    assert kinds >= {"EC2::SecurityGroup", "EC2::Subnet", "EC2::VPC", "KMS::Key", "RDS::DBParameterGroup"}
    assert {name for name, policy in kept.items() if policy != "Retain"} == set()
    attachments = prod.resources("Sources", "AWS::SecretsManager::SecretTargetAttachment").values()
    assert {each["DeletionPolicy"] for each in attachments} == {"Retain"}
    rules = prod.resources("Sources", "AWS::EC2::SecurityGroupIngress").values()
    assert not [rule for rule in rules if "DeletionPolicy" in rule], "it would hold on to the group of DMS"


def test_queries_cannot_leave_their_workgroups_bounds(prod: Assembly) -> None:
    (workgroup,) = prod.properties("Lake", "AWS::Athena::WorkGroup")
    configuration = workgroup["WorkGroupConfiguration"]
    assert configuration["EnforceWorkGroupConfiguration"] is True
    wanted = load_settings(CDK_JSON, "prod").lake.scan_limit_gb * 1024**3
    assert configuration["BytesScannedCutoffPerQuery"] == wanted
    results = configuration["ResultConfiguration"]
    assert results["EncryptionConfiguration"]["EncryptionOption"] == "SSE_KMS"
    assert "Queries" in str(results["OutputLocation"])
