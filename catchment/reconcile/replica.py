"""The replica's side of a comparison: the rows of a table in a database, brought into DuckDB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from catchment.changes.relations import comma, quote
from catchment.changes.session import DuckSession, nothing
from catchment.landing.names import TableName
from catchment.landing.types import DeltaType
from catchment.reconcile.lake import alike
from catchment.sinks.replica import Replica

_THERE = "~there"


@dataclass(frozen=True)
class ReplicaTable:
    """A table of a replica and its columns in order, without the sink's own; ``scratch`` is a folder for its rows."""

    replica: Replica
    name: TableName
    columns: Mapping[str, DeltaType]
    scratch: Path

    def read(self, con: duckdb.DuckDBPyConnection, wanted: Sequence[tuple[str, str]], relation: str) -> None:
        """Make the temporary view ``relation`` with the ``wanted`` columns (name, DuckDB type); NULL for one it lacks.

        All rows come over. Raises StorageUnavailable, ReplicaRefused.
        """
        session = DuckSession(con)
        target = self.replica.target(session, self.name, self.scratch)
        kinds = {_THERE: DeltaType("boolean")}
        kinds |= {name: self.columns[name] for name, _ in wanted if name in self.columns}
        arrived = quote(f"{relation} arrived")
        session.create(arrived, nothing({name: kind.duckdb for name, kind in kinds.items()}))
        if self.columns:
            shown = comma("1" if name == _THERE else target.shown(quote(name), kind) for name, kind in kinds.items())
            target.fetch(f"SELECT {shown} FROM {target.name}", kinds, arrived)
        values = comma(f"{alike(name, self.columns.get(name), kind)} AS {quote(name)}" for name, kind in wanted)
        session.define(quote(relation), f"SELECT {values} FROM {arrived}")


def replica_table(replica: Replica, name: TableName, scratch: Path) -> ReplicaTable:
    """The table of that name in a replica; one without columns where there is none. Raises StorageUnavailable.

    Example: ``replica_table(open_replica(url), TableName("sales", "clients"), scratch)``
    """
    known = replica.target(DuckSession(duckdb.connect), name, scratch).look(None)
    return ReplicaTable(replica, name, dict(known.columns) if known is not None else {}, scratch)
