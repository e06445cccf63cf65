"""Engines without a server: their written histories are played, applied and compared, beside what is deployed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from catchment.apply import Account as Applied
from catchment.apply import Budget, apply_table
from catchment.apply.loads import LoadState
from catchment.landing.contract import TableContract, load_contracts
from catchment.landing.duck import open_duckdb
from catchment.landing.names import TableName
from catchment.leases import MemoryLease
from catchment.reconcile.compare import Comparison, compare, identifier
from catchment.reconcile.lake import lake_table
from catchment.storage import open_store
from local.dms.scripted import ScriptedTask, load_script
from local.dms.scripted.script import HISTORIES
from local.report import Account, TableReport
from local.verdict import difference_of

MEMORY_MB = 256


class History:
    """The history that comes along for ``engine``; landing files, lake and quarantine are folders of ``folder``."""

    def __init__(self, engine: str, folder: Path) -> None:
        self._engine, self._folder = engine, folder
        self._task = ScriptedTask(load_script(HISTORIES[engine]), folder / "landing")
        self._contracts = load_contracts(self._task.contract)
        self._loads: dict[str, LoadState] = {}
        self._applied: dict[str, list[Applied]] = {}
        self.files = 0

    def state(self, table: TableName) -> LoadState | None:
        """Of a table's newest load, as a replication task would tell."""
        return self._loads.get(str(table))

    def play(self) -> None:
        """Play it, and apply each step's files as they come. Raises what applying raises."""
        for step in self._task.run():
            self.files += len(step.files)
            for table in step.loaded:
                self._loads[table] = LoadState(True, step.at, len(self._task.tables[table].rows))
            for contract in self._contracts.values():
                self._applied.setdefault(str(contract.name), []).append(self._apply(contract))

    def tables(self) -> list[TableReport]:
        """What source and lake hold in the end, and what became of every row."""
        with closing(open_duckdb(self._folder, MEMORY_MB, 2)) as con:
            con.execute("SET TimeZone = 'UTC'")
            return [self._report(con, name) for name in self._contracts]

    def _apply(self, contract: TableContract) -> Applied:
        return apply_table(
            contract=contract,
            landing=open_store(self._folder / "landing"),
            lake=open_store(self._folder / "lake"),
            quarantine=open_store(self._folder / "quarantine"),
            lease=MemoryLease(),
            budget=Budget(),
            now=lambda: datetime.now(UTC),
            named=None,
            loads=self,
        )

    def _compare(self, con: duckdb.DuckDBPyConnection, name: TableName) -> Comparison:
        con.register("delivered", self._task.source(str(name)))
        con.execute("CREATE OR REPLACE TEMP TABLE held AS SELECT * FROM delivered")
        wanted = [(str(row[0]), str(row[1])) for row in con.execute("DESCRIBE held").fetchall()]
        lake_table(self._folder / "lake" / name.schema / name.table).read(con, wanted, "lake")
        return compare(con, "held", "lake", key=self._task.tables[str(name)].shape.key, limit=200)

    def _report(self, con: duckdb.DuckDBPyConnection, name: TableName) -> TableReport:
        found, applied = self._compare(con, name), self._applied[str(name)]
        counts = sum((each.counts for each in applied[1:]), applied[0].counts)
        told = self._told(con, name)
        return TableReport(
            source=self._engine,
            table=str(name),
            rows_source=found.rows_source,
            rows_lake=found.rows_lake,
            inserts=told["I"],
            updates=told["U"],
            deletes=told["D"],
            key_changes=told["K"],
            account=Account(counts.read, counts.applied, counts.superseded, counts.stale, counts.quarantined),
            files=sum(each.files for each in applied),
            commits=sum(each.commits for each in applied),
            lag=None,
            missing=found.missing,
            extra=found.extra,
            different=found.different,
            differences=tuple(map(difference_of, found.differences)),
        )

    def _told(self, con: duckdb.DuckDBPyConnection, name: TableName) -> Mapping[str, int]:
        """How many changes of each kind its change files tell, each counted once; K: updates that change the key."""
        files = [str(path) for path in (self._folder / "landing" / name.schema / name.table).rglob("2*.parquet")]
        if not files:
            return Counter()
        key = self._contracts[name].key
        moved = " OR ".join(f"{identifier('BI_' + column)} IS NOT NULL" for column in key) or "false"
        rows = con.execute(
            f"""SELECT CASE WHEN "Op" = 'U' AND ({moved}) THEN 'K' ELSE "Op" END, count(DISTINCT dms_seq)
            FROM read_parquet(?, union_by_name = true) GROUP BY 1""",
            [files],
        ).fetchall()
        return Counter({str(kind): int(number) for kind, number in rows})
