"""The replicate function's hold on the world: the landing zone, the database and its secret, lease, queues, metrics."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import boto3

from catchment.apply import apply_table
from catchment.apply.replica import open_replica_engine
from catchment.sinks.replica import Replica, open_replica, replica_url
from lambda_src.feeding import FedTables
from lambda_src.pokes import Poke
from lambda_src.replicate.environment import Environment

LOG = logging.getLogger(__name__)
ROOT = Path(__file__).parents[2]

BESIDE = "_replica"
"""The folder of the quarantine for rows that the lake holds and the replica does not; no source is called so."""


class ReplicatedTables(FedTables):
    """The tables of the replica."""

    measured = "replica"

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self._environment = environment
        self._secrets = boto3.client("secretsmanager")

    def apply(self, poke: Poke, named: Collection[str] | None, context: Any) -> None:
        """Bring one table up to date, or as far as the time left allows; the rest is poked again.

        ``named`` are the landing files of events; None has the whole folder listed. A table that the replica does not
        have is left alone. Raises what apply_table raises.
        """
        contract = self._contract(poke)
        if contract is None:
            return
        environment, began = self._environment, time.monotonic()
        with self._replica() as replica:
            account = apply_table(
                contract=contract,
                landing=self._store(f"{environment.landing_url}/{poke.source}"),
                # the lake has the requests to reload; the replica's tables take new loads as the lake's do
                lake=self._store(f"{environment.silver_url}/{poke.source}"),
                quarantine=self._store(f"{environment.quarantine_url}/{BESIDE}/{poke.source}"),
                lease=self._lease(poke.source, context),
                budget=self._budget(context),
                now=lambda: datetime.now(UTC),
                named=named,
                loads=self._loads(poke.source),
                open_engine=partial(open_replica_engine, replica=replica),
            )
        LOG.info("%s", json.dumps({"replica": poke.source, **account.to_json()}, ensure_ascii=False))
        self._measure(poke, account, time.monotonic() - began)
        self._poke_again(poke, account, named)

    def maintain(self, poke: Poke, context: Any) -> None:
        """Nothing: a database looks after its tables itself."""

    @contextmanager
    def _replica(self) -> Iterator[Replica]:
        """The database, with the password that the secret has now."""
        environment = self._environment
        secret = self._secrets.get_secret_value(SecretId=environment.replica_secret)["SecretString"]
        certificates = ROOT / environment.replica_certificates
        replica = open_replica(
            replica_url(environment.replica_scheme, json.loads(secret), environment.replica_database, certificates)
        )
        try:
            yield replica
        finally:
            replica.close()
