"""How fast landing files are read, against DuckDB reading the same file without looking.

One core, files of one million changes with ten source columns: ``python benchmarks/landing_read.py [ROWS]`` prints the
table kept in ``benchmarks/results/landing_read.md``. Seconds are processor time: other work on the machine does not
show.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

from catchment.landing.contract import TableContract, load_contracts
from catchment.landing.duck import open_duckdb
from catchment.landing.names import parse
from catchment.landing.reader import LandingReader
from catchment.storage import StoredObject

TABLES = """
landing: {format: csv, timestamp_column: dms_ts, sequence_column: dms_seq, before_image_prefix: BI_}
tables:
  shop.orders:
    key: [id]
    columns: {id: int, name: string, total: "decimal(12,2)", qty: int, price: double, day: date, moment: timestamp,
              ok: boolean, big: long, note: string}
"""
CHANGES = """
SELECT 'U' AS "Op", '2026-03-01 09:05:10.250431' AS dms_ts, CAST(i AS INTEGER) AS id, 'customer ' || i AS name,
  CAST(i % 10000 / 100 AS DECIMAL(12,2)) AS total, CAST(i % 77 AS INTEGER) AS qty, i * 1.5e0 AS price,
  DATE '2020-01-01' + CAST(i % 3000 AS INTEGER) AS day, TIMESTAMP '2020-01-01' + to_seconds(i) AS moment,
  i % 2 = 0 AS ok, i * 1000003 AS big, 'note "' || i % 50 || '"' AS note,
  '2026030109051025' || lpad(CAST(i AS VARCHAR), 19, '0') AS dms_seq, CAST(NULL AS INTEGER) AS "BI_id"
FROM range({rows}) AS r(i)
"""
FIELDS = 14
NAME = "shop/orders/20260301-090610254"


def seconds(work: Callable[[], object]) -> float:
    """Processor time of the best of three."""
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def ours(con: duckdb.DuckDBPyConnection, contract: TableContract, path: Path) -> int:
    """Inspect and read a file; how many rows were rejected."""
    file = parse(StoredObject(f"{NAME}{path.suffix}", path.stat().st_size, 0))
    assert file is not None
    reader = LandingReader(con, contract)
    shape = reader.inspect(file, path)
    read = reader.read(file, path, shape, shape.columns)
    con.execute(f"DROP TABLE {read.relation}")
    return len(read.rejects)


def plain(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Read a file into a table, all texts where it is CSV, and look at nothing."""
    columns = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(FIELDS))
    options = f"columns = {{{columns}}}, auto_detect = false, header = false, quote = '\"', parallel = false"
    scan = f"read_parquet('{path}')" if path.suffix == ".parquet" else f"read_csv('{path}', {options})"
    con.execute(f"CREATE OR REPLACE TEMP TABLE plain AS SELECT * FROM {scan}")
    con.execute("DROP TABLE plain")


def spoil(path: Path) -> Path:
    """The same file with one record too short in its middle."""
    data = path.read_bytes()
    middle = data.find(b"\n", len(data) // 2) + 1
    spoilt = path.with_name("spoilt.csv")
    spoilt.write_bytes(data[:middle] + b"cut\n" + data[middle:])
    return spoilt


def main(rows: int) -> None:
    """Write the files, read them, print the table."""
    (contract,) = load_contracts(TABLES).values()
    with tempfile.TemporaryDirectory() as name:
        con = open_duckdb(Path(name) / "scratch", 4096, 1)
        parquet, csv = Path(name) / "changes.parquet", Path(name) / "changes.csv"
        con.execute(f"COPY ({CHANGES.format(rows=rows)}) TO '{parquet}'")
        form = "header false, timestampformat '%Y-%m-%d %H:%M:%S.%f'"
        con.execute(f"COPY ({CHANGES.format(rows=rows)}) TO '{csv}' ({form})")
        print("| File | Rows/s | Seconds | DuckDB alone | Ratio |\n|---|---|---|---|---|")
        for label, path in [("Parquet", parquet), ("CSV", csv), ("CSV, one record cut", spoil(csv))]:
            taken = seconds(lambda path=path: ours(con, contract, path))  # type: ignore[misc]
            alone = seconds(lambda path=csv if label != "Parquet" else parquet: plain(con, path))  # type: ignore[misc]
            print(f"| {label} | {rows / taken:,.0f} | {taken:.2f} | {alone:.2f} | {taken / alone:.1f} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
