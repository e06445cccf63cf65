"""The deployed pipeline under way: its sources, their tasks, the lake, and how far each has come."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

from local.aws import LocalAws
from local.errors import RunFailed
from local.progress import Step
from local.replica import RunReplica
from local.replicated import ReplicatedSource
from local.source.workload import WorkDone

POLL_SECONDS = 0.25
PATIENCE_SECONDS = 90.0
"""How long nothing at all may move before a run gives up and says where it stood."""


class Pipeline:
    """What was deployed, found through the stacks' outputs; the steps of a run go through all ``sources`` at once."""

    def __init__(
        self,
        aws: LocalAws,
        outputs: Mapping[str, str],
        sources: Sequence[ReplicatedSource],
        replica: RunReplica | None = None,
    ) -> None:
        self._aws, self._outputs, self._sources, self._replica = aws, outputs, sources, replica
        self._seen = (0, time.monotonic())

    def load(self, step: Step) -> None:
        """Wait until every table is loaded and the lake has all that was loaded. Raises RunFailed."""
        for _ in self._polls("full load"):
            rate = self.rows / step.seconds
            step.say(
                f"{self.rows:,} rows, {rate:,.0f} rows/s, {self.files} files, {self.files / step.seconds:,.1f} files/s"
            )
            if all(source.loaded() for source in self._sources) and not self._pending():
                break
        rate = self.rows / step.seconds
        step.result = f"{self.rows:,} rows in {self.files} files, {rate:,.0f} rows/s"

    def work(self, step: Step, *, rate: float, seconds: float, seed: int) -> list[WorkDone]:
        """Run the live workload on every source while the lake follows; what each did. ``rate`` is that of all.

        Raises WorkloadFailed, RunFailed.
        """
        rows, files, share = self.rows, self.files, rate / len(self._sources)
        stop = Event()
        with ThreadPoolExecutor(len(self._sources)) as pool:
            working = [pool.submit(source.work, stop, share, seconds, seed) for source in self._sources]
            try:
                while not all(each.done() for each in working) or any(source.heals for source in self._sources):
                    for source in self._sources:
                        source.poll()
                    read = self.rows - rows
                    lags = [lag for source in self._sources if (lag := source.watch.newest_lag()) is not None]
                    step.say(
                        f"{read:,} changes in the lake, {read / step.seconds:,.0f}/s, "
                        f"{(self.files - files) / step.seconds:,.1f} files/s"
                        + (f", lag {max(lags):.1f} s" if lags else "")
                    )
                    time.sleep(POLL_SECONDS)
                    for each in working:
                        if each.done():
                            each.result()  # one that has failed ends the run now
            finally:
                stop.set()
            done = [each.result() for each in working]
        changes = sum(each.rows for each in done)
        speed = changes / max(0.001, *(each.seconds for each in done))
        step.result = f"{changes:,} changes in {sum(each.transactions for each in done):,} transactions, {speed:,.0f}/s"
        return done

    def catch_up(self, step: Step) -> None:
        """Wait until each task has passed a fence behind all that was committed, and the lake has every file.

        And the replica, where there is one.
        """
        fences = [(source, source.set_fence()) for source in self._sources]
        for _ in self._polls("catching up"):
            pending = self._pending()
            if all(source.passed(fence) for source, fence in fences) and not pending and not self._pending():
                break
            step.say(f"{pending} files to apply")
        while self._replica is not None and (pending := self._replica_pending()):
            step.say(f"{pending} files to apply to the replica")
            time.sleep(POLL_SECONDS)
        commits = sum(len(table.commits) for source in self._sources for table in source.watch.tables.values())
        step.result = f"{self.files} files, {commits} commits"

    @property
    def rows(self) -> int:
        """Landing rows read by all commits so far."""
        return sum(source.watch.rows for source in self._sources)

    @property
    def files(self) -> int:
        """Landing files contained in all commits so far."""
        return sum(source.watch.files for source in self._sources)

    def _newest_lag(self) -> str:
        lags = [lag for source in self._sources if (lag := source.watch.newest_lag()) is not None]
        return f", lag {max(lags):.1f} s" if lags else ""

    def _replica_pending(self) -> int:
        """Files that the replica waits for. Raises RunFailed when it has had enough time."""
        assert self._replica is not None
        pending = self._replica.pending()
        now = time.monotonic()
        if pending != self._seen[0]:
            self._seen = (pending, now)
        elif now - self._seen[1] > PATIENCE_SECONDS:
            raise RunFailed("catching up", f"the replica has waited {PATIENCE_SECONDS:.0f} s for {pending} files")
        return pending

    def _pending(self) -> int:
        return sum(source.watch.pending() for source in self._sources)

    def spark_runs(self) -> dict[str, int]:
        """How many runs of the Spark job have succeeded, by table."""
        given = [run["Arguments"] for run in self._job_runs() if run["JobRunState"] == "SUCCEEDED"]
        return dict(Counter(f"{each['--schema']}.{each['--table']}" for each in given))

    def _job_runs(self) -> list[dict[str, Any]]:
        pages = self._aws.client("glue").get_paginator("get_job_runs").paginate(JobName=self._outputs["SparkJob"])
        return [run for page in pages for run in page["JobRuns"]]

    def _polls(self, where: str) -> Iterator[None]:
        """Poll for as long as anything moves. Raises RunFailed when nothing has for PATIENCE_SECONDS."""
        seen, moved = (-1, -1), time.monotonic()
        while True:
            for source in self._sources:
                source.watch.poll()
            now = (self.files, self._pending())
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
            f"{self._pending()} files wait, {counts['QueueUrl']} messages in the queue, "
            f"{counts['DeadLetterUrl']} in the dead-letter queue. The apply function's last words:\n{tail}"
        )
