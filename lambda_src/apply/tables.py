"""The apply function's hold on the world: stores, lease, contracts, queues and metrics."""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

import boto3

from catchment.apply import Account, Budget, apply_table
from catchment.apply.engine import open_duck_engine
from catchment.apply.loads import LoadStates
from catchment.apply.measures import Measures
from catchment.errors import Terminal
from catchment.landing.contract import TableContract
from catchment.landing.names import TableName
from catchment.leases import Lease
from catchment.leases.dynamodb import DynamoLease
from catchment.maintenance import Horizons, maintain_table
from catchment.reload.dms import TaskLoads
from catchment.sinks.delta_table import DeltaLogs
from catchment.storage import open_store
from lambda_src.apply.environment import Environment
from lambda_src.apply.spark import TIME_SHARE, SparkJob
from lambda_src.contracts import fetch_contracts
from lambda_src.metrics import write_metrics
from lambda_src.pokes import Poke

LOG = logging.getLogger(__name__)

LEASE_SLACK_SECONDS = 5
"""What a lease lasts longer than the call that holds it may run: it must not end while its holder still writes."""

MEMORY_SHARE = 0.5
"""DuckDB's part of the function's memory; Python, Arrow buffers and the Delta writer take the rest."""

BUSY_SECONDS = 60
"""When a table is looked at again that too many runs of the Spark job keep waiting."""


LOAD_PATIENCE_SECONDS = 3
"""How long a call waits for DMS to say that a load is over: its last file lands a moment before."""

LOAD_POLL_SECONDS = 10
"""When a table whose load goes on is looked at again, if no file lands before."""


class Tables:
    """Every table of every source. One instance serves all calls of a function environment."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._contracts = fetch_contracts(boto3.client("s3"), environment.contracts_url)
        self._dynamodb = boto3.client("dynamodb")
        self._sqs, self._dms, self._ssm = boto3.client("sqs"), boto3.client("dms"), boto3.client("ssm")
        self._spark = SparkJob(environment)
        self._store = cache(open_store)  # a client costs as much processor time as a small commit's files
        self._open_engine = partial(open_duck_engine, logs=DeltaLogs())

    def apply(self, poke: Poke, named: Collection[str] | None, context: Any) -> None:
        """Bring one table up to date, or as far as the time left allows; the rest is poked again.

        ``named`` are the landing files of events; None has the whole folder listed.

        A table that the settings do not list is left alone. Raises what apply_table raises.
        """
        contract = self._contract(poke)
        if contract is None:
            LOG.warning("%s is in no source's list of tables", poke)
            return
        environment = self._environment
        lease, budget = self._lease(poke.source, context), self._budget(context)
        router = self._spark.router(contract, memory_mb=int(context.memory_limit_in_mb), engine_mb=budget.memory_mb)
        began = time.monotonic()
        account = apply_table(
            contract=contract,
            landing=self._store(f"{environment.landing_url}/{poke.source}"),
            lake=self._store(f"{environment.silver_url}/{poke.source}"),
            quarantine=self._store(f"{environment.quarantine_url}/{poke.source}"),
            lease=lease,
            budget=budget,
            now=lambda: datetime.now(UTC),
            named=named,
            route=router.decide,
            loads=self._loads(poke.source),
            open_engine=self._open_engine,
        )
        LOG.info("%s", json.dumps({"source": poke.source, **account.to_json()}, ensure_ascii=False))
        self._measure(poke, account, time.monotonic() - began)
        if account.handed_over is not None:
            self._start_job(poke, lease, account.handed_over)
        if not account.done:
            self._sqs.send_message(QueueUrl=environment.queue_url, MessageBody=poke.message())
        elif account.waiting and account.load_file in (named or ()):
            # Only the newest file's message lives on, so that there is one for each table, however many files land.
            self._sqs.send_message(
                QueueUrl=environment.queue_url,
                MessageBody=poke.message(account.load_file),
                DelaySeconds=LOAD_POLL_SECONDS,
            )

    def maintain(self, poke: Poke, context: Any) -> None:
        """Do what keeps one table cheap to read, as far as the time left allows; the rest waits for the next schedule.

        Raises what maintain_table raises.
        """
        contract = self._contract(poke)
        if contract is None:
            LOG.warning("%s is in no source's list of tables", poke)
            return
        report = maintain_table(
            contract=contract,
            lake=self._store(f"{self._environment.silver_url}/{poke.source}"),
            lease=self._lease(poke.source, context),
            budget=self._budget(context),
            now=lambda: datetime.now(UTC),
            horizons=Horizons(self._environment.file_days, self._environment.log_days),
        )
        LOG.info("%s", json.dumps({"source": poke.source, **report.to_json()}, ensure_ascii=False))
        rewritten = sum(step.bytes for step in report.steps if step.kind != "files")
        removed = sum(step.files for step in report.steps if step.kind in ("files", "log"))
        self._write(poke, {"MaintenanceBytesRewritten": rewritten, "MaintenanceFilesRemoved": removed})
        if report.poked:  # an applier went away trusting the holder of the lease to look once more
            self._sqs.send_message(
                QueueUrl=self._environment.queue_url, MessageBody=poke._replace(maintain=False).message()
            )

    def _start_job(self, poke: Poke, lease: Lease, token: str) -> None:
        """Start the run that a table was handed over to; where that cannot be, take the table back."""
        started = False
        try:
            started = self._spark.start(poke, token)
        finally:
            if not started:
                lease.acquire(f"{poke.schema}.{poke.table}", token=token).release(force=True)
        if not started:
            self._sqs.send_message(
                QueueUrl=self._environment.queue_url, MessageBody=poke.message(), DelaySeconds=BUSY_SECONDS
            )

    def give_up(self, poke: Poke, records: Sequence[dict[str, Any]], error: Terminal) -> None:
        """Move messages to the dead letters at once, with the reason, where trying again cannot help."""
        reason: dict[str, Any] = {
            "error": {"DataType": "String", "StringValue": type(error).__name__},
            "reason": {"DataType": "String", "StringValue": str(error)[:1000]},
        }
        for record in records:
            self._sqs.send_message(
                QueueUrl=self._environment.dead_letters_url, MessageBody=record["body"], MessageAttributes=reason
            )
        self.count_failure(poke)

    def count_failure(self, poke: Poke) -> None:
        """One call that did not bring the table up to date."""
        self._write(poke, {"Failures": 1})

    def _loads(self, source: str) -> LoadStates:
        return TaskLoads(self._dms, self._ssm, self._environment.tasks_prefix, source, patience=LOAD_PATIENCE_SECONDS)

    def _contract(self, poke: Poke) -> TableContract | None:
        return self._contracts.get(poke.source, {}).get(TableName(poke.schema, poke.table))

    def _lease(self, source: str, context: Any) -> DynamoLease:
        seconds = math.ceil(context.get_remaining_time_in_millis() / 1000) + LEASE_SLACK_SECONDS
        return DynamoLease(self._dynamodb, self._environment.control_table, prefix=f"{source}/", seconds=seconds)

    def _budget(self, context: Any) -> Budget:
        return Budget(
            commit_bytes=self._environment.commit_mb * 1024 * 1024,
            commit_files=self._environment.commit_files,
            seconds=context.get_remaining_time_in_millis() / 1000 * TIME_SHARE,
            memory_mb=int(int(context.memory_limit_in_mb) * MEMORY_SHARE),
        )

    def _measure(self, poke: Poke, account: Account, seconds: float) -> None:
        measures = Measures.of(account, seconds, datetime.now(UTC))
        self._write(poke, measures.of_source)
        of_table = {"source": poke.source, "table": f"{poke.schema}.{poke.table}"}
        write_metrics(self._environment.metric_namespace, of_table, measures.of_table)

    def _write(self, poke: Poke, values: Mapping[str, float]) -> None:
        write_metrics(self._environment.metric_namespace, {"source": poke.source}, values)
