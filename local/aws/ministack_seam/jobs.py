"""Glue: our runner in the place of ministack's, which takes every Spark job for done."""

from __future__ import annotations

import contextvars
import json
import threading
import time
import uuid
from typing import Any

from ministack.core.lambda_runtime import execution_credentials
from ministack.core.responses import error_response_json, json_response
from ministack.services import glue
from ministack.services.cloudformation import provisioners

from local.aws.account import ACCOUNT, REGION
from local.aws.jobs.run import JobRun
from local.aws.jobs.runner import JobRunner
from local.aws.ministack_seam.dms import put_service_event
from local.aws.resources.kind import Properties

UNDER_WAY = ("STARTING", "RUNNING", "STOPPING")
Answer = tuple[int, dict[str, str], bytes]


def run_jobs_with(runner: JobRunner) -> None:
    """Let ``runner`` run every job, within the job's concurrency; tell EventBridge of each run's end, as Glue does."""
    _keep_concurrency()

    def start(request: dict[str, Any]) -> Answer:
        name = request["JobName"]
        job = glue._jobs.get(name)
        if job is None:
            return _refusal("EntityNotFoundException", f"Job {name} not found")
        runs = glue._job_runs[name]
        most = job.get("ExecutionProperty", {}).get("MaxConcurrentRuns", 1)
        if sum(run["JobRunState"] in UNDER_WAY for run in runs) >= int(most):
            return _refusal("ConcurrentRunsExceededException", f"Concurrent runs exceeded for {name}")
        record = _record(job, request.get("Arguments", {}))
        runs.insert(0, record)
        inside = contextvars.copy_context()  # ministack's records are those of the request's account and region
        told = threading.Lock()

        def ended(state: str, message: str) -> None:
            with told:
                inside.run(_close, record, state, message)

        runner.start(_job_run(job, record), ended)
        return _answer({"JobRunId": record["Id"]})

    def stop(request: dict[str, Any]) -> Answer:
        stopped, errors = [], []
        known = {run["Id"]: run for run in glue._job_runs.get(request["JobName"], [])}
        for run_id in request["JobRunIds"]:
            pair = {"JobName": request["JobName"], "JobRunId": run_id}
            if run_id in known and known[run_id]["JobRunState"] in UNDER_WAY:
                known[run_id]["JobRunState"] = "STOPPING"
                threading.Thread(target=runner.stop, args=(run_id,), daemon=True).start()
                stopped.append(pair)
            else:
                detail = {"ErrorCode": "InvalidInputException", "ErrorMessage": "no such run is under way"}
                errors.append({**pair, "ErrorDetail": detail})
        return _answer({"SuccessfulSubmissions": stopped, "Errors": errors})

    glue._start_job_run, glue._batch_stop_job_run = start, stop


def _record(job: dict[str, Any], given: dict[str, str]) -> dict[str, Any]:
    now = int(time.time())
    return {
        "Id": f"jr_{uuid.uuid4().hex}",
        "JobName": job["Name"],
        "JobRunState": "RUNNING",
        "StartedOn": now,
        "LastModifiedOn": now,
        "Arguments": given,
        "ExecutionTime": 0,
        "Timeout": job["Timeout"],
        "GlueVersion": job["GlueVersion"],
        "WorkerType": job["WorkerType"],
        "NumberOfWorkers": job["NumberOfWorkers"],
        "Attempt": 0,
    }


def _job_run(job: dict[str, Any], record: dict[str, Any]) -> JobRun:
    own = {"--JOB_NAME": job["Name"], "--JOB_RUN_ID": record["Id"]}
    session = {
        "Role": job["Role"],
        "FunctionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{record['Id']}",  # whose account is read from it
        "FunctionName": "GlueJobRunnerSession",
    }
    return JobRun(
        id=record["Id"],
        job=job["Name"],
        script=job["Command"]["ScriptLocation"],
        arguments={**job["DefaultArguments"], **own, **record["Arguments"]},
        timeout_seconds=60.0 * int(job["Timeout"]),
        credentials=execution_credentials(session),
    )


def _close(record: dict[str, Any], state: str, message: str) -> None:
    now = int(time.time())
    record.update(CompletedOn=now, LastModifiedOn=now, ExecutionTime=now - record["StartedOn"], ErrorMessage=message)
    record["JobRunState"] = state
    detail = {"jobName": record["JobName"], "state": state, "jobRunId": record["Id"], "message": message}
    put_service_event(
        {"Source": "aws.glue", "DetailType": "Glue Job State Change", "Detail": json.dumps(detail), "Resources": []}
    )


def _keep_concurrency() -> None:
    """ministack drops ``ExecutionProperty`` of a template."""
    handler = provisioners._RESOURCE_HANDLERS["AWS::Glue::Job"]
    create, update = handler["create"], handler["update"]

    def keep(made: tuple[str, dict[str, Any]], properties: Properties) -> tuple[str, dict[str, Any]]:
        glue._jobs[made[0]]["ExecutionProperty"] = properties.get("ExecutionProperty", {})
        return made

    def with_create(logical_id: str, properties: Properties, stack: str) -> tuple[str, dict[str, Any]]:
        return keep(create(logical_id, properties, stack), properties)

    def with_update(physical_id: str, old: Properties, new: Properties, *rest: Any) -> tuple[str, dict[str, Any]]:
        return keep(update(physical_id, old, new, *rest), new)

    handler.update(create=with_create, update=with_update)


def _answer(content: dict[str, Any]) -> Answer:
    answer: Answer = json_response(content)
    return answer


def _refusal(code: str, message: str) -> Answer:
    answer: Answer = error_response_json(code, message, 400)
    return answer
