"""The roles that DMS looks up by name, made by the deployed function, with its role, on the local AWS."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local.aws import LocalAws, deploy, destroy
from tests.infrastructure.assembly import Assembly
from tests.infrastructure.cloudformation import CloudFormation

pytestmark = pytest.mark.slow

POLICIES = {
    "dms-vpc-role": "arn:aws:iam::aws:policy/service-role/AmazonDMSVPCManagementRole",
    "dms-cloudwatch-logs-role": "arn:aws:iam::aws:policy/service-role/AmazonDMSCloudWatchLogsRole",
}
OTHER = "arn:aws:iam::aws:policy/ReadOnlyAccess"


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory, laptop: Assembly) -> Iterator[LocalAws]:
    """With the Network stack deployed, which finds no roles."""
    with LocalAws.start(tmp_path_factory.mktemp("account") / "aws") as started:
        deploy(started, laptop.folder, stacks=["Network"])
        yield started


@pytest.fixture
def ensure(aws: LocalAws) -> Iterator[Callable[[str], dict[str, str]]]:
    """Sends the deployed function a request of CloudFormation; its answer."""
    (function,) = [
        each["FunctionName"]
        for each in aws.client("lambda").list_functions()["Functions"]
        if "AccountRoles" in each["FunctionName"]
    ]
    receiver = CloudFormation()

    def request(kind: str) -> dict[str, str]:
        said = len(receiver.answers)
        properties = {"ResourceProperties": {"ServiceToken": function, "Roles": POLICIES}}
        event = {**receiver.event(kind, PhysicalResourceId="Roles"), **properties}
        aws.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
        deadline = time.monotonic() + 30
        while len(receiver.answers) == said:
            assert time.monotonic() < deadline, "CloudFormation is not answered"
            time.sleep(0.02)
        return dict(receiver.answers[-1])

    yield request
    receiver.stop()


def _attached(aws: LocalAws, name: str) -> set[str]:
    found = aws.client("iam").list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    return {each["PolicyArn"] for each in found}


def _remove(aws: LocalAws, name: str) -> None:
    iam = aws.client("iam")
    for arn in _attached(aws, name):
        iam.detach_role_policy(RoleName=name, PolicyArn=arn)
    iam.delete_role(RoleName=name)


def _make(aws: LocalAws, name: str, service: str) -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document, Description="ours")


def _as_documented(aws: LocalAws) -> bool:
    return all(policy in _attached(aws, name) for name, policy in POLICIES.items())


def test_a_first_deployment_makes_both_roles(aws: LocalAws) -> None:
    assert _as_documented(aws)
    for name in POLICIES:
        trust: Any = aws.client("iam").get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
        assert [each["Principal"] for each in trust["Statement"]] == [{"Service": "dms.amazonaws.com"}]


def test_roles_that_are_there_stay_as_they_are(aws: LocalAws, ensure: Callable[[str], dict[str, str]]) -> None:
    before = {name: aws.client("iam").get_role(RoleName=name)["Role"]["RoleId"] for name in POLICIES}
    assert ensure("Update")["Status"] == "SUCCESS"
    assert {name: aws.client("iam").get_role(RoleName=name)["Role"]["RoleId"] for name in POLICIES} == before


@pytest.mark.parametrize("missing", list(POLICIES))
def test_one_that_is_missing_is_made(aws: LocalAws, ensure: Callable[[str], dict[str, str]], missing: str) -> None:
    _remove(aws, missing)
    assert ensure("Create")["Status"] == "SUCCESS"
    assert _as_documented(aws)


def test_a_role_of_somebody_else_keeps_what_it_has(aws: LocalAws, ensure: Callable[[str], dict[str, str]]) -> None:
    name = "dms-vpc-role"
    _remove(aws, name)
    _make(aws, name, "dms.amazonaws.com")
    aws.client("iam").attach_role_policy(RoleName=name, PolicyArn=OTHER)
    assert ensure("Create")["Status"] == "SUCCESS"
    assert _attached(aws, name) == {OTHER, POLICIES[name]}
    assert aws.client("iam").get_role(RoleName=name)["Role"]["Description"] == "ours"


def test_a_role_that_dms_may_not_take_is_named_and_left_alone(
    aws: LocalAws, ensure: Callable[[str], dict[str, str]]
) -> None:
    name = "dms-cloudwatch-logs-role"
    _remove(aws, name)
    _make(aws, name, "ec2.amazonaws.com")
    answer = ensure("Create")
    assert answer["Status"] == "FAILED"
    assert f"role/{name}: its trust policy" in answer["Reason"]
    assert _attached(aws, name) == set()
    _remove(aws, name)
    assert ensure("Create")["Status"] == "SUCCESS"


def test_the_roles_outlive_the_stack(aws: LocalAws, laptop: Assembly) -> None:
    destroy(aws, laptop.folder, stacks=["Network"])
    assert _as_documented(aws)
