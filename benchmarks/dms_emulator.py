"""How fast the DMS emulator loads and streams, against plain COPY and plain reading of the slot in the same run.

``python benchmarks/dms_emulator.py [ROWS] [CHANGES]`` starts an embedded PostgreSQL, writes Parquet into a temporary
folder, and prints a table in Markdown. The ratios are what to compare: absolute numbers belong to the machine.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import psycopg

from local.dms.access import AwsAccess
from local.dms.address import SourceAddress
from local.dms.sources.postgresql.database import connect_replication, parse_lsn
from local.dms.sources.postgresql.publication import publication_names
from local.dms.state import TaskStatus
from local.processes import GuardedProcess, start_guarded
from local.source.postgres import EmbeddedPostgres

ROOT = Path(__file__).resolve().parents[1]
TABLE = """
CREATE TABLE shop.sales (
  id bigint PRIMARY KEY, client int NOT NULL, placed timestamptz NOT NULL, status varchar(20), total numeric(12,2),
  discount double precision, paid boolean, note text, code uuid, shipped date)"""
ROWS = """
INSERT INTO shop.sales
SELECT g, mod(g, 1000), '2026-01-01'::timestamptz + g * interval '1 second', 'status ' || mod(g, 7), g / 7.0,
       g * 0.01, mod(g, 2) = 0, 'note number ' || g, md5(g::text)::uuid, '2026-01-01'::date + mod(g, 365)::int
FROM generate_series(%s::bigint, %s::bigint) g"""
RULES = [
    {
        "rule-type": "selection",
        "rule-id": "1",
        "rule-name": "shop",
        "rule-action": "include",
        "object-locator": {"schema-name": "shop", "table-name": "%"},
    },
    {
        "rule-type": "transformation",
        "rule-id": "2",
        "rule-name": "seq",
        "rule-target": "column",
        "rule-action": "add-column",
        "object-locator": {"schema-name": "%", "table-name": "%"},
        "value": "dms_seq",
        "expression": "$AR_H_CHANGE_SEQ",
        "data-type": {"type": "string", "length": 50},
    },
    {
        "rule-type": "transformation",
        "rule-id": "3",
        "rule-name": "bi",
        "rule-target": "column",
        "rule-action": "add-before-image-columns",
        "object-locator": {"schema-name": "%", "table-name": "%"},
        "before-image-def": {"column-prefix": "BI_", "column-suffix": "", "column-filter": "pk-only"},
    },
]


def plan_for(server: EmbeddedPostgres, folder: Path, *, kind: str, slot: str) -> dict[str, Any]:
    """A task's plan over the benchmark's table."""
    return {
        "kind": kind,
        "resume": False,
        "slot": slot,
        "folder": os.fspath(folder / slot),
        "target_url": (folder / f"{slot}-landing").as_uri(),
        "source": {
            "EngineName": "postgres",
            "ServerName": server.host,
            "Port": server.port,
            "Username": "dms",
            "Password": "dms",
            "DatabaseName": "sales",
        },
        "mappings": json.dumps({"rules": RULES}),
        "s3": {
            "BucketName": "landing",
            "DataFormat": "parquet",
            "IncludeOpForFullLoad": True,
            "TimestampColumnName": "dms_ts",
            "UseTaskStartTimeForFullLoadTimestamp": True,
            "CdcMaxBatchInterval": 1,
            "RowGroupLength": 100_000,
        },
    }


def start_task(plan: dict[str, Any]) -> GuardedProcess:
    """A task process on a plan."""
    folder = Path(plan["folder"])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plan.json").write_text(json.dumps(plan))
    nobody = AwsAccess("", "")
    return start_guarded(
        [sys.executable, "-m", "local.dms.task", os.fspath(folder / "plan.json")],
        log=folder / "task.log",
        cwd=ROOT,
        env={**os.environ, **nobody.environment()},
    )


def wait_until(condition: Callable[[], Any], process: GuardedProcess) -> float:
    """Wait; the seconds it took."""
    started = time.monotonic()
    while not condition():
        if process.poll() is not None:
            raise RuntimeError(process.log.read_text()[-3000:])
        time.sleep(0.005)
    return time.monotonic() - started


def peak_megabytes(process: GuardedProcess) -> float:
    """The most memory the process ever had, where the system tells."""
    try:
        text = Path(f"/proc/{process.pid}/status").read_text()
    except FileNotFoundError:
        return float(psutil.Process(process.pid).memory_info().rss) / 2**20
    return int(text.split("VmHWM:")[1].split()[0]) / 1024


def streaming_since(process: GuardedProcess) -> float:
    """When the task's log says that it began to stream, in seconds since 1970."""
    line = [line for line in process.log.read_text().splitlines() if "streaming from" in line][-1]
    return dt.datetime.strptime(line[:23], "%Y-%m-%d %H:%M:%S,%f").timestamp()


def plain_copy(connection: psycopg.Connection[Any]) -> float:
    """Seconds to read the table by COPY and throw it away."""
    started = time.monotonic()
    with connection.cursor() as cursor, cursor.copy("COPY shop.sales TO STDOUT (FORMAT csv)") as copy:
        for _ in copy:
            pass
    return time.monotonic() - started


def plain_stream(server: EmbeddedPostgres, slot: str, publications: str, end: int) -> float:
    """Seconds to read the slot's messages and throw them away."""
    address = SourceAddress(server.host, server.port, "dms", "dms", "sales")
    connection = connect_replication(address)
    cursor = connection.cursor()
    options = {"proto_version": "1", "publication_names": publications}
    cursor.start_replication(slot_name=slot, decode=False, options=options)
    started = time.monotonic()
    while cursor.wal_end < end:
        message = cursor.read_message()
        if message is None:
            time.sleep(0.001)
    connection.close()
    return time.monotonic() - started


def change(connection: psycopg.Connection[Any], rows: int, changes: int) -> int:
    """Make changes in transactions of 2,000 rows: half inserts, a quarter updates, a quarter deletes; the fence."""
    for first in range(rows + 1, rows + changes // 2 + 1, 2000):
        connection.execute(ROWS, [first, min(first + 1999, rows + changes // 2)])
    for first in range(1, changes // 4 + 1, 2000):
        last = min(first + 1999, changes // 4)
        connection.execute("UPDATE shop.sales SET total = total + 1 WHERE id BETWEEN %s AND %s", [first, last])
        connection.execute("DELETE FROM shop.sales WHERE id BETWEEN %s AND %s", [rows - last + 1, rows - first + 1])
    row = connection.execute("SELECT pg_logical_emit_message(true, 'benchmark', 'fence')").fetchone()
    assert row is not None
    return parse_lsn(row[0])


def main(rows: int, changes: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (
            EmbeddedPostgres.start(
                folder / "pg",
                parameters={"rds.logical_replication": "1"},
                user="dms",
                password="dms",  # noqa: S106  lives as long as this run
                database="sales",
            ) as server,
            psycopg.connect(server.dsn("sales"), autocommit=True) as connection,
        ):
            connection.execute("CREATE SCHEMA shop")
            connection.execute(TABLE)
            connection.execute(ROWS, [1, rows])
            connection.execute("VACUUM (FREEZE, ANALYZE) shop.sales")
            print("\n".join(measure(server, connection, folder, rows, changes)))


def measure(
    server: EmbeddedPostgres, connection: psycopg.Connection[Any], folder: Path, rows: int, changes: int
) -> list[str]:
    """The lines of the result."""
    copied = plain_copy(connection)
    plan = plan_for(server, folder, kind="full-load-and-cdc", slot="bench")
    status_file = Path(plan["folder"]) / "status.json"
    process = start_task(plan)

    def status() -> TaskStatus:
        return TaskStatus.read(status_file) or TaskStatus()

    wait_until(lambda: status().load_finished, process)
    seen = status()
    loaded = (seen.load_finished or 0) - (seen.load_started or 0)
    load_peak = peak_megabytes(process)
    load_cpu = sum(psutil.Process(process.pid).cpu_times()[:2])
    process.signal(signal.SIGTERM)
    process.wait()
    process.stop()

    # both readers find the same changes waiting in a slot of their own
    publications = ",".join(publication_names("bench"))
    connection.execute("SELECT pg_create_logical_replication_slot('plain', 'pgoutput')")
    fence = change(connection, rows, changes)
    read = plain_stream(server, "plain", publications, fence)
    process = start_task({**plan, "resume": True})
    line = "SELECT confirmed_flush_lsn - '0/0' >= %s FROM pg_replication_slots WHERE slot_name = 'bench'"

    def confirmed() -> bool:
        row = connection.execute(line, [fence]).fetchone()
        return bool(row and row[0])

    wait_until(confirmed, process)
    streamed = time.time() - streaming_since(process)
    cpu = sum(psutil.Process(process.pid).cpu_times()[:2])
    stream_peak = peak_megabytes(process)
    process.signal(signal.SIGTERM)
    process.wait()
    process.stop()
    return [
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "",
        "| | seconds | rows a second | against plain |",
        "|---|---|---|---|",
        f"| plain COPY of {rows:,} rows | {copied:.2f} | {rows / copied:,.0f} | 1.00 |",
        f"| full load to Parquet | {loaded:.2f} | {rows / loaded:,.0f} | {loaded / copied:.2f} |",
        f"| the load's own CPU time, process start included | {load_cpu:.2f} | {rows / load_cpu:,.0f} | |",
        f"| plain reading of {changes:,} changes | {read:.2f} | {changes / read:,.0f} | 1.00 |",
        f"| stream to Parquet, the last interval of 1 s included | {streamed:.2f} | {changes / streamed:,.0f} | "
        f"{streamed / read:.2f} |",
        f"| the stream's own CPU time, process start included | {cpu:.2f} | {changes / cpu:,.0f} | |",
        "",
        f"Memory at its highest: {load_peak:.0f} MB loading, {stream_peak:.0f} MB streaming.",
    ]


if __name__ == "__main__":
    main(*(int(argument) for argument in (sys.argv[1:] + ["500000", "400000"][len(sys.argv) - 1 :])))
