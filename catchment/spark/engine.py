"""The applier's work on Spark."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pyspark.sql import SparkSession as Spark

from catchment.apply.budget import Budget
from catchment.apply.engine import Engine, OpenEngine
from catchment.apply.staging import Stage
from catchment.landing.contract import TableContract
from catchment.sinks.base import Sink
from catchment.spark.session import SparkSession
from catchment.spark.sink import SparkSink
from catchment.spark.stage import SparkStage
from catchment.spark.tasks import Reading
from catchment.storage import ObjectStore


def spark_engine(spark: Spark) -> OpenEngine:
    """What apply_table takes as ``open_engine`` to work on ``spark``. One table at a time on one session."""

    @contextmanager
    def opened(
        contract: TableContract, landing: ObjectStore, lake: ObjectStore, budget: Budget, scratch: Path
    ) -> Iterator[Engine]:
        session = SparkSession(spark)
        sink = SparkSink(session, lake, contract)
        work = f"{sink.path}/_catchment/work"
        _remove(lake, work)  # left by a run that died: the lease says that it is nobody's
        try:
            yield _SparkEngine(session, sink, Reading(landing.url, contract, budget.memory_mb), lake, work)
        finally:
            session.clear()
            _remove(lake, work)

    return opened


@dataclass(frozen=True)
class _SparkEngine:
    session: SparkSession
    sink: Sink
    reading: Reading
    lake: ObjectStore
    work: str

    def stage(self) -> Stage:
        return SparkStage(self.session, self.reading, self.lake, f"{self.work}/{uuid.uuid4()}")

    def staged(self) -> None:
        """Nothing to do: tasks keep no order."""


def _remove(lake: ObjectStore, folder: str) -> None:
    for found in lake.list(folder):
        lake.delete(found.path)
