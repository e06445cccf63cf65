"""The replica of a run: a deployed database beside the lake, how far it has come, and what it holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import duckdb

from catchment.changes.session import DuckSession
from catchment.landing.duck import open_duckdb
from catchment.reconcile.replica import replica_table
from catchment.reconcile.tables import reconcile_table
from catchment.reconcile.verdict import TableVerdict
from catchment.settings import ReplicaSettings
from catchment.sinks.replica import open_replica, replica_url
from local.aws import LocalAws
from local.replicated import ReplicatedSource

MEMORY_MB = 512
NO_CERTIFICATES = Path("none.pem")
"""The server is on the loopback interface."""


class RunReplica:
    """The database that the Replica stack made for ``source``; ``folder`` is for scratch."""

    def __init__(
        self,
        aws: LocalAws,
        outputs: Mapping[str, str],
        said: ReplicaSettings,
        source: ReplicatedSource,
        folder: Path,
    ) -> None:
        self.engine, self.source, self._folder = said.engine, source, folder
        names = set(said.names(tuple(map(str, source.contracts))))
        self._tables = {name: contract for name, contract in source.contracts.items() if str(name) in names}
        secret = aws.client("secretsmanager").get_secret_value(SecretId=outputs["ReplicaSecretArn"])
        self._url = replica_url(said.engine, json.loads(secret["SecretString"]), said.database, NO_CERTIFICATES)

    def pending(self) -> int:
        """Landing files that the replica does not contain yet."""
        waiting, landed = 0, self.source.watch.landed()
        with closing(open_replica(self._url)) as database, closing(self._duckdb()) as con:
            session = DuckSession(lambda: con)
            for name in self._tables:
                known = database.target(session, name, self._folder).look(None)
                contained = set(known.ledger.files) if known is not None else set()
                waiting += len(landed[str(name)] - contained)
        return waiting

    def compare(self, limit: int = 200) -> list[TableVerdict]:
        """Compare every table of the source, at one moment, with its table in the replica."""
        with (
            closing(open_replica(self._url)) as database,
            closing(self._duckdb()) as con,
            self.source.source.one_moment() as side,
        ):
            return [
                reconcile_table(
                    con,
                    side,
                    replica_table(database, name, self._folder),
                    schema=name.schema,
                    table=name.table,
                    key=contract.key,
                    scratch=self._folder,
                    limit=limit,
                )
                for name, contract in self._tables.items()
            ]

    def _duckdb(self) -> duckdb.DuckDBPyConnection:
        return open_duckdb(self._folder, MEMORY_MB, 2)
