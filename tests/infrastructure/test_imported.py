"""What is there already and only named: it is used, and never changed, emptied or deleted.

Scope: the templates of an environment that names its buckets and its key, with both keys to deletion turned.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from catchment.settings import Settings, load_settings
from stacks.context import CDK_JSON
from tests.infrastructure.assembly import STACKS, Assembly

KEY = "arn:aws:kms:eu-central-1:111122223333:key/0b1c2d3e-1111-2222-3333-444455556666"
BUCKETS = {zone: f"acme-{zone}" for zone in ("landing", "silver", "quarantine", "artifacts", "queries")}


@pytest.fixture(scope="module")
def imported(synthesized: Callable[[Settings], Assembly]) -> Assembly:
    settings = load_settings(CDK_JSON, "dev")
    lake = settings.lake.model_copy(update={"buckets": BUCKETS, "key_arn": KEY})
    return synthesized(settings.model_copy(update={"lake": lake}))


def test_only_the_zones_that_are_not_named_get_a_bucket(imported: Assembly) -> None:
    made = imported.resources("Lake", "AWS::S3::Bucket")
    assert sorted(name[:4] for name in made) == ["Acce", "Gold"]
    assert len(imported.resources("Lake", "AWS::S3::BucketPolicy")) == len(made)
    assert not imported.resources("Lake", "AWS::KMS::Key")


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
