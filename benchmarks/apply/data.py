"""Tables and change files as DMS would land them, made once and kept under build/bench.

An order table of eleven columns. A full load comes in files of a million rows in no order. Of the changes a fifth are
inserts and a tenth deletes; four keys of five change once, the others twice or three times. Clustered changes fall into
the newest twentieth of the table (more where that has too few rows), scattered ones anywhere.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benchmarks.apply.shapes import TABLE, Shape

ROWS_A_LOAD_FILE = 1_000_000
CHANGES_A_FILE = 250_000
_STEP = 982_451_653  # a prime: i * _STEP % rows visits every row once, in no order
_STATUS = ("NEW", "PAID", "PACKED", "SHIPPED", "DELIVERED", "RETURNED", "CANCELLED")


def session(memory_mb: int = 8192) -> duckdb.DuckDBPyConnection:
    """DuckDB for making and checking data, in UTC."""
    con = duckdb.connect(config={"memory_limit": f"{memory_mb}MiB", "threads": 2})
    con.execute("SET TimeZone = 'UTC'")
    return con


def land_load(rows: int, landing: Path) -> None:
    """Write the full load's files below ``landing``."""
    folder = landing / TABLE
    folder.mkdir(parents=True)
    with session() as con:
        for number, first in enumerate(range(0, rows, ROWS_A_LOAD_FILE), 1):
            last = min(first + ROWS_A_LOAD_FILE, rows)
            key = f"(1 + (i * {_STEP}) % {rows})"
            con.execute(
                f"COPY (SELECT 'I' AS Op, '2024-08-09 00:00:00.000000' AS dms_ts, {columns(key, '0')}, "
                f"'' AS dms_seq, CAST(NULL AS BIGINT) AS BI_id FROM range({first}, {last}) r(i)) "
                f"TO '{folder}/LOAD{number:08X}.parquet' (FORMAT parquet)"
            )


def land_changes(shape: Shape) -> None:
    """Write the change files of ``shape`` into its folder, unless they are there."""
    if shape.folder.exists() or not shape.changes:
        return
    ids, ops = _events(shape)
    staged = shape.folder.with_name(f"{shape.folder.name}.making")
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    with session() as con:
        con.register("events", pa.table({"n": np.arange(1, len(ids) + 1), "id": ids, "op": ops}))
        for number, first in enumerate(range(0, len(ids), CHANGES_A_FILE)):
            con.execute(
                f"COPY (SELECT op AS Op, '2024-08-09 19:26:00.000000' AS dms_ts, {columns('id', 'n')}, "
                f"'2024080919260000' || lpad(CAST(n AS VARCHAR), 19, '0') AS dms_seq, "
                f"CASE WHEN op = 'U' THEN id END AS BI_id "
                f"FROM events WHERE n > {first} AND n <= {first + CHANGES_A_FILE} ORDER BY n) "
                f"TO '{staged}/20240809-1927{number:02d}000.parquet' (FORMAT parquet)"
            )
    staged.rename(shape.folder)


def columns(key: str, version: str) -> str:
    """The select list of a row: every value follows from its key and its version."""

    def below(limit: int, salt: int) -> str:
        return f"CAST(hash({key}, {version}, {salt}) % {limit} AS BIGINT)"

    status = ", ".join(f"'{each}'" for each in _STATUS)
    created = f"TIMESTAMPTZ '2023-11-14 22:13:20+00' + to_seconds({key})"
    return f"""CAST({key} AS BIGINT) AS id, CAST(1 + {below(2_000_000, 1)} AS INTEGER) AS customer_id,
 CAST(1 + {below(50_000, 2)} AS INTEGER) AS product_id, CAST(1 + {below(99, 3)} AS INTEGER) AS qty,
 CAST({below(100_000_000, 4)} * 0.01 AS DECIMAL(12,2)) AS price,
 CAST({below(5_000, 5)} * 0.0001 AS DECIMAL(10,4)) AS discount,
 {created} AS created_at, {created} + to_microseconds({below(10**12, 6)}) AS updated_at,
 [{status}][1 + {below(7, 7)}] AS status,
 ['eu-west', 'us-east', 'ap-south'][1 + {below(3, 8)}] || '-' || {below(20, 9)} AS region,
 lpad(to_hex(hash({key}, {version}, 10)), 16, '0') AS note"""


def _events(shape: Shape) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.str_]]:
    """The keys and operations of about ``shape.changes`` events, in the order of their commits."""
    random = np.random.default_rng([shape.rows, shape.changes, shape.keys == "scattered"])
    inserts = shape.changes // 5
    wanted = min(max(int(shape.changes / 1.25) - inserts, 1), shape.rows)
    window = shape.rows
    if shape.keys == "clustered":
        window = min(shape.rows, max(shape.rows // 20, wanted * 5 // 4))
    existing = random.choice(window, wanted, replace=False) + shape.rows - window + 1
    keys = np.concatenate([existing, shape.rows + 1 + np.arange(inserts)])
    times = 1 + (random.random(len(keys)) >= 0.8) + (random.random(len(keys)) >= 0.95)
    owner = np.repeat(np.arange(len(keys)), times)
    first = np.concatenate([[0], np.cumsum(times)[:-1]])
    last = np.cumsum(times) - 1
    ops = np.full(len(owner), "U")
    ops[first[wanted:]] = "I"
    deletable = np.concatenate([last[:wanted], last[wanted:][times[wanted:] > 1]])
    ops[random.choice(deletable, min(shape.changes // 10, len(deletable)), replace=False)] = "D"
    moment = random.random(len(owner))
    moment = moment[np.lexsort((moment, owner))]  # one key's events keep their order
    order = np.argsort(moment, kind="stable")
    return keys[owner][order], ops[order]
