"""Scope: when an alarm changes its state, by the rules of the Amazon CloudWatch User Guide."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.aws.monitoring.alarm import Alarm, Metric, Sample
from local.aws.monitoring.evaluation import Missing, Rule, State, evaluate
from local.aws.monitoring.expressions import Expression

SIGNS = {"0": 0.0, "X": 1.0, "-": None}
TREATMENTS: tuple[Missing, ...] = ("missing", "ignore", "breaching", "notBreaching")
RETAIN = "retain"

ALL_OF_THREE = {
    "0 - X - X": ("OK", "OK", "OK", "OK"),
    "- - - - 0": ("OK", "OK", "OK", "OK"),
    "- - - - -": ("INSUFFICIENT_DATA", RETAIN, "ALARM", "OK"),
    "0 X X - X": ("ALARM", "ALARM", "ALARM", "ALARM"),
    "- - X - -": ("ALARM", RETAIN, "ALARM", "OK"),
}
TWO_OF_THREE = {
    "0 - X - X": ("ALARM", "ALARM", "ALARM", "ALARM"),
    "0 0 X 0 X": ("ALARM", "ALARM", "ALARM", "ALARM"),
    "0 - X - -": ("OK", "OK", "ALARM", "OK"),
    "- - - - 0": ("OK", "OK", "ALARM", "OK"),
    "- - - X -": ("ALARM", RETAIN, "ALARM", "OK"),
}
"""The guide's two tables: datapoints, oldest first, and the state for each way to treat missing ones."""

rules = st.builds(
    lambda periods, of, missing: Rule(
        comparison="GreaterThanThreshold",
        threshold=0.5,
        periods=periods,
        datapoints=min(of, periods),
        missing=missing,
    ),
    st.integers(1, 5),
    st.integers(1, 5),
    st.sampled_from(TREATMENTS),
)
states = st.sampled_from(["OK", "ALARM", "INSUFFICIENT_DATA"])


def rule(datapoints: int, missing: Missing) -> Rule:
    return Rule(comparison="GreaterThanThreshold", threshold=0.5, periods=3, datapoints=datapoints, missing=missing)


@pytest.mark.parametrize("before", ["OK", "ALARM"])
@pytest.mark.parametrize(
    ("datapoints", "row", "states"),
    [(3, row, states) for row, states in ALL_OF_THREE.items()]
    + [(2, row, states) for row, states in TWO_OF_THREE.items()],
)
def test_the_tables_of_the_user_guide(datapoints: int, row: str, states: tuple[str, ...], before: State) -> None:
    series = [SIGNS[sign] for sign in row.split()]
    found = [evaluate(rule(datapoints, missing), series, before) for missing in TREATMENTS]
    assert found == [before if state == RETAIN else state for state in states]


@pytest.mark.parametrize("row", ["- - - - X", "- - - X -"])
def test_one_late_breach_is_no_alarm_of_three_yet(row: str) -> None:
    assert evaluate(rule(3, "missing"), [SIGNS[sign] for sign in row.split()], "OK") == "OK"


@given(rules, st.data(), states)
def test_with_enough_datapoints_the_newest_decide_alone(rule: Rule, data: st.DataObject, before: State) -> None:
    newest = data.draw(st.lists(st.sampled_from([0.0, 1.0]), min_size=rule.periods, max_size=rule.periods))
    older = data.draw(st.lists(st.sampled_from([0.0, 1.0, None]), min_size=2, max_size=2))
    expected = "ALARM" if sum(newest) >= rule.datapoints else "OK"
    assert evaluate(rule, [*older, *newest], before) == expected


@given(rules, st.data(), states)
def test_nothing_but_good_datapoints_is_an_alarm_only_where_silence_is(
    rule: Rule, data: st.DataObject, before: State
) -> None:
    series = data.draw(st.lists(st.sampled_from([0.0, None]), min_size=rule.range, max_size=rule.range))
    if any(value is not None for value in series) and rule.missing != "breaching":
        assert evaluate(rule, series, before) == "OK"


def test_expressions_are_worked_out_datapoint_by_datapoint() -> None:
    share = Expression("100 * errors / calls")
    assert share.over({"errors": [1.0, 0.0, 3.0, 1.0], "calls": [4.0, 0.0, None, 1.0]}) == [25.0, None, None, 100.0]
    stuck = Expression("(written < 10) * (waiting > 3000)")
    assert stuck.over({"written": [9.0, 10.0, 0.0], "waiting": [3001.0, 4000.0, 3000.0]}) == [1.0, 0.0, 0.0]


@pytest.mark.parametrize("text", ["FILL(m, 0)", "a < b < c", "a and b", "m[0]", "a +", "-a"])
def test_other_expressions_are_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="not emulated"):
        Expression(text)


def test_datapoints_are_statistics_of_the_periods_up_to_now() -> None:
    alarm = Alarm.of(
        {
            "Namespace": "N",
            "MetricName": "M",
            "Dimensions": [{"Name": "b", "Value": "2"}, {"Name": "a", "Value": "1"}],
            "Statistic": "Average",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 0,
            "ComparisonOperator": "LessThanThreshold",
        }
    )
    kept = {Metric("N", "M", (("a", "1"), ("b", "2"))): [Sample(899.0, 2, 30.0, 10.0, 20.0), Sample(990.0, 1, 6, 6, 6)]}
    asked: list[float] = []

    def read(metric: Metric, since: float) -> list[Sample]:
        asked.append(since)
        return kept[metric]

    assert alarm.series(read, 1000.0) == [None, 15.0, 6.0]
    assert alarm.series(read, 1000.0, minute=200.0) == [None, None, 12.0]
    assert asked == [1000.0 - 3 * 60, 1000.0 - 3 * 200]
