"""Looks at every source from outside: how its task and tables are, as DMS says, and how late the lake is.

CloudWatch has no metric for a table that DMS suspends while its task runs on (a value it cannot carry, a large value
that is too long), and a table that nobody applies any more writes none that says so.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from os import environ
from typing import Any

import boto3

from catchment.apply.lateness import waiting
from catchment.errors import CatchmentError
from catchment.landing.contract import TableContract
from catchment.landing.names import TableName
from catchment.reload.serverless import task_api
from catchment.sinks.delta_table import DeltaLogs
from catchment.storage import open_store
from lambda_src.contracts import fetch_contracts
from lambda_src.metrics import write_metrics

IN_ERROR = ("Table error", "Table cancelled", "Table does not exist", "Error")
LOADING = ("Before load", "Full load", "Table is being reloaded")
RUNNING = ("running", "starting")

_LOG = logging.getLogger(__name__)
_STORES = cache(open_store)
_LOGS = DeltaLogs()


class TablesUnseen(Exception):
    """How late some tables are could not be found out; the message names them."""


@cache
def contracts() -> dict[str, dict[TableName, TableContract]]:
    """The tables of every source."""
    return fetch_contracts(boto3.client("s3"), environ["CONTRACTS_URL"])


def handler(_event: object, _context: object) -> dict[str, dict[str, float]]:
    """Look at every source; what was counted, by source. Of a source without a task yet only the lake is looked at.

    Raises TablesUnseen when all has been looked at, so that the call counts as an error.
    """
    counted: dict[str, dict[str, float]] = {}
    unseen: list[str] = []
    for source, tables in contracts().items():
        arn = _task(f"{environ['TASKS_PREFIX']}/{source}/task-arn")
        states = _states(arn) if arn is not None else {}
        found = _count(source, arn, states) if arn is not None else {}
        late = list(_late(source, tables, states, unseen))
        found |= {"FilesWaiting": float(sum(late))}
        write_metrics(environ["METRIC_NAMESPACE"], {"source": source}, found)
        counted[source] = found
    if unseen:
        raise TablesUnseen(", ".join(unseen))
    return counted


def _states(arn: str) -> dict[TableName, dict[str, Any]]:
    dms = task_api(boto3.client("dms"), arn)
    pages = dms.get_paginator("describe_table_statistics").paginate(ReplicationTaskArn=arn)
    try:
        lines = [line for page in pages for line in page["TableStatistics"]]
    except dms.exceptions.InvalidResourceStateFault:
        # A serverless replication has no statistics before its first start, nor after DMS has taken its capacity away.
        return {}
    return {TableName(line["SchemaName"], line["TableName"]): line for line in lines}


def _count(source: str, arn: str, states: dict[TableName, dict[str, Any]]) -> dict[str, float]:
    """Count what DMS says of a source, and name in the log each table that is not as it should be."""
    found = {"TaskRunning": float(_status(arn) in RUNNING), "TablesInError": 0.0, "TablesLoading": 0.0}
    for table, line in states.items():
        state = line.get("TableState", "")
        if state in LOADING:
            found["TablesLoading"] += 1
            of_table = {"source": source, "table": str(table)}
            loaded = {"FullLoadRows": float(line.get("FullLoadRows", 0))}
            write_metrics(environ["METRIC_NAMESPACE"], of_table, loaded)
        if state in IN_ERROR:
            found["TablesInError"] += 1
            _LOG.error("%s: %s: %s", source, table, state)
    return {**found, "Tables": float(len(states))}


def _late(
    source: str, tables: dict[TableName, TableContract], states: dict[TableName, dict[str, Any]], unseen: list[str]
) -> Iterator[int]:
    """Write how late each table is; how many files each waits for. Those that could not be looked at go to unseen."""
    landing, silver = (_STORES(f"{environ[name]}/{source}") for name in ("LANDING_URL", "SILVER_URL"))
    for table in tables:
        loading = states.get(table, {}).get("TableState") in LOADING
        try:
            log = _LOGS.of(silver, f"{table.schema}/{table.table}", str(table))
            found = waiting(table, landing, log, datetime.now(UTC), loading=loading)
        except CatchmentError:
            _LOG.exception("%s: %s cannot be looked at", source, table)
            unseen.append(f"{source} {table}")
            continue
        write_metrics(
            environ["METRIC_NAMESPACE"], {"source": source, "table": str(table)}, {"LagSeconds": found.seconds}
        )
        yield found.files


def _status(arn: str) -> str:
    dms = task_api(boto3.client("dms"), arn)
    named = [{"Name": "replication-task-arn", "Values": [arn]}]
    found = dms.describe_replication_tasks(Filters=named, WithoutSettings=True)["ReplicationTasks"]
    status = found[0]["Status"] if found else "deleted"
    if status not in RUNNING:
        _LOG.warning("%s is %s: %s", arn, status, found[0].get("LastFailureMessage", "") if found else "")
    return str(status)


def _task(parameter: str) -> str | None:
    ssm: Any = boto3.client("ssm")
    try:
        return str(ssm.get_parameter(Name=parameter)["Parameter"]["Value"])
    except ssm.exceptions.ParameterNotFound:
        return None
