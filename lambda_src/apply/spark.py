"""Choosing between the function and the Spark job, and starting the job."""

from __future__ import annotations

import logging
from typing import Any

import boto3

from catchment.apply.cost import Function, Job
from catchment.apply.route import Router
from catchment.landing.contract import TableContract
from lambda_src.apply.environment import Environment
from lambda_src.feeding import TIME_SHARE
from lambda_src.pokes import Poke

LOG = logging.getLogger(__name__)


class SparkJob:
    """The Glue job that takes what is too much for the function."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._glue: Any = boto3.client("glue")

    def router(self, contract: TableContract, *, memory_mb: int, engine_mb: int) -> Router:
        """What decides for one table."""
        told = self._environment
        function = Function(
            memory_mb=memory_mb,
            engine_mb=engine_mb,
            disk_mb=told.disk_mb,
            commit_seconds=told.timeout_seconds * (1 - TIME_SHARE),
            commit_mb=told.commit_mb,
            commit_files=told.commit_files,
        )
        job = Job(told.spark_worker_type, told.spark_workers)
        return Router(function, job, told.spark_after_minutes, contract.engine)

    def start(self, poke: Poke, token: str) -> bool:
        """Start a run for a table whose lease was handed over to ``token``; False where too many runs are under way.

        Raises botocore's ClientError for anything else.
        """
        arguments = {"source": poke.source, "schema": poke.schema, "table": poke.table, "lease_token": token}
        try:
            run = self._glue.start_job_run(
                JobName=self._environment.spark_job,
                Arguments={f"--{name}": value for name, value in arguments.items()},
            )
        except (
            self._glue.exceptions.ConcurrentRunsExceededException,
            self._glue.exceptions.ResourceNumberLimitExceededException,
        ) as busy:
            LOG.info("%s: %s", poke, busy)
            return False
        LOG.info("%s: run %s of the Spark job has the table now", poke, run["JobRunId"])
        return True
