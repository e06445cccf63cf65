"""The deployed pipeline under way: the source, the task, the lake, and how far each has come."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event
from typing import Any

import psycopg

from catchment.landing.contract import TableContract, load_contracts
from catchment.landing.names import TableName
from catchment.reconcile.fence import fence_passed, set_fence
from local.aws import LocalAws
from local.errors import RunFailed
from local.lake_watch import LakeWatch
from local.progress import Step
from local.reload import Healer
from local.source.workload import REFILL, WorkDone, Workload

SOURCE = "sales"
POLL_SECONDS = 0.25
PATIENCE_SECONDS = 90.0
"""How long nothing at all may move before a run gives up and says where it stood."""


class Pipeline:
    """What was deployed, found through the stacks' outputs.

    ``dsn`` reaches the source; ``lake`` is the source's folder in the silver bucket, ``watch`` follows its tables.
    """

    def __init__(self, aws: LocalAws, outputs: Mapping[str, str], dsn: str) -> None:
        self._aws, self._outputs, self._dsn = aws, outputs, dsn
        self._dms = aws.client("dms")
        buckets = aws.folder / "s3"
        self.lake = buckets / outputs["SilverBucket"] / SOURCE
        self.contracts = self._read_contracts()
        landing = buckets / outputs["LandingBucket"] / SOURCE
        self.watch = LakeWatch(self.lake, landing, [str(name) for name in self.contracts])

    def _read_contracts(self) -> dict[TableName, TableContract]:
        url = self._outputs["ContractsUrl"]
        bucket, _, key = url.removeprefix("s3://").partition("/")
        document = json.loads(self._aws.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
        return load_contracts(json.dumps(document[SOURCE]), source_name=url)

    def load(self, step: Step) -> None:
        """Wait until every table is loaded and the lake has all that was loaded. Raises RunFailed."""
        for _ in self._polls("full load"):
            rate = self.watch.rows / step.seconds
            files = self.watch.files
            step.say(
                f"{self.watch.rows:,} rows, {rate:,.0f} rows/s, {files} files, {files / step.seconds:,.1f} files/s"
            )
            states = self._table_states()
            loaded = len(states) == len(self.contracts) and set(states.values()) == {"Table completed"}
            if loaded and not self.watch.pending():
                break
        rate = self.watch.rows / step.seconds
        step.result = f"{self.watch.rows:,} rows in {self.watch.files} files, {rate:,.0f} rows/s"

    def work(self, step: Step, *, rate: float, seconds: float, seed: int, healer: Healer | None) -> WorkDone:
        """Run the live workload while the lake follows; what it did. Raises WorkloadFailed, RunFailed.

        ``healer`` reloads the table that is truncated on the way; without one none is.
        """
        rows, files = self.watch.rows, self.watch.files
        workload = Workload(self._dsn, rate=rate, seconds=seconds, seed=seed, truncates=healer is not None)
        watched = partial(_see, healer)
        stop = Event()
        with ThreadPoolExecutor(1) as pool:
            working = pool.submit(workload.run, stop, watched)
            try:
                while not working.done() or (healer is not None and healer.busy):
                    self.watch.poll()
                    if healer is not None:
                        healer.poll()
                    read = self.watch.rows - rows
                    lag = f", lag {lag_now:.1f} s" if (lag_now := self.watch.newest_lag()) is not None else ""
                    step.say(
                        f"{read:,} changes in the lake, {read / step.seconds:,.0f}/s, "
                        f"{(self.watch.files - files) / step.seconds:,.1f} files/s{lag}"
                    )
                    time.sleep(POLL_SECONDS)
            finally:
                stop.set()
            done = working.result()
        speed = done.rows / max(done.seconds, 0.001)
        step.result = f"{done.rows:,} changes in {done.transactions:,} transactions, {speed:,.0f}/s"
        return done

    def catch_up(self, step: Step) -> None:
        """Wait until the task has passed a fence behind all that was committed, and the lake has every file."""
        fence = set_fence(self._dsn)
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            slot = self._slot(connection)
            for _ in self._polls("catching up"):
                pending = self.watch.pending()
                if fence_passed(connection, slot, fence) and not pending and not self.watch.pending():
                    break
                step.say(f"{pending} files to apply")
        step.result = f"{self.watch.files} files, {sum(len(t.commits) for t in self.watch.tables.values())} commits"

    def spark_runs(self) -> dict[str, int]:
        """How many runs of the Spark job have succeeded, by table."""
        given = [run["Arguments"] for run in self._job_runs() if run["JobRunState"] == "SUCCEEDED"]
        return dict(Counter(f"{each['--schema']}.{each['--table']}" for each in given))

    def _job_runs(self) -> list[dict[str, Any]]:
        pages = self._aws.client("glue").get_paginator("get_job_runs").paginate(JobName=self._outputs["SparkJob"])
        return [run for page in pages for run in page["JobRuns"]]

    def _slot(self, connection: psycopg.Connection[Any]) -> str:
        row = connection.execute("SELECT slot_name FROM pg_replication_slots WHERE slot_type = 'logical'").fetchone()
        if row is None:
            raise RunFailed("catching up", "the source has no replication slot: the task is not running")
        return str(row[0])

    def _table_states(self) -> dict[str, str]:
        task = self._dms.describe_replication_tasks()["ReplicationTasks"][0]
        if task["Status"] == "failed":
            raise RunFailed("replication task", task.get("LastFailureMessage", "failed"))
        found = self._dms.describe_table_statistics(ReplicationTaskArn=task["ReplicationTaskArn"], MaxRecords=500)
        states = {f"{t['SchemaName']}.{t['TableName']}": t["TableState"] for t in found["TableStatistics"]}
        broken = [name for name, state in states.items() if state == "Table error"]
        if broken:
            raise RunFailed("replication task", f"suspended: {', '.join(broken)}; see the task's log")
        return states

    def _polls(self, where: str) -> Iterator[None]:
        """Poll for as long as anything moves. Raises RunFailed when nothing has for PATIENCE_SECONDS."""
        seen, moved = (-1, -1), time.monotonic()
        while True:
            self.watch.poll()
            now = (self.watch.files, self.watch.pending())
            if now != seen:
                seen, moved = now, time.monotonic()
            elif time.monotonic() - moved > PATIENCE_SECONDS:
                raise RunFailed(where, f"nothing moved for {PATIENCE_SECONDS:.0f} s; {self._standing()}")
            yield
            time.sleep(POLL_SECONDS)

    def _standing(self) -> str:
        sqs = self._aws.client("sqs")
        counts = {}
        for name in ("QueueUrl", "DeadLetterUrl"):
            found = sqs.get_queue_attributes(QueueUrl=self._outputs[name], AttributeNames=["All"])["Attributes"]
            counts[name] = found["ApproximateNumberOfMessages"]
        log = self._aws.folder / "logs" / f"{self._outputs['ApplyFunction']}.log"
        tail = log.read_text(errors="replace")[-2000:] if log.exists() else "the apply function has not run"
        failed = [run["ErrorMessage"] for run in self._job_runs() if run["JobRunState"] in ("FAILED", "TIMEOUT")]
        if failed:
            tail += f"\nThe Spark job failed {len(failed)} times, last with:\n{failed[0]}"
        return (
            f"{self.watch.pending()} files wait, {counts['QueueUrl']} messages in the queue, "
            f"{counts['DeadLetterUrl']} in the dead-letter queue. The apply function's last words:\n{tail}"
        )


def _see(healer: Healer | None, done: WorkDone) -> None:
    if healer is not None and done.kinds[REFILL]:
        healer.truncated()
