"""Who may do what. The whole view is one snapshot, to be read in a review; the rules below hold for any change."""

from __future__ import annotations

import json
import re
from typing import Any

from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from tests.infrastructure.assembly import STACKS, Assembly


def _short(value: Any) -> str:
    """A resource or principal in one line: references by name, joins glued."""
    match value:
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [resource, attribute]}:
            return f"<{resource}.{attribute}>"
        case {"Fn::ImportValue": name}:
            return f"<{name.partition(':ExportsOutput')[2].removeprefix('FnGetAtt').removeprefix('Ref')}>"
        case {"Fn::Join": [glue, parts]}:
            return str(glue).join(map(_short, parts))
        case {"Fn::Sub": text}:
            return re.sub(r"[0-9a-f]{64}", "<hash>", str(text))
        case list():
            return " + ".join(map(_short, value))
        case dict():
            return json.dumps(value, sort_keys=True)
    return re.sub(r"[0-9a-f]{64}", "<hash>", str(value))


def _statements(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            **statement,
            "Action": statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]],
            "Resource": statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]],
        }
        for statement in document["Statement"]
    ]


def _view(assembly: Assembly) -> dict[str, dict[str, list[str]]]:
    """By role: who may take it, and each action with the resources it is allowed on."""
    view: dict[str, dict[str, list[str]]] = {}
    for path, role in assembly.everywhere("AWS::IAM::Role"):
        trust = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        view[path] = {"(taken by)": [_short(each["Principal"]["Service"]) for each in trust]}
        managed = role["Properties"].get("ManagedPolicyArns", [])
        if managed:
            view[path]["(managed)"] = [_short(each) for each in managed]
    for path, policy in assembly.everywhere("AWS::IAM::Policy"):
        stack = path.partition("/")[0]
        for role in policy["Properties"]["Roles"]:
            allowed = view[_role(view, stack, role)]
            for statement in _statements(policy["Properties"]["PolicyDocument"]):
                denied = "" if statement["Effect"] == "Allow" else "(denied to its code) "
                for action in (f"{denied}{each}" for each in statement["Action"]):
                    resources = allowed.setdefault(action, [])
                    allowed[action] = sorted({*resources, *map(_short, statement["Resource"])})
    return view


def _role(view: dict[str, Any], stack: str, reference: dict[str, str]) -> str:
    """The role a policy belongs to: of its own stack, or exported by another."""
    if "Ref" in reference:
        return f"{stack}/{reference['Ref']}"
    (found,) = [path for path in view if f"ExportsOutputRef{path.partition('/')[2]}" in reference["Fn::ImportValue"]]
    return found


def test_what_every_role_may_do(laptop: Assembly, snapshot: SnapshotAssertion) -> None:
    assert _view(laptop) == snapshot(extension_class=JSONSnapshotExtension)


def test_no_role_is_named_or_carries_managed_policies(laptop: Assembly) -> None:
    for path, role in laptop.everywhere("AWS::IAM::Role"):
        assert not {"RoleName", "ManagedPolicyArns"} & set(role["Properties"]), path


def test_no_policy_allows_every_action_or_a_whole_service(laptop: Assembly) -> None:
    for path, policy in laptop.everywhere("AWS::IAM::Policy"):
        for statement in _statements(policy["Properties"]["PolicyDocument"]):
            assert not [action for action in statement["Action"] if action == "*" or action.endswith(":*")], path


def test_any_resource_is_allowed_only_where_aws_takes_none(laptop: Assembly) -> None:
    anywhere = {
        action
        for _, policy in laptop.everywhere("AWS::IAM::Policy")
        for statement in _statements(policy["Properties"]["PolicyDocument"])
        for action in statement["Action"]
        if "*" in statement["Resource"] and statement["Effect"] == "Allow"
    }
    assert anywhere == {
        "cloudwatch:PutMetricData",
        "dms:DescribeConnections",
        "dms:DescribeReplicationTasks",
        "dms:DescribeReplications",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
    }


def test_dms_writes_into_its_sources_folder_alone(laptop: Assembly) -> None:
    view = _view(laptop)
    (writer,) = [role for path, role in view.items() if "WriterRole" in path]
    assert all(resource.endswith("/sales/*") for resource in writer["s3:PutObject"])


def test_the_applier_cannot_change_what_has_landed(laptop: Assembly) -> None:
    (applier,) = [role for path, role in _view(laptop).items() if "ApplierWorker" in path]
    assert not [each for each in applier["s3:PutObject"] + applier["s3:DeleteObject"] if "Landing" in each]


def test_the_spark_job_may_do_with_tables_what_the_function_may_and_no_more(laptop: Assembly) -> None:
    view = _view(laptop)
    (function,) = [role for path, role in view.items() if "ApplierWorker" in path]
    (job,) = [role for path, role in view.items() if "SparkRole" in path]
    of_tables = ("s3:PutObject", "s3:DeleteObject", "s3:ListBucket", "dynamodb:UpdateItem", "kms:Decrypt")
    for action in of_tables:
        assert [each for each in job[action] if "Artifacts" not in each] == function[action]
    assert set(job) - set(function) == {"cloudwatch:PutMetricData"}, "the function's metrics are in its log"


def test_the_function_may_start_runs_of_the_spark_job_alone(laptop: Assembly) -> None:
    allowed = {path: role["glue:StartJobRun"] for path, role in _view(laptop).items() if "glue:StartJobRun" in role}
    ((path, resources),) = allowed.items()
    assert "ApplierWorker" in path
    (resource,) = resources
    assert "SparkJob" in resource


def test_roles_of_dms_can_be_taken_for_this_account_only(laptop: Assembly) -> None:
    for path, role in laptop.everywhere("AWS::IAM::Role"):
        (statement,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        if "dms" in _short(statement["Principal"]["Service"]):
            assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}, path


def test_every_finding_of_cdk_nag_is_explained_in_a_sentence_at_its_resource(laptop: Assembly) -> None:
    """Each synthesis of these tests fails on a finding that nobody explained; this is about how they are explained."""
    explained = {
        (path, finding): reason
        for stack in STACKS
        for path, entries in json.loads((laptop.folder / f"{stack}.metadata.json").read_text()).items()
        for entry in entries
        if entry["type"] == "aws:cdk:acknowledged-rules"
        for finding, reason in entry["data"].items()
        if "AwsSolutions" in finding
    }
    assert len(explained) > 10
    for (path, finding), reason in explained.items():
        assert path.count("/") > 1, f"{finding} is explained for the whole of {path}"
        assert reason.endswith("."), (path, finding)
        assert len(reason.split()) >= 5, (path, finding)
