"""How fast one table is brought up to date, against DuckDB merely copying the same table.

    python benchmarks/apply_table.py [ROWS] > benchmarks/results/apply_table.md

Four commits: the first load, 5,000 scattered changes (80 % updates, 10 % inserts, 10 % deletes), the same again, and
the second change file delivered again under another name. "Copy" is DuckDB reading and writing the table's Parquet
file once in the same session settings: what any copy-on-write engine has to do at least.
"""

from __future__ import annotations

import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from catchment.apply import Budget, apply_table
from catchment.landing.contract import load_contracts
from catchment.leases import MemoryLease
from catchment.storage import open_store

CONTRACT = """
landing: {timestamp_column: dms_ts, sequence_column: dms_seq, before_image_prefix: BI_}
tables: {s.t: {key: [id]}}
"""
COLUMNS = """CAST(i AS BIGINT) AS id, CAST(i % 1000 AS INTEGER) AS customer, CAST(i * 1.5 AS DECIMAL(12,2)) AS price,
 'name ' || i AS name, 'a note of some length, number ' || (i * 7) AS note, i % 2 = 0 AS active, i / 3.0 AS weight,
 TIMESTAMPTZ '2024-01-01 00:00:00+00' + i * INTERVAL 1 SECOND AS created, CAST(i % 50 AS SMALLINT) AS quantity"""
CHANGES = 5_000
ROUNDS = 3


def load_file(con: duckdb.DuckDBPyConnection, folder: Path, rows: int) -> None:
    con.execute(
        f"COPY (SELECT 'I' AS Op, '2024-08-09 00:00:00.000000' AS dms_ts, {COLUMNS}, '' AS dms_seq, "
        f"CAST(NULL AS BIGINT) AS BI_id FROM range({rows}) t(i)) TO '{folder}/LOAD00000001.parquet' (FORMAT parquet)"
    )


def change_file(con: duckdb.DuckDBPyConnection, folder: Path, rows: int, number: int) -> Path:
    target = folder / f"20240809-19270{number}000.parquet"
    con.execute(
        f"COPY (SELECT CASE n % 10 WHEN 0 THEN 'I' WHEN 1 THEN 'D' ELSE 'U' END AS Op, "
        f"'2024-08-09 00:00:00.000000' AS dms_ts, {COLUMNS}, "
        f"'202408091927{number:04d}' || lpad(CAST(n AS VARCHAR), 19, '0') AS dms_seq, CAST(NULL AS BIGINT) AS BI_id "
        f"FROM (SELECT n, CASE n % 10 WHEN 0 THEN {rows} + {number} * {CHANGES} + n "
        f"ELSE ((n * 7919 + {number} * 31) % {rows}) // 10 * 10 + n % 10 END AS i FROM range({CHANGES}) r(n))) "
        f"TO '{target}' (FORMAT parquet)"
    )
    return target


def timed(work: Callable[[], object]) -> float:
    """Processor seconds of all threads: on a busy machine the only ones that mean something."""
    began = time.process_time()
    work()
    return time.process_time() - began


def one_round(root: Path, rows: int) -> dict[str, float]:
    landing, folder = root / "landing", root / "landing/s/t"
    folder.mkdir(parents=True)
    [contract] = load_contracts(CONTRACT).values()

    def apply() -> None:
        apply_table(
            contract=contract,
            landing=open_store(landing),
            lake=open_store(root / "lake"),
            quarantine=open_store(root / "quarantine"),
            lease=MemoryLease(),
            budget=Budget(memory_mb=1024),
            now=lambda: datetime.now(UTC),
        )

    with duckdb.connect(config={"threads": 2, "memory_limit": "1GiB"}) as con:
        load_file(con, folder, rows)
        found = {"first load": timed(apply)}
        [part] = (root / "lake/s/t").glob("*.parquet")
        copy = f"COPY (FROM '{part}') TO '{root}/copy.parquet' (FORMAT parquet, COMPRESSION snappy)"
        found["copy"] = timed(lambda: con.execute(copy))
        for number in (1, 2):
            changed = change_file(con, folder, rows, number)
            found[f"{CHANGES:,} changes, file {number}"] = timed(apply)
        shutil.copy(changed, folder / "20240809-192709000.parquet")
        found["the second file again"] = timed(apply)
    return found


def main(rows: int) -> None:
    rounds = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            rounds.append(one_round(Path(folder), rows))
    medians = {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}
    print(f"# Applying to a table of {rows:,} rows, 9 columns\n")
    print(f"`python benchmarks/apply_table.py {rows}`: processor seconds of all threads, median of {ROUNDS} rounds.")
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, ", end="")
    print(f"DuckDB {duckdb.__version__}.\n")
    print("| Step | seconds | against a copy |\n|---|---|---|")
    for name, seconds in medians.items():
        print(f"| {name} | {seconds:.2f} | {seconds / medians['copy']:.1f} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500_000)
