"""When an alarm changes its state: a rule and a row of datapoints in, a state out.

Amazon CloudWatch User Guide, "Configuring how CloudWatch alarms treat missing data"; its two tables are the tests.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
Missing = Literal["breaching", "notBreaching", "ignore", "missing"]

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
"""The comparisons with a fixed threshold; those with a band of anomaly detection are not evaluated here."""

FURTHER_BACK = 2
"""How many datapoints more than it needs an alarm looks at: 5 for 3 in the guide's examples."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """When a row of datapoints is an alarm: ``datapoints`` out of ``periods`` that compare so with the threshold."""

    comparison: str
    threshold: float
    periods: int
    datapoints: int
    missing: Missing

    @property
    def range(self) -> int:
        """How many datapoints are looked at."""
        return self.periods + FURTHER_BACK

    def breaches(self, value: float) -> bool:
        """Whether one datapoint is on the wrong side."""
        return COMPARISONS[self.comparison](value, self.threshold)


def evaluate(rule: Rule, series: Sequence[float | None], state: State) -> State:
    """The state after ``state``, by the datapoints of the range, oldest first, None where there is none."""
    known = [value for value in series if value is not None]
    if len(known) >= rule.periods:
        return _decide(rule, sum(map(rule.breaches, known[-rule.periods :])))
    if not known:
        return {"breaching": "ALARM", "notBreaching": "OK", "ignore": state, "missing": "INSUFFICIENT_DATA"}[  # type: ignore[return-value]
            rule.missing
        ]
    breaching = sum(map(rule.breaches, known))
    if rule.missing == "breaching":
        return _decide(rule, breaching + rule.periods - len(known))
    if rule.missing == "notBreaching" or breaching >= rule.datapoints or breaching < len(known):
        return _decide(rule, breaching)
    return _by_breaches_alone(rule, series, state)


def _decide(rule: Rule, breaching: int) -> State:
    return "ALARM" if breaching >= rule.datapoints else "OK"


def _by_breaches_alone(rule: Rule, series: Sequence[float | None], state: State) -> State:
    """All there is breaches, but there is less than it takes ("Avoiding premature transitions to alarm state").

    It is an alarm when the oldest is at least as old as the datapoints it takes: a newer one that is late could still
    be good. Until then, and where missing data are ignored, the state stays.
    """
    oldest = next(index for index, value in enumerate(series) if value is not None)
    old_enough = len(series) - oldest >= rule.datapoints
    return "ALARM" if old_enough and rule.missing == "missing" else state
