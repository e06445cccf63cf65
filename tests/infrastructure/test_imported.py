"""What is there already and only named: it is used, and never changed, emptied or deleted.

Scope: the templates of an environment that names buckets, a key and a network, with both keys to deletion turned.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from catchment.settings import NetworkSettings, Settings, load_settings
from stacks.context import CDK_JSON
from tests.infrastructure.assembly import STACKS, Assembly
from tests.infrastructure.test_cfn_lint import findings

KEY = "arn:aws:kms:eu-central-1:111122223333:key/0b1c2d3e-1111-2222-3333-444455556666"
SUBNETS = ["subnet-0aaaaaaaaaaaaaaa1", "subnet-0aaaaaaaaaaaaaaa2"]
S3, GROUP = "pl-6ea54007", "sg-0123456789abcdef0"
VPC = {
    "vpc_id": "vpc-0123456789abcdef0",
    "subnets": [
        {"subnet_id": subnet, "availability_zone": f"eu-central-1{zone}"}
        for subnet, zone in zip(SUBNETS, "ab", strict=True)
    ],
    "endpoints": ["s3", "secretsmanager"],
    "endpoint_security_group_id": GROUP,
}
BUCKETS = {zone: f"acme-{zone}" for zone in ("landing", "silver", "quarantine", "artifacts", "queries")}


@pytest.fixture(scope="module")
def imported(synthesized: Callable[[Settings], Assembly]) -> Assembly:
    settings = load_settings(CDK_JSON, "dev")
    lake = settings.lake.model_copy(update={"buckets": BUCKETS, "key_arn": KEY})
    network = NetworkSettings.model_validate_json(json.dumps({"vpc": VPC, "s3_prefix_list_id": S3}))
    return synthesized(settings.model_copy(update={"lake": lake, "network": network}))


def test_only_the_zones_that_are_not_named_get_a_bucket(imported: Assembly) -> None:
    made = imported.resources("Lake", "AWS::S3::Bucket")
    assert sorted(name[:4] for name in made) == ["Acce", "Gold"]
    assert len(imported.resources("Lake", "AWS::S3::BucketPolicy")) == len(made)
    assert not imported.resources("Lake", "AWS::KMS::Key")


def test_templates_with_what_is_named_have_no_finding(imported: Assembly) -> None:
    assert findings(imported, ["Network", "Lake", "Sources"]) == []


def test_what_is_named_is_never_emptied(imported: Assembly) -> None:
    emptied = imported.properties("Lake", "Custom::EmptiedBucket")
    assert len(emptied) == 2
    assert not [each for each in emptied if each["BucketName"] in BUCKETS.values()]
    for _, policy in imported.everywhere("AWS::IAM::Policy"):
        said = json.dumps(policy["Properties"])
        assert "Emptier" not in said or "acme-" not in said


def test_landed_files_of_a_named_bucket_are_heard_of(imported: Assembly) -> None:
    patterns = [
        rule["EventPattern"] for rule in imported.properties("Apply", "AWS::Events::Rule") if "EventPattern" in rule
    ]
    assert [each["detail"]["bucket"]["name"] for each in patterns if each["source"] == ["aws.s3"]] == [["acme-landing"]]


def test_everything_is_where_commands_look_for_it(imported: Assembly) -> None:
    outputs = imported.json("Lake")["Outputs"]
    assert outputs["LandingBucket"]["Value"] == "acme-landing"
    (endpoint,) = [each for each in imported.properties("Replication", "AWS::DMS::Endpoint") if "S3Settings" in each]
    assert endpoint["S3Settings"]["BucketName"] == "acme-landing"
    assert endpoint["S3Settings"]["ServerSideEncryptionKmsKeyId"] == KEY


def test_everything_is_encrypted_with_the_key_that_is_named(imported: Assembly) -> None:
    keys = {
        each["Properties"].get(name)
        for stack in STACKS
        for each in imported.json(stack)["Resources"].values()
        for name in ("KmsKeyId", "KmsMasterKeyId")
        if isinstance(each.get("Properties", {}).get(name), str)
    }
    assert keys == {KEY}


def test_nothing_is_made_in_a_named_network_but_groups_and_the_endpoints_it_lacks(imported: Assembly) -> None:
    kinds = {each["Type"] for each in imported.json("Network")["Resources"].values()}
    assert {kind for kind in kinds if kind.startswith("AWS::EC2")} == {
        "AWS::EC2::SecurityGroup",
        "AWS::EC2::SecurityGroupEgress",
        "AWS::EC2::SecurityGroupIngress",
        "AWS::EC2::VPCEndpoint",
    }
    [endpoint] = imported.properties("Network", "AWS::EC2::VPCEndpoint")
    assert "logs" in json.dumps(endpoint["ServiceName"])
    assert (endpoint["VpcId"], endpoint["SubnetIds"]) == (VPC["vpc_id"], SUBNETS)


def test_databases_and_replication_are_in_the_named_subnets(imported: Assembly) -> None:
    [databases] = imported.properties("Sources", "AWS::RDS::DBSubnetGroup")
    [replication] = imported.properties("Replication", "AWS::DMS::ReplicationSubnetGroup")
    assert databases["SubnetIds"] == replication["SubnetIds"] == SUBNETS


def test_with_the_prefix_list_of_s3_nothing_may_reach_anywhere(imported: Assembly) -> None:
    inline = [
        rule["CidrIp"]
        for stack in ("Network", "Sources")
        for group in imported.properties(stack, "AWS::EC2::SecurityGroup")
        for rule in group["SecurityGroupEgress"]
    ]
    assert set(inline) == {"255.255.255.255/32"}
    apart = imported.properties("Network", "AWS::EC2::SecurityGroupEgress")
    assert [rule["DestinationPrefixListId"] for rule in apart if "DestinationPrefixListId" in rule] == [S3]
    assert all((rule["FromPort"], rule["ToPort"]) == (443, 443) and "CidrIp" not in rule for rule in apart)


def test_the_group_of_present_endpoints_lets_in_replication_and_the_agent_alone(imported: Assembly) -> None:
    rules = [
        rule for rule in imported.properties("Network", "AWS::EC2::SecurityGroupIngress") if rule["GroupId"] == GROUP
    ]
    assert len(rules) == 2
    assert all("SourceSecurityGroupId" in rule and rule["ToPort"] == 443 for rule in rules)
