"""A deployed environment as the reload needs it, found through the outputs of its stacks."""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any

import boto3

from catchment.deployed import stack_outputs
from catchment.errors import SettingsError
from catchment.landing.contract import TableContract, load_contracts
from catchment.landing.names import TableName
from catchment.reload.dms import DmsTask
from catchment.storage import ObjectStore, open_store

_STACKS = ("lake", "apply", "replication")


class Deployment:
    """One source of one environment, in the account and region of the caller's credentials.

    ``source`` may be None where the environment has one only; stacks are named ``<stack_prefix>-<environment>-…``.
    Raises SettingsError for names that are not deployed.
    """

    def __init__(self, environment: str, source: str | None, stack_prefix: str) -> None:
        self._environment, self._prefix = environment, f"{stack_prefix}-{environment}"
        self._outputs = self._read_outputs()
        sources = self._published
        chosen = source if source is not None or len(sources) > 1 else next(iter(sources))
        if chosen not in sources:
            raise SettingsError("command line", "--source", source, f"allowed are {', '.join(sources)}")
        self.source: str = str(chosen)

    @property
    def lake(self) -> ObjectStore:
        """The source's tables."""
        return open_store(f"s3://{self._outputs['SilverBucket']}/{self.source}")

    @cached_property
    def task(self) -> DmsTask:
        """The source's replication task."""
        return DmsTask(boto3.client("dms"), self._outputs[f"{self.source}TaskArn"])

    def tables(self) -> dict[TableName, TableContract]:
        """The source's tables, as its contracts list them."""
        return load_contracts(json.dumps(self._published[self.source]), source_name=self._outputs["ContractsUrl"])

    def poke(self, table: TableName) -> None:
        """Have the apply function look at a table."""
        body = json.dumps({"source": self.source, "schema": table.schema, "table": table.table}, ensure_ascii=False)
        boto3.client("sqs").send_message(QueueUrl=self._outputs["QueueUrl"], MessageBody=body)

    @cached_property
    def _published(self) -> dict[str, Any]:
        bucket, _, key = self._outputs["ContractsUrl"].removeprefix("s3://").partition("/")
        body = boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        return dict(json.loads(body))

    def _read_outputs(self) -> dict[str, str]:
        return stack_outputs(self._environment, [f"{self._prefix}-{name}" for name in _STACKS])
