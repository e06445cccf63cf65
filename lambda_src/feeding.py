"""What the functions that bring tables up to date have in common: the lake's, and the replica's."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, Self

import boto3
from pydantic import BaseModel, ConfigDict, PositiveInt

from catchment.apply import Account, Budget
from catchment.apply.loads import LoadStates
from catchment.apply.measures import Measures
from catchment.errors import Terminal
from catchment.landing.contract import TableContract
from catchment.landing.names import TableName
from catchment.leases.dynamodb import DynamoLease
from catchment.reload.dms import TaskLoads
from catchment.storage import open_store
from lambda_src.contracts import fetch_contracts
from lambda_src.metrics import write_metrics
from lambda_src.pokes import Poke

LEASE_SLACK_SECONDS = 5
"""What a lease lasts longer than the call that holds it may run: it must not end while its holder still writes."""

TIME_SHARE = 0.5
"""No commit is begun after this part of the time left, so that the last one begun can end."""

MEMORY_SHARE = 0.5
"""DuckDB's part of the function's memory; Python, Arrow buffers and the Delta writer take the rest."""

LOAD_PATIENCE_SECONDS = 3
"""How long a call waits for DMS to say that a load is over: its last file lands a moment before."""

LOAD_POLL_SECONDS = 10
"""When a table whose load goes on is looked at again, if no file lands before."""


class Feeding(BaseModel):
    """The function's environment variables, by their names in small letters."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    landing_url: str
    """``s3://bucket``; below it lies a folder for each source. So with the next two."""
    silver_url: str
    quarantine_url: str
    contracts_url: str
    """``s3://bucket/key`` of the tables files of every source, as one JSON object by source."""
    control_table: str
    queue_url: str
    dead_letters_url: str
    metric_namespace: str
    tasks_prefix: str
    """``<prefix>/<source>/task-arn`` is the SSM parameter with the ARN of a source's replication task."""
    commit_mb: PositiveInt
    commit_files: PositiveInt

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> Self:
        """From ``os.environ``. Raises pydantic.ValidationError naming the variables that are missing or wrong."""
        return cls.model_validate({name.lower(): value for name, value in variables.items()})


class FedTables:
    """Every table of every source. One instance serves all calls of a function environment.

    ``measured`` is the dimension of metrics that names the source.
    """

    measured = "source"

    def __init__(self, feeding: Feeding) -> None:
        self._feeding = feeding
        self._contracts = fetch_contracts(boto3.client("s3"), feeding.contracts_url)
        self._dynamodb = boto3.client("dynamodb")
        self._sqs, self._dms, self._ssm = boto3.client("sqs"), boto3.client("dms"), boto3.client("ssm")
        self._store = cache(open_store)  # a client costs as much processor time as a small commit's files

    def give_up(self, poke: Poke, records: Sequence[dict[str, Any]], error: Terminal) -> None:
        """Move messages to the dead letters at once, with the reason, where trying again cannot help."""
        reason: dict[str, Any] = {
            "error": {"DataType": "String", "StringValue": type(error).__name__},
            "reason": {"DataType": "String", "StringValue": str(error)[:1000]},
        }
        for record in records:
            self._sqs.send_message(
                QueueUrl=self._feeding.dead_letters_url, MessageBody=record["body"], MessageAttributes=reason
            )
        self.count_failure(poke)

    def count_failure(self, poke: Poke) -> None:
        """One call that did not bring the table up to date."""
        self._write(poke, {"Failures": 1})

    def _poke_again(self, poke: Poke, account: Account, named: Collection[str] | None) -> None:
        """Have the table looked at again where the call could not do all of it."""
        if not account.done:
            self._sqs.send_message(QueueUrl=self._feeding.queue_url, MessageBody=poke.message())
        elif account.waiting and account.load_file in (named or ()):
            # Only the newest file's message lives on, so that there is one for each table, however many files land.
            self._sqs.send_message(
                QueueUrl=self._feeding.queue_url,
                MessageBody=poke.message(account.load_file),
                DelaySeconds=LOAD_POLL_SECONDS,
            )

    def _loads(self, source: str) -> LoadStates:
        return TaskLoads(self._dms, self._ssm, self._feeding.tasks_prefix, source, patience=LOAD_PATIENCE_SECONDS)

    def _contract(self, poke: Poke) -> TableContract | None:
        return self._contracts.get(poke.source, {}).get(TableName(poke.schema, poke.table))

    def _lease(self, source: str, context: Any) -> DynamoLease:
        seconds = math.ceil(context.get_remaining_time_in_millis() / 1000) + LEASE_SLACK_SECONDS
        return DynamoLease(self._dynamodb, self._feeding.control_table, prefix=f"{source}/", seconds=seconds)

    def _budget(self, context: Any) -> Budget:
        return Budget(
            commit_bytes=self._feeding.commit_mb * 1024 * 1024,
            commit_files=self._feeding.commit_files,
            seconds=context.get_remaining_time_in_millis() / 1000 * TIME_SHARE,
            memory_mb=int(int(context.memory_limit_in_mb) * MEMORY_SHARE),
        )

    def _measure(self, poke: Poke, account: Account, seconds: float) -> None:
        measures = Measures.of(account, seconds, datetime.now(UTC))
        self._write(poke, measures.of_source)
        of_table = {self.measured: poke.source, "table": f"{poke.schema}.{poke.table}"}
        write_metrics(self._feeding.metric_namespace, of_table, measures.of_table)

    def _write(self, poke: Poke, values: Mapping[str, float]) -> None:
        write_metrics(self._feeding.metric_namespace, {self.measured: poke.source}, values)
