"""From a landed file to the function that applies it, and who is told when something is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from catchment.settings import load_settings
from stacks.context import CDK_JSON
from tests.infrastructure.assembly import Assembly, only

SETTINGS = load_settings(CDK_JSON, "laptop")


def _function(assembly: Assembly, handler: str) -> dict[str, Any]:
    name = f"lambda_src.{handler}.handler.handler"
    return only([each["Properties"] for _, each in assembly.everywhere("AWS::Lambda::Function")], Handler=name)


def test_new_objects_of_the_landing_zone_reach_the_queue_whatever_made_them(laptop: Assembly) -> None:
    (pattern,) = [
        rule["EventPattern"] for rule in laptop.properties("Apply", "AWS::Events::Rule") if "EventPattern" in rule
    ]
    assert (pattern["source"], pattern["detail-type"]) == (["aws.s3"], ["Object Created"])
    assert set(pattern["detail"]) == {"bucket"}


def test_messages_that_were_not_dealt_with_come_back_alone(laptop: Assembly) -> None:
    (mapping,) = laptop.properties("Apply", "AWS::Lambda::EventSourceMapping")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": SETTINGS.apply.max_concurrency}


@pytest.mark.parametrize("environment", ["dev", "prod", "laptop"])
def test_a_message_comes_back_after_the_lease_of_a_killed_call(
    assembly_of: Callable[[str], Assembly], environment: str
) -> None:
    assembly = assembly_of(environment)
    (queue,) = [each for each in assembly.properties("Apply", "AWS::SQS::Queue") if "RedrivePolicy" in each]
    timeout = _function(assembly, "apply")["Timeout"]
    assert queue["VisibilityTimeout"] > 2 * timeout
    assert queue["RedrivePolicy"]["maxReceiveCount"] == SETTINGS.apply.max_receives


def test_queues_refuse_plain_http(laptop: Assembly) -> None:
    policies = laptop.properties("Apply", "AWS::SQS::QueuePolicy")
    assert len(policies) == 2
    for policy in policies:
        assert any(
            statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}} and statement["Effect"] == "Deny"
            for statement in policy["PolicyDocument"]["Statement"]
        )


def test_every_table_is_looked_at_on_a_schedule(laptop: Assembly) -> None:
    schedules = {
        rule["ScheduleExpression"]: [target.get("Input") for target in rule["Targets"]]
        for rule in laptop.properties("Apply", "AWS::Events::Rule")
        if "ScheduleExpression" in rule
    }
    assert schedules == {
        f"rate({SETTINGS.apply.sweep_minutes} minutes)": [None],
        f"rate({SETTINGS.monitoring.table_minutes} minutes)": [None],
        "rate(1 day)": ['{"maintain":true}'],
    }


def test_functions_run_on_arm_with_the_memory_of_the_settings(laptop: Assembly) -> None:
    for _, function in laptop.everywhere("AWS::Lambda::Function"):
        assert function["Properties"]["Architectures"] == ["arm64"]
        assert function["Properties"]["Runtime"] == "python3.14"
    assert _function(laptop, "apply")["MemorySize"] == SETTINGS.apply.memory_mb


def test_no_function_runs_node(laptop: Assembly) -> None:
    """Helpers that CDK adds by itself would be Node functions with rights of their own."""
    runtimes = {function["Properties"]["Runtime"] for _, function in laptop.everywhere("AWS::Lambda::Function")}
    assert runtimes == {"python3.14"}


def test_logs_end_some_day(laptop: Assembly) -> None:
    groups = list(laptop.everywhere("AWS::Logs::LogGroup"))
    assert groups
    assert {group["Properties"]["RetentionInDays"] for _, group in groups} == {SETTINGS.lake.log_days}


@pytest.mark.parametrize("table", list(SETTINGS.sources["sales"].tables))
def test_every_table_has_its_alarm(laptop: Assembly, table: str) -> None:
    alarms = laptop.properties("Monitoring", "AWS::CloudWatch::Alarm")
    dimensions = [{"Name": "source", "Value": "sales"}, {"Name": "table", "Value": table}]
    alarm = only(alarms, MetricName="LagSeconds", Dimensions=dimensions)
    assert alarm["Namespace"] == _function(laptop, "table_states")["Environment"]["Variables"]["METRIC_NAMESPACE"]


def test_senders_may_use_the_key_of_the_topic(laptop: Assembly) -> None:
    (key,) = laptop.properties("Lake", "AWS::KMS::Key")
    services = str([statement["Principal"].get("Service") for statement in key["KeyPolicy"]["Statement"]])
    assert all(f"'{sender}.amazonaws.com'" in services for sender in ("cloudwatch", "events"))


def test_the_spark_job_is_told_what_the_function_is_told(laptop: Assembly) -> None:
    (job,) = laptop.properties("Apply", "AWS::Glue::Job")
    variables, arguments = _function(laptop, "apply")["Environment"]["Variables"], job["DefaultArguments"]
    told = ("landing_url", "silver_url", "quarantine_url", "contracts_url", "control_table", "tasks_prefix")
    for name in (*told, "metric_namespace"):
        assert arguments[f"--{name}"] == variables[name.upper()], name
    spark = SETTINGS.apply.spark
    assert (job["GlueVersion"], job["MaxRetries"], job["Timeout"]) == ("5.1", 0, spark.timeout_minutes)
    assert (job["WorkerType"], job["NumberOfWorkers"]) == (spark.worker_type, spark.workers)
    assert job["ExecutionProperty"] == {"MaxConcurrentRuns": spark.max_runs}
    assert (variables["SPARK_WORKER_TYPE"], variables["SPARK_WORKERS"]) == (spark.worker_type, str(spark.workers))
    assert "duckdb==" in arguments["--additional-python-modules"]


def test_the_function_has_the_disk_that_it_is_told_of(laptop: Assembly) -> None:
    function = _function(laptop, "apply")
    assert function["EphemeralStorage"] == {"Size": SETTINGS.apply.disk_mb}
    assert function["Environment"]["Variables"]["DISK_MB"] == str(SETTINGS.apply.disk_mb)


def test_outputs_say_where_things_are(laptop: Assembly) -> None:
    outputs = {
        stack: set(laptop.json(stack).get("Outputs", {})) for stack in ("Lake", "Sources", "Apply", "Replication")
    }
    assert {"LandingBucket", "SilverBucket", "QuarantineBucket"} <= outputs["Lake"]
    assert {"salesSecretArn", "salesAddress", "salesPort"} <= outputs["Sources"]
    apply = {"QueueUrl", "DeadLetterUrl", "ApplyFunction", "SweepFunction", "ControlTable", "ContractsUrl"}
    assert apply <= outputs["Apply"]
    assert "salesTaskArn" in outputs["Replication"]


def test_no_task_starts_before_the_applier_may_ask_what_is_loaded(assembly_of: Callable[[str], Assembly]) -> None:
    template = assembly_of("laptop-sources").template("Replication")
    (policy,) = (
        name
        for name, found in template.find_resources("AWS::IAM::Policy").items()
        if "dms:DescribeTableStatistics" in json.dumps(found["Properties"]) and name.startswith("LoadStates")
    )
    started = template.find_resources("Custom::DmsTaskLifecycle")
    assert len(started) == 2
    assert all(policy in task["DependsOn"] for task in started.values())
