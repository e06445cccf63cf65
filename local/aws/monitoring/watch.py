"""Evaluates every alarm again and again, as CloudWatch does each minute."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from local.aws.monitoring.alarm import MINUTE, Alarm, Read
from local.aws.monitoring.evaluation import Rule, State, evaluate

MINUTE_SECONDS = "CATCHMENT_MINUTE_SECONDS"
"""Environment variable: how long a minute of CloudWatch lasts here, in seconds. Left out: as long as anywhere."""

SHORTEST_WAIT = 0.2

log = logging.getLogger("local.aws")


class AlarmRecords(Protocol):
    """The deployed alarms, with their states."""

    def all(self) -> list[tuple[str, Mapping[str, Any], State]]:
        """Name, properties and state of each."""
        ...

    def change(self, name: str, state: State, reason: str) -> None:
        """Give an alarm another state, and tell whom its definition names."""
        ...


class AlarmWatch:
    """A thread that has ``publish`` put the metrics of services that tell them at intervals, and evaluates alarms.

    It does so 60 times a minute, more often than CloudWatch: runs here last less.
    """

    def __init__(self, records: AlarmRecords, read: Read, publish: Callable[[], None]) -> None:
        self._records, self._read, self._publish = records, read, publish
        self._minute = float(os.environ.get(MINUTE_SECONDS, MINUTE))
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="alarms", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(max(self._minute / 60, SHORTEST_WAIT)):
            try:
                self._publish()
                self._look()
            except Exception:  # the thread's edge: the next look may go well, and the server's log has this one
                log.exception("alarms could not be evaluated")

    def _look(self) -> None:
        now = time.time()
        for name, properties, before in self._records.all():
            alarm = Alarm.of(properties)
            series = alarm.series(self._read, now, self._minute)
            state = evaluate(alarm.rule, series, before)
            if state != before:
                self._records.change(name, state, _reason(alarm.rule, series))


def _reason(rule: Rule, series: Sequence[float | None]) -> str:
    shown = " ".join("-" if value is None else f"{value:g}" for value in series)
    return (
        f"The datapoints {shown}, {rule.datapoints} out of {rule.periods} against {rule.comparison} "
        f"{rule.threshold:g}, missing ones {rule.missing}."
    )
