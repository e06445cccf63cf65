"""A task's CloudWatch metrics, published at intervals by a thread of their own."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from local.dms.access import AWS_ERRORS, AwsAccess
from local.dms.changes import ChangeWriter
from local.dms.state import TaskStatus
from local.dms.stream import ChangeStream

log = logging.getLogger("dms")

INTERVAL_SECONDS = 5.0
"""DMS publishes every minute; runs here last less."""

UNITS = {
    "CDCLatencySource": "Seconds",
    "CDCLatencyTarget": "Seconds",
    "CDCThroughputRowsSource": "Count/Second",
    "CDCThroughputRowsTarget": "Count/Second",
    "FullLoadThroughputRowsTarget": "Count/Second",
}


ROWS_READ, ROWS_WRITTEN = "CDCThroughputRowsSource", "CDCThroughputRowsTarget"
"""What is read as a sum of rows since the task began, and published as rows a second since the last time."""


class MetricsPublisher:
    """Publishes what ``read`` gives (metric name to value) under the task's dimensions in AWS/DMS."""

    def __init__(
        self, access: AwsAccess, dimensions: Mapping[str, str], read: Callable[[], Mapping[str, float]]
    ) -> None:
        self._access = access
        self._dimensions = [{"Name": name, "Value": value} for name, value in dimensions.items()]
        self._read = read
        self._before: dict[str, tuple[float, float]] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)

    def start(self) -> None:
        """Begin publishing; without dimensions there is nothing to publish under, and nothing happens."""
        if self._dimensions:
            self._thread.start()

    def stop(self) -> None:
        """Publish once more and end."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        client = self._access.client("cloudwatch")
        last = False
        while not last:
            last = self._over.wait(INTERVAL_SECONDS)
            try:
                client.put_metric_data(Namespace="AWS/DMS", MetricData=self._data())
            except AWS_ERRORS as error:
                log.warning("metrics could not be published: %s", error)

    def _data(self) -> list[Any]:
        now, found = time.monotonic(), dict(self._read())
        for name in (ROWS_READ, ROWS_WRITTEN):
            rows, before = found.get(name, 0.0), self._before.get(name, (now, 0.0))
            self._before[name] = (now, rows)
            found[name] = max(rows - before[1], 0.0) / max(now - before[0], 0.001) if before[0] < now else 0.0
        return [
            {"MetricName": name, "Dimensions": self._dimensions, "Value": value, "Unit": UNITS.get(name, "Count")}
            for name, value in found.items()
        ]


def figures(status: TaskStatus, writer: ChangeWriter | None, stream: ChangeStream | None) -> dict[str, float]:
    """The metrics of a task as of now; called where the stream is read, as the writer's buffers change there.

    CDCLatencySource is 0 when the stream is read to its end, as in DMS.
    """
    now = time.time()
    written = sum(line.inserts + line.updates + line.deletes for line in status.tables.values())
    waits = writer.waiting_rows if writer is not None else 0
    oldest = writer.oldest_waiting() if writer is not None else None
    behind = writer is not None and stream is not None and stream.behind
    return {
        "CDCLatencySource": max(now - writer.last_commit, 0.0) if writer is not None and behind else 0.0,
        "CDCLatencyTarget": max(now - oldest, 0.0) if oldest else 0.0,
        "CDCIncomingChanges": float(waits),
        ROWS_READ: float(written + waits),
        ROWS_WRITTEN: float(written),
        "FullLoadThroughputRowsTarget": _load_throughput(status, now),
    }


def _load_throughput(status: TaskStatus, now: float) -> float:
    if status.load_started is None or status.load_finished is not None:
        return 0.0
    rows = sum(line.load_rows for line in status.tables.values())
    return rows / max(now - status.load_started, 0.001)
