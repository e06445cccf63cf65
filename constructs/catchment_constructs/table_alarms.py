"""TableAlarms."""

from __future__ import annotations

from constructs import Construct

from catchment_constructs.watched import UNKNOWN, Watcher, metric


class TableAlarms(Construct):
    """One table of the lake: landed files that have waited too long to be in it.

    The metric ``LagSeconds`` (dimensions ``source`` and ``table``) is written by who looks from outside, whether files
    are applied or not: a table that has stopped moving is late as well.

    Example: ``TableAlarms(self, "sales.clients", watcher=watcher, namespace="catchment/dev", source="sales", …)``
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        watcher: Watcher,
        namespace: str,
        source: str,
        table: str,
        lag_minutes: int,
    ) -> None:
        super().__init__(scope, construct_id)
        watcher.alarm(
            self,
            "freshness",
            of=f"{source} {table}",
            says=f"{source} {table}: files have waited to be in the lake for more than {lag_minutes} minutes.",
            metric=metric(namespace, "LagSeconds", {"source": source, "table": table}, "Maximum"),
            above=60 * lag_minutes,
            missing=UNKNOWN,
        )
