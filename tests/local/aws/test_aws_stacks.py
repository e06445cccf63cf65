"""CloudFormation: create, update, replace, roll back, delete; what is not emulated is refused by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws import DeploymentFailed, LocalAws, deploy, destroy

Assembly = Callable[..., Path]
Deploy = Callable[..., dict[str, str]]

QUEUE = {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 5}}
BUCKET = {"Type": "AWS::S3::Bucket"}
IMPOSSIBLE = {"Type": "AWS::RDS::DBInstance", "Properties": {"Engine": "oracle-ee", "MasterUsername": "u"}}


def template(**resources: Any) -> dict[str, Any]:
    return {"Resources": resources, "Outputs": {name: {"Value": {"Ref": name}} for name in resources}}


def stack_names(aws: LocalAws) -> set[str]:
    stacks = aws.client("cloudformation").describe_stacks()["Stacks"]
    return {stack["StackName"] for stack in stacks if stack["StackStatus"] != "DELETE_COMPLETE"}


def test_a_property_changes_in_place(aws: LocalAws, deployed: Deploy) -> None:
    before = deployed("in-place", {"Queue": QUEUE}, {"Url": {"Ref": "Queue"}})
    after = deployed(
        "in-place", {"Queue": {**QUEUE, "Properties": {"VisibilityTimeout": 9}}}, {"Url": {"Ref": "Queue"}}
    )
    attributes = aws.client("sqs").get_queue_attributes(QueueUrl=after["Url"], AttributeNames=["VisibilityTimeout"])

    assert after == before
    assert attributes["Attributes"]["VisibilityTimeout"] == "9"


def test_a_property_that_cannot_change_makes_a_new_resource(aws: LocalAws, deployed: Deploy) -> None:
    def table(key: str) -> dict[str, Any]:
        return {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"}],
                "BillingMode": "PAY_PER_REQUEST",
            },
        }

    before = deployed("replacing", {"Table": table("a")}, {"Name": {"Ref": "Table"}})["Name"]
    after = deployed("replacing", {"Table": table("b")}, {"Name": {"Ref": "Table"}})["Name"]

    assert after != before
    assert [name for name in aws.client("dynamodb").list_tables()["TableNames"] if "replacing" in name] == [after]


def test_a_resource_left_out_is_deleted(aws: LocalAws, deployed: Deploy) -> None:
    deployed("shrinking", {"Kept": QUEUE, "Dropped": BUCKET})
    deployed("shrinking", {"Kept": QUEUE})

    assert not [bucket for bucket in aws.client("s3").list_buckets()["Buckets"] if "shrinking" in bucket["Name"]]


def test_the_same_templates_again_change_nothing(aws: LocalAws, assembly: Assembly) -> None:
    folder = assembly(unchanged=template(Queue=QUEUE))
    statuses: list[str] = []
    first = deploy(aws, folder)

    assert deploy(aws, folder, on_event=lambda _stack, status, _seconds: statuses.append(status)) == first
    assert statuses == ["IN_PROGRESS", "UNCHANGED"]


def test_a_failed_creation_is_rolled_back_and_says_why(aws: LocalAws, assembly: Assembly) -> None:
    folder = assembly(failing=template(Bucket=BUCKET, Database={**IMPOSSIBLE, "DependsOn": "Bucket"}))
    with pytest.raises(DeploymentFailed, match="oracle-ee") as failed:
        deploy(aws, folder)

    assert (failed.value.resource, failed.value.kind) == ("Database", "AWS::RDS::DBInstance")
    assert failed.value.status == "ROLLBACK_COMPLETE"
    assert not [bucket for bucket in aws.client("s3").list_buckets()["Buckets"] if "failing" in bucket["Name"]]


def test_a_failed_update_is_rolled_back_to_what_was(aws: LocalAws, assembly: Assembly) -> None:
    url = deploy(aws, assembly(unsteady=template(Queue=QUEUE)))["unsteady"]["Queue"]
    changed = {**QUEUE, "Properties": {"VisibilityTimeout": 9}}
    broken = assembly(
        unsteady=template(Queue=changed, Bucket=BUCKET, Database={**IMPOSSIBLE, "DependsOn": ["Queue", "Bucket"]})
    )
    with pytest.raises(DeploymentFailed, match="UPDATE_ROLLBACK_COMPLETE"):
        deploy(aws, broken)

    attributes = aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
    assert attributes["Attributes"]["VisibilityTimeout"] == "5"
    assert not [bucket for bucket in aws.client("s3").list_buckets()["Buckets"] if "unsteady" in bucket["Name"]]


def test_stacks_are_deployed_and_destroyed_in_the_order_of_their_needs(aws: LocalAws, assembly: Assembly) -> None:
    exporting = {
        "Resources": {"Bucket": BUCKET},
        "Outputs": {"Name": {"Value": {"Ref": "Bucket"}, "Export": {"Name": "order:Bucket"}}},
    }
    importing = {
        "Resources": {
            "Reads": {
                "Type": "AWS::SSM::Parameter",
                "Properties": {"Type": "String", "Value": {"Fn::ImportValue": "order:Bucket"}},
            }
        },
        "Outputs": {"Value": {"Value": {"Fn::GetAtt": ["Reads", "Value"]}}},
    }
    folder = assembly(needs={"reader": ["writer"]}, reader=importing, writer=exporting)
    outputs = deploy(aws, folder)

    assert list(outputs) == ["writer", "reader"]
    assert outputs["reader"]["Value"] == outputs["writer"]["Name"]
    with pytest.raises((DeploymentFailed, ClientError), match="order:Bucket"):
        destroy(aws, folder, ["writer"])
    destroy(aws, folder)
    assert not {"reader", "writer"} & stack_names(aws)


def test_a_bucket_with_objects_is_not_deleted(aws: LocalAws, assembly: Assembly) -> None:
    folder = assembly(full=template(Bucket=BUCKET))
    bucket = deploy(aws, folder)["full"]["Bucket"]
    s3 = aws.client("s3")
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    with pytest.raises(DeploymentFailed, match="not empty"):
        destroy(aws, folder)

    s3.delete_object(Bucket=bucket, Key="k")
    destroy(aws, folder)
    assert not (aws.folder / "s3" / bucket).exists()


def test_an_unknown_type_is_refused_before_anything_is_made(aws: LocalAws, assembly: Assembly) -> None:
    folder = assembly(strange=template(Bucket=BUCKET, Cluster={"Type": "AWS::Redshift::Cluster"}))
    with pytest.raises(DeploymentFailed, match="Cluster: resource type AWS::Redshift::Cluster is not emulated"):
        deploy(aws, folder)

    assert not [bucket for bucket in aws.client("s3").list_buckets()["Buckets"] if "strange" in bucket["Name"]]


@pytest.mark.parametrize(
    ("resource", "named"),
    [
        ({"Type": "AWS::SQS::Queue", "Properties": {"Colour": "red"}}, "property Colour"),
        (
            {"Type": "AWS::S3::Bucket", "Properties": {"NotificationConfiguration": {"LambdaConfigurations": []}}},
            "property NotificationConfiguration.LambdaConfigurations",
        ),
    ],
)
def test_a_property_nobody_has_looked_at_is_refused(
    aws: LocalAws, assembly: Assembly, resource: dict[str, Any], named: str
) -> None:
    with pytest.raises(DeploymentFailed, match=f"{named} is not emulated"):
        deploy(aws, assembly(odd=template(Odd=resource)))


def test_a_policy_condition_that_is_not_evaluated_is_refused(aws: LocalAws, assembly: Assembly) -> None:
    statement = {
        "Effect": "Allow",
        "Action": "s3:GetObject",
        "Resource": "*",
        "Condition": {"StringEquals": {"s3:ExistingObjectTag/secret": "no"}},
    }
    role = {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {"Statement": []},
            "Policies": [{"PolicyName": "p", "PolicyDocument": {"Statement": [statement]}}],
        },
    }
    with pytest.raises(DeploymentFailed, match="condition s3:ExistingObjectTag/secret is not evaluated"):
        deploy(aws, assembly(conditional=template(Role=role)))


ANSWERING = """
import json, urllib.request

def handler(event, context):
    properties = event["ResourceProperties"]
    print(event["RequestType"], json.dumps(properties, sort_keys=True))
    answer = {
        "Status": "FAILED" if properties.get("Fail") == event["RequestType"] else "SUCCESS",
        "Reason": "as asked",
        "PhysicalResourceId": "thing-" + properties.get("Name", ""),
        "StackId": event["StackId"], "RequestId": event["RequestId"], "LogicalResourceId": event["LogicalResourceId"],
        "Data": {"Shout": properties.get("Name", "").upper()},
    }
    request = urllib.request.Request(event["ResponseURL"], json.dumps(answer).encode(), method="PUT")
    urllib.request.urlopen(request)
"""


@pytest.fixture
def custom(
    aws: LocalAws, function: Callable[..., str], request: pytest.FixtureRequest
) -> Callable[..., dict[str, Any]]:
    name = function(f"custom-{abs(hash(request.node.name)) % 10**8}", ANSWERING)
    arn = aws.client("lambda").get_function_configuration(FunctionName=name)["FunctionArn"]

    def resource(**properties: Any) -> dict[str, Any]:
        return {"Type": "Custom::Thing", "Properties": {"ServiceToken": arn, **properties}, "DeletionPolicy": "Delete"}

    resource.log = aws.folder / "logs" / f"{name}.log"  # type: ignore[attr-defined]
    return resource


def test_a_custom_resource_is_made_changed_and_deleted_by_its_function(
    aws: LocalAws, assembly: Assembly, custom: Any
) -> None:
    outputs = {"Shout": {"Value": {"Fn::GetAtt": ["Thing", "Shout"]}}}
    make = lambda **p: assembly(custom={"Resources": {"Thing": custom(**p)}, "Outputs": outputs})  # noqa: E731
    assert deploy(aws, make(Name="a", Count=1))["custom"] == {"Shout": "A"}
    assert deploy(aws, make(Name="a", Count=2))["custom"] == {"Shout": "A"}
    assert deploy(aws, make(Name="b", Count=2))["custom"] == {"Shout": "B"}
    destroy(aws, make(Name="b", Count=2))

    calls = [line.split()[0] for line in custom.log.read_text().splitlines()]
    assert calls == ["Create", "Update", "Update", "Delete", "Delete"]
    assert '"Count": "1"' in custom.log.read_text()


def test_a_custom_resource_that_fails_fails_the_stack(aws: LocalAws, assembly: Assembly, custom: Any) -> None:
    with pytest.raises(DeploymentFailed, match="as asked") as failed:
        deploy(aws, assembly(refusing={"Resources": {"Thing": custom(Fail="Create")}}))

    assert failed.value.resource == "Thing"


def test_a_custom_resource_whose_function_dies_fails_at_once(
    aws: LocalAws, assembly: Assembly, function: Callable[..., str]
) -> None:
    name = function("dying", "def handler(event, context): raise KeyError('TaskArn')")
    arn = aws.client("lambda").get_function_configuration(FunctionName=name)["FunctionArn"]
    thing = {"Type": "Custom::Thing", "Properties": {"ServiceToken": arn}}

    with pytest.raises(DeploymentFailed, match="its function failed: KeyError: 'TaskArn'"):
        deploy(aws, assembly(dying={"Resources": {"Thing": thing}}))


def test_security_group_rules_and_flow_logs_come_and_go(aws: LocalAws, assembly: Assembly) -> None:
    network = {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.9.0.0/16"}},
        "Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": {"GroupDescription": "g", "VpcId": {"Ref": "Vpc"}}},
        "Rule": {
            "Type": "AWS::EC2::SecurityGroupIngress",
            "Properties": {
                "GroupId": {"Ref": "Group"},
                "IpProtocol": "tcp",
                "FromPort": 5432,
                "ToPort": 5432,
                "CidrIp": {"Fn::GetAtt": ["Vpc", "CidrBlock"]},
            },
        },
        "Flow": {
            "Type": "AWS::EC2::FlowLog",
            "Properties": {"ResourceId": {"Ref": "Vpc"}, "ResourceType": "VPC", "TrafficType": "ALL"},
        },
    }
    ec2 = aws.client("ec2")
    folder = assembly(network=template(**network))
    made = deploy(aws, folder)["network"]

    def ports() -> list[int]:
        group = ec2.describe_security_groups(GroupIds=[made["Group"]])["SecurityGroups"][0]
        return [permission["FromPort"] for permission in group["IpPermissions"]]

    assert ports() == [5432]
    assert [log["FlowLogId"] for log in ec2.describe_flow_logs()["FlowLogs"]] == [made["Flow"]]
    network["Rule"]["Properties"] |= {"FromPort": 3306, "ToPort": 3306}
    deploy(aws, assembly(network=template(**network)))
    assert ports() == [3306]
    destroy(aws, folder)
    assert ec2.describe_flow_logs()["FlowLogs"] == []


def test_a_secret_is_generated_and_resolved(aws: LocalAws, deployed: Deploy) -> None:
    generate = {
        "SecretStringTemplate": json.dumps({"username": "u"}),
        "GenerateStringKey": "password",
        "PasswordLength": 20,
    }
    outputs = deployed(
        "secrets",
        {
            "Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": {"GenerateSecretString": generate}},
            "Copy": {
                "Type": "AWS::SSM::Parameter",
                "Properties": {
                    "Type": "String",
                    "Value": {
                        "Fn::Join": ["", ["{{resolve:secretsmanager:", {"Ref": "Secret"}, ":SecretString:password::}}"]]
                    },
                },
            },
        },
        {"Arn": {"Ref": "Secret"}, "Parameter": {"Ref": "Copy"}},
    )
    secret = json.loads(aws.client("secretsmanager").get_secret_value(SecretId=outputs["Arn"])["SecretString"])
    value = aws.client("ssm").get_parameter(Name=outputs["Parameter"])["Parameter"]["Value"]

    assert len(secret["password"]) == 20
    assert value == secret["password"]
