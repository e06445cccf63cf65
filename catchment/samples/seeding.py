"""Writes a sample system into a database, so far as it is not there.

Beside its tables lies one that says how many rows of each have been written, in the same transactions as the rows. So
a call that was cut short is gone on with, a call more writes nothing, and a bigger size adds what is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from typing import Any

from catchment.engines.base import Query, Samples
from catchment.engines.statements import query_of
from catchment.errors import SampleRefused
from catchment.samples.tables import Rows, SampleSystem, SampleTable

LEDGER = "catchment_samples"
"""The table that says what has been written."""

_THERE = "SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = %s"


@dataclass(frozen=True)
class Seeded:
    """What has come of a call: the rows that have been written to each table by it and by those before."""

    rows: Mapping[str, int]
    done: bool


class Seeding:
    """A sample system in a database.

    ``connection`` is one that the engine's ``connect`` has opened, ``samples`` the engine's.

    Example: ``Seeding(connection, engine("mysql").samples, commerce, seed=7).write(rows=10_000)``
    """

    def __init__(self, connection: Any, samples: Samples, system: SampleSystem, *, seed: int) -> None:
        self._connection, self._samples, self._system, self._seed = connection, samples, system, seed
        self._query: Query = query_of(connection)
        self._ledger = samples.quoted(system.schema, LEDGER)

    def write(self, *, rows: int, enough: Callable[[], bool] = lambda: False) -> Seeded:
        """Make the tables and write about ``rows`` rows in all, until ``enough`` says to leave it at that.

        Raises SampleRefused where the schema holds tables that are not the system's, or rows of another seed.
        """
        self._samples.open_schema(self._query, self._system.schema)
        there = {str(name) for (name,) in self._query(_THERE, [self._system.schema])}
        written = self._begun(there)
        for statement in self._system.setup:
            self._query(statement)
        for table in self._system.tables:
            if table.name not in written:
                self._refuse(table.name in there, f"{table.name} is somebody else's")
                self._query(f"INSERT INTO {self._ledger} VALUES (%s, %s, 0)", [table.name, self._seed])
                written[table.name] = 0
            if table.name not in there and not written[table.name]:
                self._make(table)
        counts = self._system.row_counts(rows)
        for table in self._system.tables:
            for numbers, values in table.batches(self._seed, written[table.name] + 1, counts[table.name]):
                if enough():
                    return Seeded(written, done=False)
                self._write_batch(table, values, numbers[-1])
                written[table.name] = numbers[-1]
        return Seeded(written, done=True)

    def _begun(self, there: Set[str]) -> dict[str, int]:
        """How many rows each table has been given."""
        if LEDGER not in there:
            self._refuse(bool(there), f"it holds tables: {', '.join(sorted(there))}")
            self._make_ledger()
            return {}
        found = self._query(f"SELECT table_name, seed, written FROM {self._ledger}")
        seeds = {int(seed) for _, seed, _ in found}
        self._refuse(not seeds <= {self._seed}, f"its rows are of the seed {', '.join(map(str, seeds))}")
        return {str(name): int(rows) for name, _, rows in found}

    def _refuse(self, wrong: bool, why: str) -> None:
        if wrong:
            raise SampleRefused(f"schema {self._system.schema}", why)

    def _make_ledger(self) -> None:
        of = self._samples.declared
        self._query(
            f"CREATE TABLE {self._ledger} (table_name {of('varchar(60)')} NOT NULL PRIMARY KEY,"
            f" seed {of('bigint')} NOT NULL, written {of('bigint')} NOT NULL)"
        )

    def _make(self, table: SampleTable) -> None:
        columns = [
            f"{self._samples.quoted(column.name)} {column.type if column.own else self._samples.declared(column.type)}"
            f" {'NULL' if column.nullable else 'NOT NULL'}"
            for column in table.columns
        ]
        key = ", ".join(map(self._samples.quoted, table.key))
        name = self._samples.quoted(self._system.schema, table.name)
        self._query(f"CREATE TABLE {name} ({', '.join(columns)}, PRIMARY KEY ({key}))")

    def _write_batch(self, table: SampleTable, values: Rows, last: int) -> None:
        self._query(self._samples.begin)
        try:
            self._samples.insert(self._connection, (self._system.schema, table.name), table.columns, values)
            self._query(f"UPDATE {self._ledger} SET written = %s WHERE table_name = %s", [last, table.name])
        except BaseException:
            self._query("ROLLBACK")
            raise
        self._query("COMMIT")
