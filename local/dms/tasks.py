"""The API of replication tasks."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local.dms.access import AWS_ERRORS, AwsAccess
from local.dms.api_model import page, select
from local.dms.behaviour import Behaviour
from local.dms.endpoints import EndpointApi
from local.dms.events import EventPublisher, PutEvent
from local.dms.faults import invalid_combination, invalid_state, invalid_value
from local.dms.registry import Registry, new_identifier, public
from local.dms.settings import s3_settings
from local.dms.sources import ERRORS
from local.dms.state import TaskStatus
from local.dms.statistics import table_statistics, task_statistics
from local.dms.supervisor import TaskProcess
from local.dms.task_documents import (
    TaskEnds,
    check_task,
    clean_source,
    last_part,
    mappings_in_effect,
    plan_document,
    refuse_unsupported,
    slot_name,
)

log = logging.getLogger("dms")

_FAILURES: tuple[type[Exception], ...] = (*ERRORS, *AWS_ERRORS, KeyError)

AT_REST = ("ready", "stopped", "failed")
MOST_RELOADED = 10
"""Tables one ReloadTables call may name."""

_FILTERS = {
    "replication-task-arn": lambda r: r["ReplicationTaskArn"],
    "replication-task-id": lambda r: r["ReplicationTaskIdentifier"],
    "migration-type": lambda r: r["MigrationType"],
    "endpoint-arn": lambda r: r["SourceEndpointArn"],
    "replication-instance-arn": lambda r: r["ReplicationInstanceArn"],
}
_TABLE_FILTERS = {
    "schema-name": lambda r: r["SchemaName"],
    "table-name": lambda r: r["TableName"],
    "table-state": lambda r: r["TableState"],
}


class TaskApi:
    """Actions on tasks. ``folder`` holds a state folder for each."""

    def __init__(
        self,
        registry: Registry,
        arn_prefix: str,
        access: AwsAccess,
        endpoints: EndpointApi,
        folder: Path,
        target_url: Callable[[str], str],
        behaviour: Behaviour,
        chaos_seed: int | None,
        put_event: PutEvent | None,
    ) -> None:
        self._registry, self._prefix, self._access, self._endpoints = registry, arn_prefix, access, endpoints
        self._folder, self._target_url = folder, target_url
        self._behaviour, self._chaos_seed = behaviour, chaos_seed
        self._events = EventPublisher(put_event)
        self._processes: dict[str, TaskProcess] = {}
        for record in registry.all("task"):
            if record["Status"] not in AT_REST:  # the service died with its tasks
                record.update(Status="failed", StopReason="Stop Reason RECOVERABLE_ERROR")
        registry.save()

    def create_replication_task(self, params: dict[str, Any]) -> dict[str, Any]:
        """Make a task; it is ready at once."""
        self._registry.get("instance", params["ReplicationInstanceArn"])
        arn = f"{self._prefix}:task:{params.get('ResourceIdentifier') or new_identifier()}"
        return {"ReplicationTask": {**self.shown(self.add(params, arn)), "Status": "creating"}}

    def add(self, params: dict[str, Any], arn: str) -> dict[str, Any]:
        """Keep a new task under an ARN; its record. One with ``_serverless`` has no instance, and is not listed."""
        for name in ("SourceEndpointArn", "TargetEndpointArn"):
            self._registry.get("endpoint", params[name])
        check_task(params)
        record = {
            **params,
            "ReplicationTaskIdentifier": params["ReplicationTaskIdentifier"].lower(),
            "ReplicationTaskArn": arn,
            "ReplicationTaskSettings": params.get("ReplicationTaskSettings", "{}"),
            "Status": "ready",
            "ReplicationTaskCreationDate": time.time(),
            "_arn": arn,
        }
        return self._registry.add("task", arn, record, name="ReplicationTaskIdentifier")

    def modify_replication_task(self, params: dict[str, Any]) -> dict[str, Any]:
        """Change a task at rest."""
        record = self._at_rest(params["ReplicationTaskArn"], "modified")
        if params.get("MigrationType", record["MigrationType"]) != record["MigrationType"]:
            raise invalid_combination("the migration type of a task cannot be modified")
        check_task({**record, **params})
        record.update(params)
        self._registry.save()
        return {"ReplicationTask": {**self.shown(record), "Status": "modifying"}}

    def delete_replication_task(self, params: dict[str, Any]) -> dict[str, Any]:
        """Remove a task at rest, and, in the background, its slot and publications."""
        record = self._at_rest(params["ReplicationTaskArn"], "deleted")
        record["Status"] = "deleting"
        self._registry.save()
        source = self._registry.get("endpoint", record["SourceEndpointArn"])
        threading.Thread(target=self._remove, args=(record, dict(source)), daemon=True).start()
        return {"ReplicationTask": self.shown(record)}

    def describe_replication_tasks(self, params: dict[str, Any]) -> dict[str, Any]:
        """List tasks with their states and statistics."""
        listed = [record for record in self._registry.all("task") if "_serverless" not in record]
        found = select(listed, params, _FILTERS, "ReplicationTasks")
        shown = [self.shown(record) for record in found]
        if params.get("WithoutSettings"):
            for task in shown:
                task.pop("ReplicationTaskSettings")
        return page(shown, params, "ReplicationTasks")

    def start_replication_task(self, params: dict[str, Any]) -> dict[str, Any]:
        """Start, resume or reload a task at rest."""
        record = self._at_rest(params["ReplicationTaskArn"], "started")
        how = params["StartReplicationTaskType"]
        refuse_unsupported(params)
        if how == "start-replication" and record["Status"] != "ready":
            raise invalid_combination("Start Type : START_REPLICATION, valid only for tasks running for the first time")
        if how == "resume-processing" and record["Status"] == "ready":
            raise invalid_combination("Start Type : RESUME_PROCESSING, not valid for a task that never ran")
        for name in ("SourceEndpointArn", "TargetEndpointArn") if "_serverless" not in record else ():
            self._endpoints.require_tested(record["ReplicationInstanceArn"], record[name])
        process = self._process(record)
        resume = how == "resume-processing" and process.checkpoint() is not None
        record["_mappings"] = mappings_in_effect(record, resume=resume)
        record.update(Status="starting", ReplicationTaskStartDate=time.time())
        for gone in ("StopReason", "LastFailureMessage", "_stopped"):
            record.pop(gone, None)
        self._registry.save()
        process.start(self._plan(record, process.folder, resume=resume), self._access.environment())
        return {"ReplicationTask": {**self.shown(record), "Status": "starting"}}

    def stop_replication_task(self, params: dict[str, Any]) -> dict[str, Any]:
        """Ask a running task to write what waits and stop."""
        record = self._registry.get("task", params["ReplicationTaskArn"])
        if self._state(record) != "running":
            raise invalid_state(f"Replication Task cannot be stopped, it is {self._state(record)}.")
        record["Status"] = "stopping"
        self._registry.save()
        self._process(record).request_stop()
        return {"ReplicationTask": self.shown(record)}

    def reload_tables(self, params: dict[str, Any]) -> dict[str, Any]:
        """Load tables of a running task again."""
        record = self._registry.get("task", params["ReplicationTaskArn"])
        if self._state(record) != "running" or record["MigrationType"] == "cdc":
            raise invalid_state("Tables can be reloaded while a task with a full load is running.")
        if params.get("ReloadOption", "data-reload") != "data-reload":
            raise invalid_value("ReloadOption validate-only is not emulated")
        names = [f"{table['SchemaName']}.{table['TableName']}" for table in params["TablesToReload"]]
        known = (self._process(record).status() or TaskStatus()).tables
        unknown = [name for name in names if name not in known]
        if unknown or not 1 <= len(names) <= MOST_RELOADED:
            raise invalid_value(
                f"TablesToReload: 1 to {MOST_RELOADED} tables of the task; not {', '.join(unknown) or names}"
            )
        self._process(record).reload(names)
        return {"ReplicationTaskArn": record["ReplicationTaskArn"]}

    def describe_table_statistics(self, params: dict[str, Any]) -> dict[str, Any]:
        """List a task's tables."""
        record = self._registry.get("task", params["ReplicationTaskArn"])
        status = self._process(record).status() or TaskStatus()
        lines = [table_statistics(line) for line in status.tables.values()]
        answer = page(select(lines, params, _TABLE_FILTERS, "tables"), params, "TableStatistics")
        return {**answer, "ReplicationTaskArn": record["ReplicationTaskArn"]}

    def close(self) -> None:
        """Stop all tasks. Call it without the registry's lock."""
        for process in list(self._processes.values()):
            process.close()

    def _plan(self, record: dict[str, Any], folder: Path, *, resume: bool) -> dict[str, Any]:
        ends = TaskEnds(
            source=self._registry.get("endpoint", record["SourceEndpointArn"]),
            s3=s3_settings(self._registry.get("endpoint", record["TargetEndpointArn"])["S3Settings"]),
            instance=None
            if "_serverless" in record
            else self._registry.get("instance", record["ReplicationInstanceArn"]),
        )
        switches = {"behaviour": vars(self._behaviour), "chaos_seed": self._chaos_seed}
        url = self._target_url(ends.s3["BucketName"])
        return {**plan_document(record, ends, folder, url), **switches, "resume": resume}

    def _process(self, record: dict[str, Any]) -> TaskProcess:
        arn = record["ReplicationTaskArn"]
        if arn not in self._processes:
            folder = self._folder / last_part(record)
            self._processes[arn] = TaskProcess(folder, lambda status: self._ended(record, status))
        return self._processes[arn]

    def _ended(self, record: dict[str, Any], status: TaskStatus) -> None:
        with self._registry.lock:
            record.update(Status=status.state, StopReason=f"Stop Reason {status.stop_reason}", _stopped=time.time())
            if status.failure:
                record["LastFailureMessage"] = status.failure
            self._registry.save()
        event = "REPLICATION_TASK_FAILED" if status.state == "failed" else "REPLICATION_TASK_STOPPED"
        message = status.failure or f"Stop Reason {status.stop_reason}"
        self._events.publish(record["ReplicationTaskArn"], event, message)

    def _state(self, record: dict[str, Any]) -> str:
        if record["Status"] == "starting":
            status = self._process(record).status()
            if status is not None and status.state == "running":
                record["Status"] = "running"
                self._registry.save()
                self._events.publish(
                    record["ReplicationTaskArn"], "REPLICATION_TASK_STARTED", "Replication task started"
                )
        return str(record["Status"])

    def _at_rest(self, arn: str, done: str) -> dict[str, Any]:
        record = self._registry.get("task", arn)
        state = self._state(record)
        if state not in AT_REST:
            raise invalid_state(f"Replication Task {arn} is {state} and cannot be {done}.")
        return record

    def shown(self, record: dict[str, Any]) -> dict[str, Any]:
        """A task as the API shows it."""
        self._state(record)
        shown = public(record)
        status = self._process(record).status()
        if status is not None:
            shown["ReplicationTaskStats"] = task_statistics(status, record.get("_stopped"))
            if status.position:
                shown["RecoveryCheckpoint"] = f"checkpoint:V1#1#{status.position}#0#0#*#0#0"
        return shown

    def _remove(self, record: dict[str, Any], source: dict[str, Any]) -> None:
        process = self._process(record)
        if process.checkpoint() is not None:
            try:
                clean_source(self._access, source, slot_name(record))
            except _FAILURES as error:
                log.warning("clean-up of %s failed: %s", record["ReplicationTaskArn"], error)
        shutil.rmtree(process.folder, ignore_errors=True)
        with self._registry.lock:
            self._registry.remove("task", record["ReplicationTaskArn"])
            self._processes.pop(record["ReplicationTaskArn"], None)
