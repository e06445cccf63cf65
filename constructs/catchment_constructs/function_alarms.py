"""FunctionAlarms."""

from __future__ import annotations

from aws_cdk.aws_lambda import IFunction
from constructs import Construct

from catchment_constructs.watched import PERIOD, Watcher, math


class FunctionAlarms(Construct):
    """A function that fails: more than some percent of its calls within five minutes.

    Example: ``FunctionAlarms(self, "Sweep", watcher=watcher, function=sweep.function, of="sweep", percent=5)``
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, watcher: Watcher, function: IFunction, of: str, percent: int
    ) -> None:
        super().__init__(scope, construct_id)
        # ids of their own, so that several functions fit into one graph
        errors, calls = (f"{what}_{of.replace('-', '_')}" for what in ("errors", "calls"))
        self.rate = math(
            f"100 * {errors} / {calls}",
            f"{of}: failed calls, percent",
            **{
                errors: function.metric_errors(period=PERIOD, statistic="Sum"),
                calls: function.metric_invocations(period=PERIOD, statistic="Sum"),
            },
        )
        # Without calls there is no datapoint; who is silent though he should not be is another alarm's matter.
        watcher.alarm(
            self,
            "function-errors",
            of=of,
            says=f"More than {percent} % of the calls of the function {of} failed.",
            metric=self.rate,
            above=percent,
        )
