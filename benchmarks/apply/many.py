"""Many small tables in one process, and the requests a commit and an idle poke make, as a table grows older.

``python -m benchmarks.apply.many tables NUMBER`` and ``… requests VERSIONS`` print one JSON line. Requests are counted
at the clients, on the local AWS's S3 and DynamoDB; what is counted there, the function's code asks of AWS.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import boto3
from deltalake import DeltaTable

from benchmarks.apply.base import lay_out
from benchmarks.apply.data import columns, session
from benchmarks.apply.engine import BUDGET
from catchment.apply import Account, apply_table
from catchment.apply.engine import DeltaLogs, OpenEngine, open_duck_engine
from catchment.landing.contract import TableContract, load_contracts
from catchment.leases import Lease, MemoryLease
from catchment.leases.dynamodb import DynamoLease
from catchment.storage import ObjectStore, open_store
from catchment.storage.s3 import S3Store
from local.aws import LocalAws

ROWS = 1_000
CHANGES = 10
IDLE_EVERY = 10
FILES = (1, 10, 100, 400)
_LANDING = "landing: {timestamp_column: dms_ts, sequence_column: dms_seq, before_image_prefix: BI_}"


def many_tables(number: int) -> dict[str, Any]:
    """Load ``number`` tables of 1,000 rows, land ten changes for each, and time applying them one after the other."""
    with tempfile.TemporaryDirectory() as folder, session() as con:
        root = Path(folder)
        names = [f"t{i:04d}" for i in range(number)]
        write(con, root / "load.parquet", ROWS, 0, load=True)
        write(con, root / "changes.parquet", ROWS, 1, load=False)
        for name in names:
            (root / "landing/s" / name).mkdir(parents=True)
            os.link(root / "load.parquet", root / "landing/s" / name / "LOAD00000001.parquet")
        warm = partial(open_duck_engine, logs=DeltaLogs())
        loaded = [_timed(root, name, [], warm)[0] for name in names]
        for name in names:
            os.link(root / "changes.parquet", root / "landing/s" / name / _name(1))
        began = time.process_time()
        changed = [_timed(root, name, [f"s/{name}/{_name(1)}"], warm) for name in names]
        processor = time.process_time() - began
        idle = [_timed(root, name, [], warm)[0] for name in names]
        wrong = [name for name, (_, account) in zip(names, changed, strict=True) if account.counts.applied != CHANGES]
        rows = {len(DeltaTable(root / "lake/s" / name).to_pyarrow_table()) for name in names[:: max(number // 20, 1)]}
        if wrong or rows != {ROWS + 1}:
            raise ValueError(f"wrong: {wrong[:3]} {rows}")
    return {
        "tables": number,
        "load_ms": _milliseconds(loaded),
        "commit_ms": _milliseconds([seconds for seconds, _ in changed]),
        "commit_cpu_ms": round(processor / number * 1000, 1),
        "idle_ms": _milliseconds(idle),
    }


def requests(versions: int) -> list[dict[str, Any]]:
    """Requests of one commit of ten changes and of one idle poke, by the table's versions and by its files.

    The function is warm: it has seen the table before.
    """
    with tempfile.TemporaryDirectory() as folder, LocalAws.start(Path(folder) / "aws") as aws, session() as con:
        os.environ.update(aws.environment())
        aws.client("s3").create_bucket(Bucket="lake")
        aws.client("dynamodb").create_table(
            TableName="control",
            KeySchema=[{"AttributeName": "table", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "table", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        return [*_by_versions(con, Path(folder), versions), *_by_files(con, Path(folder))]


class Counted:
    """Stores and lease of one table on the local AWS, with their requests counted."""

    def __init__(self, prefix: str) -> None:
        self.asked: Counter[str] = Counter()
        client, table = boto3.client("s3"), boto3.client("dynamodb")
        for each in (client, table):
            each.meta.events.register("before-call", self._count)
        self.landing = S3Store("lake", f"{prefix}/landing", client)
        self.lake = S3Store("lake", f"{prefix}/lake", client)
        self.quarantine = S3Store("lake", f"{prefix}/quarantine", client)
        self.open_engine = partial(open_duck_engine, logs=DeltaLogs())  # as the function's environment keeps them
        self.lease = DynamoLease(table, "control", prefix=f"{prefix}/", seconds=600)

    @contextmanager
    def counting(self) -> Iterator[dict[str, int]]:
        """What is asked within the block, by operation."""
        self.asked.clear()
        found: dict[str, int] = {}
        yield found
        found |= self.asked

    def apply(self, new: list[str]) -> Account:
        """One poke that announces the landing files ``new``."""
        return apply(_contract("t"), self.landing, self.lake, self.quarantine, self.lease, new, self.open_engine)

    def _count(self, model: Any, **_: object) -> None:
        self.asked[model.name] += 1


def _by_versions(con: Any, folder: Path, versions: int) -> Iterator[dict[str, Any]]:
    table = Counted("versions")
    write(con, folder / "load.parquet", ROWS, 0, load=True)
    table.landing.put("s/t/LOAD00000001.parquet", folder / "load.parquet")
    table.apply([])
    for version in range(1, versions + 1):
        write(con, folder / "changes.parquet", ROWS, version, load=False)
        table.landing.put(f"s/t/{_name(version)}", folder / "changes.parquet")
        with table.counting() as commit:
            account = table.apply([f"s/t/{_name(version)}"])
        assert account.commits == 1
        found: dict[str, Any] = {"versions": version, "commit": commit}
        if version % IDLE_EVERY == 0:
            with table.counting() as found["idle"]:
                assert table.apply([]).commits == 0
        yield found


def _by_files(con: Any, folder: Path) -> Iterator[dict[str, Any]]:
    """Tables cut into short files: a ``commit`` of ten updates, and one ``inserting`` a row, which takes short files
    beside the changed one with it until one file has its full size."""
    for files in FILES:
        root, table, rows = folder / f"files{files}", Counted(f"files{files}"), ROWS * files
        write(con, folder / "load.parquet", rows, 0, load=True)
        (root / "landing/s/t").mkdir(parents=True)
        (folder / "load.parquet").rename(root / "landing/s/t/LOAD00000001.parquet")
        local = [open_store(root / part) for part in ("landing", "lake", "quarantine")]
        apply(_contract("t"), *local, MemoryLease(), [])
        lay_out(rows, root / "lake/s/t", ROWS)
        for part, store in (("landing", table.landing), ("lake", table.lake)):
            for file in sorted((root / part).rglob("*")):
                if file.is_file() and "_catchment" not in file.parts:
                    store.write_bytes(str(file.relative_to(root / part)), file.read_bytes())
        table.apply([])
        found: dict[str, Any] = {"files": files}
        for number, kind in ((0, "commit"), (1, "inserting")):
            write(con, folder / "changes.parquet", rows, number, load=False)
            table.landing.put(f"s/t/{_name(number)}", folder / "changes.parquet")
            with table.counting() as found[kind]:
                assert table.apply([f"s/t/{_name(number)}"]).commits == 1
        with table.counting() as found["idle"]:
            assert table.apply([]).commits == 0
        yield found


def write(con: Any, target: Path, rows: int, number: int, *, load: bool) -> None:
    """A landing file: the load, or ten changes at the table's end: an insert and nine updates, ten updates for 0."""
    keys = f"range({rows})" if load else f"range({rows - CHANGES + number}, {rows + number})"
    operation = "'I'" if load else f"CASE WHEN i = {rows + number - 1} AND {number} > 0 THEN 'I' ELSE 'U' END"
    token = "''" if load else f"'{20240809192600_00 + number:016d}' || lpad(CAST(i AS VARCHAR), 19, '0')"
    values = columns("(i + 1)", "0" if load else str(number + 1))
    con.execute(
        f"COPY (SELECT {operation} AS Op, '2024-08-09 19:26:00.000000' AS dms_ts, {values}, "
        f"{token} AS dms_seq, CAST(NULL AS BIGINT) AS BI_id FROM {keys} r(i)) TO '{target}' (FORMAT parquet)"
    )


def apply(
    agreed: TableContract,
    landing: ObjectStore,
    lake: ObjectStore,
    quarantine: ObjectStore,
    lease: Lease,
    new: list[str],
    open_engine: OpenEngine = open_duck_engine,
) -> Account:
    """One call, as the function makes it."""
    return apply_table(
        contract=agreed,
        landing=landing,
        lake=lake,
        quarantine=quarantine,
        lease=lease,
        budget=BUDGET,
        now=lambda: datetime.now(UTC),
        named=new,
        open_engine=open_engine,
    )


def _timed(root: Path, name: str, new: list[str], open_engine: OpenEngine) -> tuple[float, Account]:
    stores = [open_store(root / part) for part in ("landing", "lake", "quarantine")]
    began = time.perf_counter()
    account = apply(_contract(name), *stores, MemoryLease(), new, open_engine)
    return time.perf_counter() - began, account


def _contract(name: str) -> TableContract:
    return next(iter(load_contracts(f"{_LANDING}\ntables: {{s.{name}: {{key: [id]}}}}").values()))


def _name(number: int) -> str:
    return f"20240809-19{27 + number // 60:02d}{number % 60:02d}000.parquet"


def _milliseconds(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    return {
        "median": round(statistics.median(ordered) * 1000, 1),
        "p95": round(ordered[int(len(ordered) * 0.95)] * 1000, 1),
    }


if __name__ == "__main__":
    number = int(sys.argv[2])
    print(json.dumps(many_tables(number) if sys.argv[1] == "tables" else requests(number)))
