"""A replica in PostgreSQL: load and changes, against the ways people write them, and the server's own as the limit.

``python -m benchmarks.replica [ROWS] [CHANGES]`` prints the tables kept in ``benchmarks/results/replica.md``. Each way
starts from the same data in the same run, on an embedded server of this machine; medians of three, but for what takes
long: that is measured on a part, and the rest extrapolated. Ratios are what to compare.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.apply.data import land_changes, land_load, session
from benchmarks.apply.machine import describe
from benchmarks.apply.shapes import COLUMNS, TABLE, Shape
from catchment.apply import Budget, apply_table
from catchment.apply.replica import open_replica_engine
from catchment.landing.contract import TableContract, load_contracts
from catchment.leases import MemoryLease
from catchment.sinks.postgresql import Connection
from catchment.storage import open_store
from local.source.postgres import EmbeddedPostgres

TABLES = """
landing: {format: parquet, timestamp_column: dms_ts, sequence_column: dms_seq, before_image_prefix: BI_}
tables: {shop.orders: {key: [id]}}
"""
DEFINITION = (
    "CREATE TABLE orders (id bigint, customer_id integer, product_id integer, qty integer, price numeric(12,2), "
    "discount numeric(10,4), created_at timestamptz, updated_at timestamptz, status text, region text, note text"
)
NAMED = ", ".join(COLUMNS)
ASSIGNED = ", ".join(f"{name} = EXCLUDED.{name}" for name in COLUMNS if name != "id")
UPSERT = f"INSERT INTO orders ({NAMED}) VALUES {{}} ON CONFLICT (id) DO UPDATE SET {ASSIGNED}"
ROUNDS, PART, ROWS_A_STATEMENT = 3, 10_000, 1_000


@dataclass(frozen=True)
class Data:
    """Landing files of a load and of changes, and the same as rows: the load's, and of changes the last of each key."""

    loaded: Path
    """A landing zone with the load."""
    landing: Path
    """The same with the changes."""
    rows: Path
    """CSV of the load."""
    written: Path
    """CSV of the rows to write."""
    gone: list[int]
    count: int
    events: int


def make(folder: Path, rows: int, changes: int) -> Data:
    """Files of a table of ``rows`` rows and ``changes`` scattered changes."""
    shape = Shape(rows, changes, "scattered")
    loaded, landing = folder / "loaded", folder / "landing"
    land_load(rows, loaded)
    land_changes(shape)
    (landing / TABLE).mkdir(parents=True)
    for file in (*(loaded / TABLE).iterdir(), *shape.folder.iterdir()):
        shutil.copy2(file, landing / TABLE / file.name)
    with session() as con:
        loads = f"read_parquet('{loaded}/{TABLE}/LOAD*.parquet')"
        con.execute(f"COPY (SELECT {NAMED} FROM {loads}) TO '{folder}/rows.csv' (FORMAT csv, HEADER false)")
        con.execute(
            f"CREATE TABLE net AS SELECT * FROM read_parquet('{shape.folder}/*.parquet') "
            "QUALIFY row_number() OVER (PARTITION BY id ORDER BY dms_seq DESC) = 1"
        )
        written = f"SELECT {NAMED} FROM net WHERE Op <> 'D'"
        con.execute(f"COPY ({written}) TO '{folder}/written.csv' (FORMAT csv, HEADER false)")
        gone = [number for (number,) in con.execute("SELECT id FROM net WHERE Op = 'D'").fetchall()]
    return Data(loaded, landing, folder / "rows.csv", folder / "written.csv", gone, rows, changes)


class Server:
    """The server, with a database made anew for each measurement."""

    def __init__(self, postgres: EmbeddedPostgres) -> None:
        self._postgres = postgres

    @contextmanager
    def database(self) -> Iterator[str]:
        """The connection string of an empty database."""
        with psycopg.connect(self._postgres.dsn("first"), autocommit=True) as con:
            con.execute("DROP DATABASE IF EXISTS measured")
            con.execute("CREATE DATABASE measured")
        yield self._postgres.dsn("measured")


def catchment(dsn: str, landing: Path, contract: TableContract) -> None:
    """One call of the applier."""
    replica = Connection(dsn)
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


def copied(dsn: str, file: Path, target: str = "orders") -> None:
    """COPY of a CSV file."""
    statement = f"COPY {target} ({NAMED}) FROM STDIN (FORMAT csv)"
    with psycopg.connect(dsn) as con, file.open("rb") as source, con.cursor().copy(statement) as copy:
        while block := source.read(1 << 20):
            copy.write(block)


def load_by_copy(dsn: str, data: Data) -> float:
    """The server's bulk load, and then the primary key."""
    _run(dsn, f"{DEFINITION})")
    copied(dsn, data.rows)
    _run(dsn, "ALTER TABLE orders ADD PRIMARY KEY (id)")
    return 1.0


def load_by(dsn: str, data: Data, rows_a_statement: int, part: int) -> float:
    """Upserts of so many rows a statement; of the first ``part`` rows. Returns the share that this is of all."""
    _run(dsn, f"{DEFINITION}, PRIMARY KEY (id))")
    with session() as con, psycopg.connect(dsn) as target:
        rows = con.execute(
            f"SELECT * FROM read_csv('{data.rows}', header = false, all_varchar = true) LIMIT {part}"
        ).fetchall()
        _upsert(target, rows, rows_a_statement)
    return len(rows) / data.count


def change_by_bulk(dsn: str, data: Data) -> float:
    """What the server needs at least: net changes by COPY, one DELETE and one upsert."""
    with psycopg.connect(dsn, autocommit=True) as con:
        con.execute(f"{DEFINITION.replace('orders', 'net', 1)})")
    copied(dsn, data.written, "net")
    with psycopg.connect(dsn) as con:
        con.execute("ANALYZE net")
        con.execute("DELETE FROM orders WHERE id = ANY(%s)", [data.gone])
        con.execute(f"INSERT INTO orders ({NAMED}) SELECT {NAMED} FROM net ON CONFLICT (id) DO UPDATE SET {ASSIGNED}")
    return 1.0


def change_by(dsn: str, data: Data, rows_a_statement: int, part: int) -> float:
    """Upserts of so many rows a statement, then deletes likewise; of the first ``part`` net changes."""
    with session() as con, psycopg.connect(dsn) as target:
        rows = con.execute(
            f"SELECT * FROM read_csv('{data.written}', header = false, all_varchar = true) LIMIT {part}"
        ).fetchall()
        share = len(rows) / (_lines(data.written))
        _upsert(target, rows, rows_a_statement)
        for keys in _parts(data.gone[: round(share * len(data.gone))], rows_a_statement):
            target.execute("DELETE FROM orders WHERE id = ANY(%s)", [keys])
    return share


def measure(work: Callable[[], float], prepare: Callable[[], object] = lambda: None) -> float:
    """Median seconds of the whole work, whose share each call returns."""
    found = []
    for _ in range(ROUNDS):
        prepare()
        begun = time.perf_counter()
        share = work()
        found.append((time.perf_counter() - begun) / share)
    return statistics.median(found)


def main(rows: int = 1_000_000, changes: int = 100_000) -> None:
    """Measure and print."""
    print("# A replica in PostgreSQL\n")
    print("Written by `make bench`: `python -m benchmarks.replica`. The first way is the server's own, the limit. One")
    print(
        "row a statement means one a transaction, and is measured on 10,000 rows; upserts of 1,000 on 100,000 at most."
    )
    print(f"{', '.join(f'{name} {value}' for name, value in describe().items())}.")
    contract = next(iter(load_contracts(TABLES).values()))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = make(folder, rows, changes)
        owner = {"user": "bench", "password": "bench"}
        with EmbeddedPostgres.start(folder / "server", parameters={}, database="first", **owner) as postgres:
            _loads(Server(postgres), data, contract)
            _changes(Server(postgres), data, contract)


def _loads(server: Server, data: Data, contract: TableContract) -> None:
    ways: dict[str, Callable[[str], float]] = {
        "COPY, then the primary key": lambda dsn: load_by_copy(dsn, data),
        "Catchment": lambda dsn: _whole(catchment(dsn, data.loaded, contract)),
        f"upserts of {ROWS_A_STATEMENT:,} rows": lambda dsn: load_by(dsn, data, ROWS_A_STATEMENT, 10 * PART),
        "upserts row by row": lambda dsn: load_by(dsn, data, 1, PART),
    }
    found = {}
    for name, way in ways.items():
        with server.database() as dsn:
            found[name] = measure(partial(way, dsn), partial(_empty, dsn))
    _print(f"full load of {data.count:,} rows", found, data.count, "rows/s")


def _changes(server: Server, data: Data, contract: TableContract) -> None:
    ways: dict[str, Callable[[str], float]] = {
        "net changes by COPY, one DELETE, one upsert": lambda dsn: change_by_bulk(dsn, data),
        f"upserts of {ROWS_A_STATEMENT:,} net rows": lambda dsn: change_by(dsn, data, ROWS_A_STATEMENT, 10 * PART),
        "upserts of net rows, row by row": lambda dsn: change_by(dsn, data, 1, PART),
    }
    found = {}
    for name, way in ways.items():
        with server.database() as dsn:
            found[name] = measure(partial(way, dsn), lambda dsn=dsn: (_empty(dsn), load_by_copy(dsn, data)))  # type: ignore[misc]
    with server.database() as dsn:

        def prepare() -> None:
            _empty(dsn)
            catchment(dsn, data.loaded, contract)

        found["Catchment, from the change files"] = measure(
            lambda: _whole(catchment(dsn, data.landing, contract)), prepare
        )
    _print(f"{data.events:,} changes, scattered over {data.count:,} rows", found, data.events, "changes/s")


def _print(title: str, found: dict[str, float], count: int, unit: str) -> None:
    limit = next(iter(found.values()))
    print(f"\n| {title} | s | {unit} | x the first |\n|---|---:|---:|---:|")
    for name, seconds in sorted(found.items(), key=lambda each: each[1]):
        print(f"| {name} | {seconds:,.2f} | {count / seconds:,.0f} | {seconds / limit:.1f} |")


def _upsert(target: psycopg.Connection, rows: list[tuple[Any, ...]], rows_a_statement: int) -> None:
    one = f"({', '.join(['%s'] * len(COLUMNS))})"
    for some in _parts(rows, rows_a_statement):
        target.execute(UPSERT.format(", ".join([one] * len(some))), [value for row in some for value in row])
        if rows_a_statement == 1:
            target.commit()


def _parts(items: list[Any], size: int) -> Iterator[list[Any]]:
    return (items[first : first + size] for first in range(0, len(items), size))


def _empty(dsn: str) -> None:
    _run(dsn, "DROP SCHEMA IF EXISTS public, shop, catchment CASCADE; CREATE SCHEMA public")


def _run(dsn: str, statement: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as con:
        con.execute(statement)


def _lines(file: Path) -> int:
    return sum(1 for _ in file.open("rb"))


def _whole(_: None) -> float:
    return 1.0


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
