"""A replica in a database: load and changes, against the ways people write them, and the server's own as the limit.

``python -m benchmarks.replica [ROWS] [CHANGES]`` prints the tables kept in ``benchmarks/results/replica.md``. Each way
starts from the same data in the same run, on embedded servers of this machine; medians of three, but for what takes
long: that is measured on a part, and the rest extrapolated. Ratios are what to compare.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from benchmarks.apply.machine import describe
from benchmarks.replica.contender import Contender
from benchmarks.replica.data import Data, first_rows, make
from benchmarks.replica.in_mysql import MariaDb
from benchmarks.replica.in_postgresql import PostgreSql
from catchment.apply import Budget, apply_table
from catchment.apply.replica import open_replica_engine
from catchment.landing.contract import TableContract, load_contracts
from catchment.leases import MemoryLease
from catchment.sinks.replica import open_replica
from catchment.storage import open_store
from local.source.mariadb_programs import MariaDbMissing

TABLES = """
landing: {format: parquet, timestamp_column: dms_ts, sequence_column: dms_seq, before_image_prefix: BI_}
tables: {shop.orders: {key: [id]}}
"""
ROUNDS, PART, ROWS_A_STATEMENT = 3, 10_000, 1_000
Way = Callable[[], float]
"""Does some of the work, and says which share of it that was."""


def catchment(url: str, landing: Path, contract: TableContract) -> float:
    """One call of the applier."""
    replica = open_replica(url)
    with tempfile.TemporaryDirectory() as beside:
        apply_table(
            contract=contract,
            landing=open_store(landing),
            lake=open_store(Path(beside) / "lake"),
            quarantine=open_store(Path(beside) / "bad"),
            lease=MemoryLease(),
            budget=Budget(memory_mb=1024, threads=2),
            now=lambda: datetime.now(UTC),
            open_engine=partial(open_replica_engine, replica=replica),
        )
    replica.close()
    return 1.0


def load_in_bulk(server: Contender, data: Data) -> float:
    """The server's bulk load."""
    server.load(data.rows)
    return 1.0


def load_by(server: Contender, data: Data, rows_a_statement: int, part: int) -> float:
    """Upserts of so many rows a statement, of the first ``part`` rows."""
    server.create(key=True)
    rows = first_rows(data.rows, part)
    server.write(rows, rows_a_statement)
    return len(rows) / data.count


def change_in_bulk(server: Contender, data: Data) -> float:
    """What the server needs at least."""
    server.change(data.written, data.gone)
    return 1.0


def change_by(server: Contender, data: Data, rows_a_statement: int, part: int) -> float:
    """Upserts of so many rows a statement, then deletes likewise; of the first ``part`` net changes."""
    rows = first_rows(data.written, part)
    share = len(rows) / sum(1 for _ in data.written.open("rb"))
    server.write(rows, rows_a_statement)
    server.delete(data.gone[: round(share * len(data.gone))], rows_a_statement)
    return share


def measure(work: Way, prepare: Callable[[], object]) -> float:
    """Median seconds of the whole work."""
    found = []
    for _ in range(ROUNDS):
        prepare()
        begun = time.perf_counter()
        share = work()
        found.append((time.perf_counter() - begun) / share)
    return statistics.median(found)


def main(rows: int = 1_000_000, changes: int = 100_000) -> None:
    """Measure and print."""
    print("# A replica in a database\n")
    print("Written by `make bench`: `python -m benchmarks.replica`. The first way is the server's own, the limit. One")
    print(
        "row a statement means one a transaction, and is measured on 10,000 rows; upserts of 1,000 on 100,000 at most."
    )
    print("Catchment reads change files, and finds out what is to be written; the others are given the net changes.")
    print(f"{', '.join(f'{name} {value}' for name, value in describe().items())}.")
    contract = next(iter(load_contracts(TABLES).values()))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = make(folder, rows, changes)
        kinds: tuple[type[PostgreSql] | type[MariaDb], ...] = (PostgreSql, MariaDb)
        for kind in kinds:
            try:
                server: Contender = kind(folder / kind.name)
            except MariaDbMissing as missing:
                print(f"\n{missing}")
                continue
            try:
                _loads(server, data, contract)
                _changes(server, data, contract)
            finally:
                server.stop()


def _loads(server: Contender, data: Data, contract: TableContract) -> None:
    ways: dict[str, Way] = {
        server.bulk_load: lambda: load_in_bulk(server, data),
        "**Catchment**": lambda: catchment(server.url(), data.loaded, contract),
        f"{server.upsert}, {ROWS_A_STATEMENT:,} rows": lambda: load_by(server, data, ROWS_A_STATEMENT, 10 * PART),
        f"{server.upsert}, row by row": lambda: load_by(server, data, 1, PART),
    }
    found = {name: measure(way, server.empty) for name, way in ways.items()}
    _print(f"{server.name}: full load of {data.count:,} rows", found, data.count, "rows/s")


def _changes(server: Contender, data: Data, contract: TableContract) -> None:
    def loaded() -> None:
        server.empty()
        server.load(data.rows)

    def replicated() -> None:
        server.empty()
        catchment(server.url(), data.loaded, contract)

    ways: dict[str, Way] = {
        server.bulk_change: lambda: change_in_bulk(server, data),
        f"{server.upsert}, {ROWS_A_STATEMENT:,} rows": lambda: change_by(server, data, ROWS_A_STATEMENT, 10 * PART),
        f"{server.upsert}, row by row": lambda: change_by(server, data, 1, PART),
    }
    found = {name: measure(way, loaded) for name, way in ways.items()}
    found["**Catchment**"] = measure(lambda: catchment(server.url(), data.landing, contract), replicated)
    title = f"{server.name}: {data.events:,} changes, scattered over {data.count:,} rows"
    _print(title, found, data.events, "changes/s")


def _print(title: str, found: dict[str, float], count: int, unit: str) -> None:
    limit = next(iter(found.values()))
    print(f"\n| {title} | s | {unit} | x the first |\n|---|---:|---:|---:|")
    for name, seconds in sorted(found.items(), key=lambda each: each[1]):
        print(f"| {name} | {seconds:,.2f} | {count / seconds:,.0f} | {seconds / limit:.1f} |")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
