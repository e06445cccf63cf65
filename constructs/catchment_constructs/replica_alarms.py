"""ReplicaAlarms."""

from __future__ import annotations

from aws_cdk.aws_cloudwatch import Dashboard, GraphWidget
from constructs import Construct

from catchment_constructs.function_alarms import FunctionAlarms
from catchment_constructs.replica_feeder import ReplicaFeeder
from catchment_constructs.table_sweep import TableSweep
from catchment_constructs.watched import PERIOD, Watcher, metric


class ReplicaAlarms(Construct):
    """A replica that falls behind, tables given up, rows that it cannot hold, functions that fail; and a page of it.

    Its alarms are of the kinds that the lake's have, ``of`` the replica.

    Example: ``ReplicaAlarms(self, "Replica", watcher=watcher, feeder=feeder, sweep=sweep, source="sales", …)``
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        watcher: Watcher,
        feeder: ReplicaFeeder,
        sweep: TableSweep,
        source: str,
        namespace: str,
        max_age_minutes: int,
        error_percent: int,
    ) -> None:
        super().__init__(scope, construct_id)
        given_up = feeder.dead_letters.metric_approximate_number_of_messages_visible(period=PERIOD, statistic="Maximum")
        waiting = feeder.queue.metric_approximate_age_of_oldest_message(period=PERIOD, statistic="Maximum")
        of_replica = {"replica": source}
        quarantined, applied, lag = (
            metric(namespace, name, of_replica, statistic)
            for name, statistic in (("RowsQuarantined", "Sum"), ("RowsApplied", "Sum"), ("CommitLagSeconds", "Maximum"))
        )
        watcher.alarm(
            self,
            "dead-letters",
            of="replica",
            says="A table of the replica cannot be brought up to date; its message is in the dead letters.",
            metric=given_up,
            above=0,
        )
        watcher.alarm(
            self,
            "queue-age",
            of="replica",
            says=f"Messages have waited for the replica for more than {max_age_minutes} minutes.",
            metric=waiting,
            above=60 * max_age_minutes,
            periods=2,
        )
        watcher.alarm(
            self,
            "quarantine",
            of="replica",
            says="Rows could not be written to the replica and lie in quarantine.",
            metric=quarantined,
            above=0,
        )
        functions = {"replicate": feeder.function, "replica-sweep": sweep.function}
        rates = [
            FunctionAlarms(self, name, watcher=watcher, function=each, of=name, percent=error_percent).rate
            for name, each in functions.items()
        ]
        page = Dashboard(self, "Page", dashboard_name=f"{watcher.name}-replica")
        page.add_widgets(
            GraphWidget(title="Oldest message, seconds; messages given up", left=[waiting], right=[given_up], width=8),
            GraphWidget(title="Landed to committed, seconds", left=[lag], width=8),
            GraphWidget(title="Rows applied; rows quarantined", left=[applied], right=[quarantined], width=8),
            GraphWidget(title="Failed calls, percent", left=rates, width=8),
        )
