"""What holds for everything an environment has: what it is named after, its tags, the bound of what its roles may do.

Scope: the templates of an environment that is named otherwise, with a boundary, delivered from GitHub.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from catchment.settings import DeliverySettings, Settings, load_settings
from stacks.context import CDK_JSON
from tests.infrastructure.assembly import STACKS, Assembly

BOUNDARY = "arn:aws:iam::111122223333:policy/teams/data-platform"
NAMED = {
    "AWS::Athena::WorkGroup": ("Name", "acme-lake-prod"),
    "AWS::CloudWatch::Dashboard": ("DashboardName", "acme-lake-prod"),
    "AWS::DMS::ReplicationInstance": ("ReplicationInstanceIdentifier", "acme-lake-prod"),
    "AWS::SSM::Parameter": ("Name", "/acme-lake/prod/sales/task-arn"),
}
"""The property that names a resource, and what it says."""

WITHOUT_TAGS = {"AWS::Glue::Database", "AWS::Lambda::LayerVersion"}
"""What has a name of its own and no tags in CloudFormation: docs/settings.md says so."""

OF_ANOTHER = {
    "AWS::EC2::SecurityGroupEgress",
    "AWS::EC2::SecurityGroupIngress",
    "AWS::EC2::SubnetRouteTableAssociation",
    "AWS::IAM::Policy",
    "AWS::Lambda::Permission",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
    "AWS::SecretsManager::SecretTargetAttachment",
}
"""Parts of a resource that is tagged."""


@pytest.fixture(scope="module")
def acme(synthesized: Callable[[Settings], Assembly]) -> Assembly:
    delivery = DeliverySettings(repository="acme/lake", create_provider=True)
    changed = {"stack_prefix": "acme-lake", "permission_boundary_arn": BOUNDARY, "delivery": delivery}
    return synthesized(load_settings(CDK_JSON, "prod").model_copy(update=changed))


def _resources(assembly: Assembly) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for stack in (*STACKS, "Delivery"):
        for logical_id, resource in assembly.json(stack)["Resources"].items():
            yield f"{stack}/{logical_id}", resource["Type"], resource.get("Properties", {})


def test_everything_is_named_after_the_prefix_and_the_environment(acme: Assembly) -> None:
    artifacts = json.loads((acme.folder / "manifest.json").read_text())["artifacts"]
    stacks = {each["properties"].get("stackName") for each in artifacts.values()} - {None}
    assert stacks == {f"acme-lake-prod-{stack.lower()}" for stack in (*STACKS, "Delivery")}
    found = {kind: properties for _, kind, properties in _resources(acme) if kind in NAMED}
    assert {kind: found[kind][name] for kind, (name, _) in NAMED.items()} == {
        k: value for k, (_, value) in NAMED.items()
    }
    databases = {each["DatabaseInput"]["Name"] for each in acme.properties("Lake", "AWS::Glue::Database")}
    assert databases == {"acme_lake_prod_sales", "acme_lake_prod_gold"}


def test_metrics_and_alarms_meet_in_a_namespace_of_the_environment(acme: Assembly) -> None:
    written = {
        each["Environment"]["Variables"]["METRIC_NAMESPACE"]
        for each in acme.properties("Apply", "AWS::Lambda::Function")
        if "METRIC_NAMESPACE" in each["Environment"]["Variables"]
    }
    watched = {each.get("Namespace") for each in acme.properties("Monitoring", "AWS::CloudWatch::Alarm")}
    assert written == {"acme-lake/prod"}
    assert written < watched


def test_no_name_is_left_from_another_prefix(acme: Assembly) -> None:
    """What is said of Catchment in descriptions may stay; names, parameters and addresses may not."""
    for path, kind, properties in _resources(acme):
        said = json.dumps({name: value for name, value in properties.items() if name != "Tags"}).lower()
        for word in ("catchment-", "/catchment/", "catchment_prod"):
            assert word not in said, (path, kind)


def test_a_boundary_bounds_every_role(acme: Assembly, prod: Assembly) -> None:
    roles = [properties for _, kind, properties in _resources(acme) if kind == "AWS::IAM::Role"]
    assert len(roles) > 10
    assert {role.get("PermissionsBoundary") for role in roles} == {BOUNDARY}
    assert not [role for _, role in prod.everywhere("AWS::IAM::Role") if "PermissionsBoundary" in role["Properties"]]


def test_whatever_cloudformation_can_tag_is_tagged(acme: Assembly) -> None:
    untagged = set()
    for path, kind, properties in _resources(acme):
        if kind.startswith("Custom::"):
            continue
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("eu-central-1", kind).schema
        if "Tags" in schema["properties"]:
            tags = properties.get("Tags", [])
            told = tags if isinstance(tags, dict) else {each["Key"]: each["Value"] for each in tags}
            assert told.items() >= {"application": "catchment", "stage": "prod"}.items(), path
        else:
            untagged.add(kind)
    assert untagged - OF_ANOTHER == WITHOUT_TAGS
