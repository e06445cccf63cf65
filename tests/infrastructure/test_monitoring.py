"""Who is told of what, and where they read on: alarms, events, pages, dashboards.

Scope: the templates; that alarms go off is shown by tests/local/monitoring.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore import xform_name

from catchment.settings import Settings, load_settings
from stacks.context import CDK_JSON
from tests.infrastructure.assembly import STACKS, Assembly, only

ENVIRONMENTS = ("dev", "prod", "laptop")
RUNBOOKS = CDK_JSON.parent / "docs" / "runbooks"
PAGE = re.compile(r"What to do: docs/runbooks/([a-z-]+)\.md")


def alarms(assembly: Assembly) -> list[dict[str, Any]]:
    return assembly.properties("Monitoring", "AWS::CloudWatch::Alarm")


def rules(assembly: Assembly) -> dict[str, dict[str, Any]]:
    """The rules of the Monitoring stack by the service they listen to."""
    return {rule["EventPattern"]["source"][0]: rule for rule in assembly.properties("Monitoring", "AWS::Events::Rule")}


def pages(assembly: Assembly) -> set[str]:
    texts = [alarm["AlarmDescription"] for alarm in alarms(assembly)]
    texts += [json.dumps(rule["Targets"]) for rule in rules(assembly).values()]
    found = [PAGE.findall(text) for text in texts]
    assert all(len(each) == 1 for each in found), "everybody who is told is told where to read on"
    return {each for (each,) in found}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_alarm_names_a_page_that_exists_and_every_page_is_named(
    assembly_of: Callable[[str], Assembly], environment: str
) -> None:
    written = {page.stem for page in RUNBOOKS.glob("*.md")}
    named = pages(assembly_of(environment))
    # a source that is not started yet has no alarm on its task; the event is told anyway
    assert named == written


def test_a_page_says_what_it_means_what_to_look_at_how_to_mend_it_and_when_it_is_over() -> None:
    for page in RUNBOOKS.glob("*.md"):
        text = page.read_text()
        places = [text.index(part) for part in ("**It means**", "**Look first**", "**Mend**", "**It is over when**")]
        assert places == sorted(places), page.name


def test_pages_lead_to_pages_that_exist() -> None:
    for page in (*RUNBOOKS.glob("*.md"), RUNBOOKS.parent / "monitoring.md"):
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_every_alarm_is_in_the_list_of_alarms(laptop: Assembly) -> None:
    listed = (RUNBOOKS.parent / "monitoring.md").read_text()
    for alarm in alarms(laptop):
        kind = alarm["AlarmName"].rpartition(" ")[2]
        assert f"`{kind}`" in listed or f"`-{kind.rpartition('-')[2]}`" in listed, kind


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_alarm_tells_the_topic_under_a_name_of_its_own(
    assembly_of: Callable[[str], Assembly], environment: str
) -> None:
    assembly = assembly_of(environment)
    (topic,) = assembly.resources("Monitoring", "AWS::SNS::Topic")
    names = [alarm["AlarmName"] for alarm in alarms(assembly)]
    assert len(names) == len(set(names))
    assert all(name.startswith(f"catchment-{environment} ") for name in names)
    assert all(alarm["AlarmActions"] == [{"Ref": topic}] for alarm in alarms(assembly))
    for rule in rules(assembly).values():
        assert [target["Arn"] for target in rule["Targets"]] == [{"Ref": topic}]


def test_silence_is_decided_alarm_by_alarm(laptop: Assembly) -> None:
    breaching = [alarm["AlarmName"] for alarm in alarms(laptop) if alarm["TreatMissingData"] == "breaching"]
    assert breaching == [f"catchment-laptop {each} watch-silent" for each in ("table-states", "source-agent")]
    steady = {"AWS/DMS", "AWS/RDS", "AWS/S3"}
    for alarm in alarms(laptop):
        if alarm.get("Namespace") in steady or alarm.get("MetricName") in ("LagSeconds", "TaskRunning"):
            assert alarm["TreatMissingData"] == "missing", alarm["AlarmName"]


def test_a_task_that_is_not_meant_to_run_is_not_missed(assembly_of: Callable[[str], Assembly]) -> None:
    for environment, expected in (("laptop", 1), ("dev", 0)):
        names = [alarm["AlarmName"] for alarm in alarms(assembly_of(environment))]
        assert sum(name.endswith(" task-stopped") for name in names) == expected


def test_a_table_may_be_later_than_others(synthesized: Callable[[Settings], Assembly]) -> None:
    settings = load_settings(CDK_JSON, "dev")
    source = settings.sources["sales"]
    tables = {name: table.model_copy(update={"lake_lag_minutes": 60}) for name, table in source.tables.items()}
    one = dict(list(tables.items())[:1])
    changed = source.model_copy(update={"tables": {**source.tables, **one}})
    assembly = synthesized(settings.model_copy(update={"sources": {"sales": changed}}))
    thresholds = [alarm["Threshold"] for alarm in alarms(assembly) if alarm.get("MetricName") == "LagSeconds"]
    assert sorted(thresholds) == [900] * 5 + [3600]


def test_tasks_that_fail_or_stop_and_runs_of_the_spark_job_that_fail_are_told(laptop: Assembly) -> None:
    told = rules(laptop)
    assert told["aws.dms"]["EventPattern"]["detail"] == {"eventType": [{"suffix": "FAILED"}, {"suffix": "STOPPED"}]}
    assert len(told["aws.dms"]["EventPattern"]["resources"]) == 1
    assert told["aws.glue"]["EventPattern"]["detail"]["state"] == ["FAILED", "TIMEOUT", "ERROR", "STOPPED"]
    (job,) = laptop.resources("Apply", "AWS::Glue::Job")
    assert job in str(told["aws.glue"]["EventPattern"]["detail"]["jobName"])


def test_alarms_of_the_replication_instance_watch_the_one_that_is_deployed(laptop: Assembly) -> None:
    (instance,) = laptop.properties("Replication", "AWS::DMS::ReplicationInstance")
    for metric in ("CDCLatencySource", "FreeableMemory", "CPUUtilization"):
        alarm = only(alarms(laptop), MetricName=metric)
        dimensions = {each["Name"]: each["Value"] for each in alarm["Dimensions"]}
        assert dimensions["ReplicationInstanceIdentifier"] == instance["ReplicationInstanceIdentifier"]


def test_services_may_publish_to_the_topic(laptop: Assembly) -> None:
    (policy,) = laptop.properties("Monitoring", "AWS::SNS::TopicPolicy")
    allowed = [each for each in policy["PolicyDocument"]["Statement"] if each["Effect"] == "Allow"]
    assert {each["Principal"]["Service"] for each in allowed} == {"cloudwatch.amazonaws.com", "events.amazonaws.com"}


def test_who_the_settings_name_is_told(synthesized: Callable[[Settings], Assembly]) -> None:
    settings = load_settings(CDK_JSON, "dev")
    monitoring = settings.monitoring.model_copy(update={"email": "data@example.org"})
    assembly = synthesized(settings.model_copy(update={"monitoring": monitoring}))
    (topic,) = assembly.resources("Monitoring", "AWS::SNS::Topic")
    (subscription,) = assembly.properties("Monitoring", "AWS::SNS::Subscription")
    assert subscription == {"Endpoint": "data@example.org", "Protocol": "email", "TopicArn": {"Ref": topic}}


def test_commands_of_the_pages_ask_for_what_there_is(laptop: Assembly) -> None:
    """Outputs of stacks by ``out`` and ``log``, operations and options by what the AWS command line makes them of."""
    outputs = {stack.lower(): set(laptop.json(stack).get("Outputs", {})) for stack in STACKS}
    session = botocore.session.get_session()
    for page in RUNBOOKS.glob("*.md"):
        code = "".join(re.findall(r"```\n(.*?)```", page.read_text(), re.DOTALL)).replace("\\\n", " ")
        for stack, output in re.findall(r"\$\(out (\w+) ([\w${}]+)\)", code):
            assert output.replace("${S}", "sales") in outputs[stack], f"{page.name}: {stack} {output}"
        for function in re.findall(r"\$\(log (\w+)\)", code):
            assert function in outputs["apply"], f"{page.name}: {function}"
        plain = re.sub(r"\$\((out|log|date)[^)]*\)", "…", code).replace("$(aws", "\naws")
        for service, operation, rest in re.findall(r"\baws ([a-z0-9]+) ([a-z-]+)(.*)", plain):
            if (service, operation) in (("s3", "ls"), ("logs", "tail")):
                continue
            model = session.get_service_model(service)
            known = {xform_name(name, "-"): name for name in model.operation_names}
            assert operation in known, f"{page.name}: aws {service} {operation}"
            members = model.operation_model(known[operation]).input_shape.members
            taken = {*(f"--{xform_name(name, '-')}" for name in members), "--query", "--output", "--max-items"}
            given = set(re.findall(r"--[a-z-]+", rest.split("#")[0]))
            assert given <= taken, f"{page.name}: aws {service} {operation} {given - taken}"


def test_there_is_a_page_for_the_environment_and_one_for_each_source(laptop: Assembly) -> None:
    boards = laptop.properties("Monitoring", "AWS::CloudWatch::Dashboard")
    assert {board["DashboardName"] for board in boards} == {"catchment-laptop", "catchment-laptop-sales"}
    overview, source = (json.dumps(only(boards, DashboardName=f"catchment-laptop{of}")) for of in ("", "-sales"))
    assert "start-message-move-task" in overview
    for metric in ("CDCLatencySource", "CDCThroughputRowsTarget", "LagSeconds", "LogRetainedBytes", "FullLoadRows"):
        assert metric in source


def test_the_list_of_pages_is_where_the_messages_say() -> None:
    assert Path("docs/runbooks") == RUNBOOKS.relative_to(CDK_JSON.parent)
