"""SourceAlarms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk.aws_cloudwatch import Metric
from constructs import Construct

from catchment_constructs.watched import PERIOD, UNKNOWN, Watcher, math, metric


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a source may be like. A latency is in minutes, the speed in rows a second, the headroom in percent."""

    source_latency_minutes: int
    target_latency_minutes: int
    rows_per_second: int
    log_headroom_percent: int
    log_retained_gb: int


class SourceAlarms(Construct):
    """A source: its DMS task, the tables DMS has suspended, what the applier could not use, its log filling up.

    ``runs``: the task is meant to run all the time; ``attended``: somebody measures how much of its log the source
    keeps. ``dimensions`` are those of the task in AWS/DMS; metrics of ``namespace`` have the dimension ``source``.

    Example: ``SourceAlarms(self, "Sales", watcher=watcher, source="sales", dimensions=task.dimensions, …)``
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        watcher: Watcher,
        source: str,
        dimensions: Mapping[str, str],
        namespace: str,
        runs: bool,
        attended: bool,
        limits: Limits,
    ) -> None:
        super().__init__(scope, construct_id)
        self._watcher, self._source, self._namespace = watcher, source, namespace
        self.of_task = dict(dimensions)
        self.of_source = {"source": source}
        self._watch_task(limits)
        if runs:
            self._watch_state()
        self._watch_tables()
        self.retained, self.headroom = (
            self.own("LogRetainedBytes", "Maximum"),
            self.own("LogHeadroomPercent", "Minimum"),
        )
        if attended:
            self._watch_log(limits)

    def of_dms(self, name: str, statistic: str) -> Metric:
        """One of the task's metrics in AWS/DMS."""
        return metric("AWS/DMS", name, self.of_task, statistic)

    def own(self, name: str, statistic: str) -> Metric:
        """One of the app's own metrics of the source."""
        return metric(self._namespace, name, self.of_source, statistic)

    def _watch_task(self, limits: Limits) -> None:
        # DMS writes its metrics every minute while the task runs, and none while it stands: see task-stopped.
        self.reading, self.writing = (self.of_dms(name, "Maximum") for name in ("CDCLatencySource", "CDCLatencyTarget"))
        self._watcher.alarm(
            self,
            "source-latency",
            of=self._source,
            says=f"{self._source}: DMS reads changes more than {limits.source_latency_minutes} minutes late.",
            metric=self.reading,
            above=60 * limits.source_latency_minutes,
            periods=2,
            missing=UNKNOWN,
        )
        self._watcher.alarm(
            self,
            "target-latency",
            of=self._source,
            says=f"{self._source}: DMS writes files more than {limits.target_latency_minutes} minutes late.",
            metric=self.writing,
            above=60 * limits.target_latency_minutes,
            periods=2,
            missing=UNKNOWN,
        )
        # Busy: more waits to be written (CDCIncomingChanges) than that speed would write within the period. While a
        # table loads, changes wait for its load by design.
        backlog = limits.rows_per_second * int(PERIOD.to_seconds())
        self.loading = self.own("TablesLoading", "Maximum")
        self.written, self.incoming = (
            self.of_dms(name, "Average") for name in ("CDCThroughputRowsTarget", "CDCIncomingChanges")
        )
        self._watcher.alarm(
            self,
            "throughput",
            of=self._source,
            says=f"{self._source}: DMS writes fewer than {limits.rows_per_second} rows a second, and over {backlog:,} "
            "changes wait.",
            metric=math(
                f"(written < {limits.rows_per_second}) * (incoming > {backlog}) * (loading < 1)",
                "slow though busy",
                written=self.written,
                incoming=self.incoming,
                loading=self.loading,
            ),
            above=0,
            periods=3,
            missing=UNKNOWN,
        )

    def _watch_state(self) -> None:
        self._watcher.alarm(
            self,
            "task-stopped",
            of=self._source,
            says=f"{self._source}: the DMS task is to run, and does not.",
            metric=self.own("TaskRunning", "Maximum"),
            below=1,
            periods=2,
            missing=UNKNOWN,
        )

    def _watch_tables(self) -> None:
        self.in_error = self.own("TablesInError", "Maximum")
        self._watcher.alarm(
            self,
            "tables-in-error",
            of=self._source,
            says=f"{self._source}: DMS has suspended a table; the others go on.",
            metric=self.in_error,
            above=0,
            missing=UNKNOWN,
        )
        self.quarantined, self.failures = (self.own(name, "Sum") for name in ("RowsQuarantined", "Failures"))
        self._watcher.alarm(
            self,
            "quarantine",
            of=self._source,
            says=f"{self._source}: rows could not be applied and lie in quarantine.",
            metric=self.quarantined,
            above=0,
        )
        # One failure is tried again and mostly mends itself: a lost race, a service that was away.
        self._watcher.alarm(
            self,
            "table-failures",
            of=self._source,
            says=f"{self._source}: a table cannot be brought up to date, time after time.",
            metric=self.failures,
            above=0,
            periods=2,
        )

    def _watch_log(self, limits: Limits) -> None:
        self._watcher.alarm(
            self,
            "log-headroom",
            of=self._source,
            says=f"{self._source}: less than {limits.log_headroom_percent} % is left of what the database's log may "
            "grow to while DMS does not read it.",
            metric=self.headroom,
            below=limits.log_headroom_percent,
            missing=UNKNOWN,
        )
        # Besides, because not every database says how far its log may grow.
        self._watcher.alarm(
            self,
            "log-retained",
            of=self._source,
            says=f"{self._source}: the database keeps more than {limits.log_retained_gb} GB of its log for DMS.",
            metric=self.retained,
            above=limits.log_retained_gb * 1000**3,
            missing=UNKNOWN,
            page="log-headroom",
        )
