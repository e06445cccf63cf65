"""The apply function's hold on the world: stores, lease, contracts, queues and metrics."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Collection
from datetime import UTC, datetime
from functools import partial
from typing import Any

from catchment.apply import apply_table
from catchment.apply.engine import open_duck_engine
from catchment.leases import Lease
from catchment.maintenance import Horizons, maintain_table
from catchment.sinks.delta_table import DeltaLogs
from lambda_src.apply.environment import Environment
from lambda_src.apply.spark import SparkJob
from lambda_src.feeding import FedTables
from lambda_src.pokes import Poke

LOG = logging.getLogger(__name__)

BUSY_SECONDS = 60
"""When a table is looked at again that too many runs of the Spark job keep waiting."""


class Tables(FedTables):
    """The tables of the lake."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self._environment = environment
        self._spark = SparkJob(environment)
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
        self._poke_again(poke, account, named)

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
