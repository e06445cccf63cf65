"""Glue jobs on the local AWS: a run starts the deployed script, with the job's arguments, as the job's role.

The scripts here are small and need no Spark; tests/local/test_spark_end_to_end.py runs the real one.
"""

from __future__ import annotations

import io
import json
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws import LocalAws
from tests.local.aws.conftest import TRUST, Deploy, Until

REPORTING = """
import json, os, sys, boto3, library
given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
print("running", given["--JOB_NAME"])
body = json.dumps({"given": given, "word": library.WORD, "python": sys.version_info[:2]})
boto3.client("s3").put_object(Bucket=given["--bucket"], Key="report.json", Body=body)
"""
FAILING = "raise SystemExit('the source is on fire')"
WAITING = """
import sys, time, boto3
given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
boto3.client("s3").put_object(Bucket=given["--bucket"], Key="started", Body=b"")
time.sleep(600)
"""


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    folder = tmp_path_factory.mktemp("aws") / "server"
    with LocalAws.start(folder, settings={"CATCHMENT_SPARK_PYTHON": sys.executable}) as server:
        server.client("s3").create_bucket(Bucket="code")
        yield server


@pytest.fixture
def job(aws: LocalAws, deployed: Deploy) -> Callable[..., dict[str, str]]:
    """Deploy a job that runs a script and may write to a bucket of its own; names of job and bucket."""

    def deploy_job(name: str, script: str, **properties: Any) -> dict[str, str]:
        s3 = aws.client("s3")
        s3.put_object(Bucket="code", Key=f"{name}.py", Body=script.encode())
        library = io.BytesIO()
        with zipfile.ZipFile(library, "w") as archive:
            archive.writestr("library.py", "WORD = 'from the zip'")
        s3.put_object(Bucket="code", Key="library.zip", Body=library.getvalue())
        trust = json.loads(json.dumps(TRUST).replace("lambda", "glue"))
        writes = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": {"Fn::Sub": "${Bucket.Arn}/*"}}
        reads = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::code/*"}
        policy = {"Version": "2012-10-17", "Statement": [writes, reads]}
        role = {"AssumeRolePolicyDocument": trust, "Policies": [{"PolicyName": "may", "PolicyDocument": policy}]}
        resources = {
            "Bucket": {"Type": "AWS::S3::Bucket"},
            "Role": {"Type": "AWS::IAM::Role", "Properties": role},
            "Job": {
                "Type": "AWS::Glue::Job",
                "Properties": {
                    "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                    "Command": {"Name": "glueetl", "PythonVersion": "3", "ScriptLocation": f"s3://code/{name}.py"},
                    "DefaultArguments": {
                        "--extra-py-files": "s3://code/library.zip",
                        "--bucket": {"Ref": "Bucket"},
                        "--word": "default",
                    },
                    "GlueVersion": "5.1",
                    "Timeout": 1,
                    **properties,
                },
            },
        }
        return deployed(name, resources, {part: {"Ref": part} for part in ("Bucket", "Job")})

    return deploy_job


def ended(aws: LocalAws, until: Until, made: dict[str, str], run_id: str) -> dict[str, Any]:
    def over() -> Any:
        run = aws.client("glue").get_job_run(JobName=made["Job"], RunId=run_id)["JobRun"]
        return run if run["JobRunState"] not in ("STARTING", "RUNNING", "STOPPING") else None

    found: dict[str, Any] = until(over)
    return found


def test_a_run_starts_the_deployed_script_with_its_library_and_arguments(
    aws: LocalAws, job: Callable[..., dict[str, str]], until: Until
) -> None:
    made = job("reporting", REPORTING)
    run_id = aws.client("glue").start_job_run(JobName=made["Job"], Arguments={"--word": "given"})["JobRunId"]
    run = ended(aws, until, made, run_id)
    log = (aws.folder / "logs" / f"{made['Job']}.log").read_text()
    assert run["JobRunState"] == "SUCCEEDED", log
    report = json.loads(aws.client("s3").get_object(Bucket=made["Bucket"], Key="report.json")["Body"].read())
    given = report["given"]
    assert (given["--JOB_NAME"], given["--JOB_RUN_ID"]) == (made["Job"], run_id)
    assert (given["--bucket"], given["--word"]) == (made["Bucket"], "given")
    assert report["word"] == "from the zip"
    assert "running" in log
    assert not list((aws.folder / "runs").glob("*"))


def test_a_run_may_do_what_the_jobs_role_may_and_no_more(
    aws: LocalAws, job: Callable[..., dict[str, str]], until: Until
) -> None:
    made = job("trespassing", REPORTING)
    aws.client("s3").create_bucket(Bucket="not-its-own")
    run_id = aws.client("glue").start_job_run(JobName=made["Job"], Arguments={"--bucket": "not-its-own"})["JobRunId"]
    run = ended(aws, until, made, run_id)
    assert run["JobRunState"] == "FAILED"
    assert "AccessDenied" in run["ErrorMessage"]


def test_a_run_that_fails_says_why_and_eventbridge_is_told(
    aws: LocalAws, job: Callable[..., dict[str, str]], until: Until
) -> None:
    sqs, events = aws.client("sqs"), aws.client("events")
    queue = sqs.create_queue(QueueName="heard")["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:{aws.account}:heard"
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps({"Statement": [statement]})})
    pattern = {"source": ["aws.glue"], "detail": {"state": ["FAILED"], "jobName": [{"prefix": "failing"}]}}
    events.put_rule(Name="heard", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="heard", Targets=[{"Id": "1", "Arn": arn}])
    made = job("failing", FAILING)
    run_id = aws.client("glue").start_job_run(JobName=made["Job"])["JobRunId"]
    run = ended(aws, until, made, run_id)
    assert run["JobRunState"] == "FAILED"
    assert "the source is on fire" in run["ErrorMessage"]
    (message,) = until(lambda: sqs.receive_message(QueueUrl=queue).get("Messages"))
    assert json.loads(message["Body"])["detail"]["jobRunId"] == run_id


def test_no_more_runs_than_the_job_allows_and_a_run_can_be_stopped(
    aws: LocalAws, job: Callable[..., dict[str, str]], until: Until
) -> None:
    made = job("waiting", WAITING, ExecutionProperty={"MaxConcurrentRuns": 1})
    glue, s3 = aws.client("glue"), aws.client("s3")
    run_id = glue.start_job_run(JobName=made["Job"])["JobRunId"]
    with pytest.raises(ClientError, match="ConcurrentRunsExceededException"):
        glue.start_job_run(JobName=made["Job"])
    until(lambda: s3.list_objects_v2(Bucket=made["Bucket"]).get("Contents"))
    glue.batch_stop_job_run(JobName=made["Job"], JobRunIds=[run_id])
    assert ended(aws, until, made, run_id)["JobRunState"] == "STOPPED"
    second = glue.start_job_run(JobName=made["Job"])["JobRunId"]
    assert [run["Id"] for run in glue.get_job_runs(JobName=made["Job"])["JobRuns"]] == [second, run_id]
    glue.batch_stop_job_run(JobName=made["Job"], JobRunIds=[second])
    ended(aws, until, made, second)


def test_a_machine_without_spark_fails_the_run_and_says_what_to_do(tmp_path: Path, monkeypatch: Any) -> None:
    from local.aws.jobs import run

    monkeypatch.setenv(run.SPARK_PYTHON, str(tmp_path / "none"))
    with pytest.raises(FileNotFoundError, match="make setup-spark"):
        run._python()
