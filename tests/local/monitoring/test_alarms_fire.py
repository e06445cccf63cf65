"""Every deployed alarm goes off when what it is about comes about, by its own definition, and the topic tells of it.

The story is told once, for all tests: conditions last for periods, and many of them last at the same time.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from local.aws.monitoring.alarm import Alarm, Metric
from tests.local.monitoring import conditions as c
from tests.local.monitoring.deployment import Deployment

pytestmark = pytest.mark.slow

DRIVEN = (
    "dead-letters",
    "freshness",
    "function-errors",
    "quarantine",
    "table-failures",
    "tables-in-error",
    "task-stopped",
    "watch-silent",
)
NOT_HERE = ("database-storage", "replication-cpu", "replication-memory", "replication-storage")
"""Whose metrics nobody publishes here: those of RDS and of the replication instance."""


def kind(name: str) -> str:
    return name.rpartition(" ")[2]


@pytest.fixture(scope="module")
def of_kind(deployment: Deployment) -> Callable[[str], dict[str, dict[str, Any]]]:
    """The alarms of a kind, by name."""
    alarms = deployment.alarms()
    return lambda wanted: {name: alarm for name, alarm in alarms.items() if kind(name) == wanted}


@pytest.fixture(scope="module")
def quiet(deployment: Deployment, until: Callable[..., Any]) -> set[str]:
    """The alarms that stay on in a deployment that has loaded all its tables.

    A minute is a second here: what took long on the way may have been told meanwhile. Of silence nothing is said, for
    the schedules keep to minutes of the clock.
    """

    def loaded() -> bool:
        counted = deployment.look()[0].get("sales", {})
        return bool(counted.get("Tables") == 15 and not counted["TablesLoading"] and not counted["FilesWaiting"])

    def on() -> set[str]:
        deployment.look()
        states = {name: alarm["StateValue"] for name, alarm in deployment.alarms().items()}
        return {name for name, state in states.items() if state == "ALARM" and kind(name) != "watch-silent"}

    until(loaded, "the full load")
    until(lambda: not on(), "alarms that went off on the way to go back")
    return on()


@pytest.fixture(scope="module")
def story(deployment: Deployment, quiet: set[str], until: Callable[..., Any]) -> set[Metric]:
    """Everything goes wrong. The metrics that have arrived by then."""
    alarms = deployment.alarms()

    def fired(*kinds: str) -> bool:
        return {name for name in alarms if kind(name) in kinds} <= deployment.fired()

    deployment.invoke(deployment.outputs["AgentFunction"], {"action": "headroom"})
    c.quarantine_a_file(deployment)
    c.fail_a_job(deployment)
    until(lambda: fired("quarantine"), "quarantine")
    c.suspend_a_table(deployment, until)
    tables = [name.split(" ", 2)[2].removesuffix(" freshness") for name in alarms if kind(name) == "freshness"]
    c.let_tables_wait(deployment, tables)
    until(lambda: fired("freshness", "tables-in-error"), "freshness")
    c.break_a_table(deployment)
    c.stop_the_task(deployment)

    def failing() -> bool:
        c.poke_the_broken_table(deployment)
        c.fail_functions(deployment)
        deployment.look()
        return fired("dead-letters", "function-errors", "table-failures", "task-stopped")

    until(failing, "what fails again and again")
    c.fail_the_task(deployment, until)
    return deployment.metrics()


def test_every_kind_of_alarm_has_a_condition(deployment: Deployment) -> None:
    assert {kind(name) for name in deployment.alarms()} == {*DRIVEN, *c.DIRECT}


def test_no_alarm_is_on_while_all_is_well(quiet: set[str]) -> None:
    assert quiet == set()


@pytest.mark.parametrize("wanted", DRIVEN)
@pytest.mark.usefixtures("story")
def test_an_alarm_goes_off(
    wanted: str, of_kind: Callable[[str], Any], deployment: Deployment, until: Callable[..., Any]
) -> None:
    names = set(of_kind(wanted))
    until(lambda: names <= deployment.fired(), wanted)


@pytest.mark.parametrize("wanted", c.DIRECT)
@pytest.mark.usefixtures("story")
def test_an_alarm_goes_off_on_its_metric_put_in_directly(
    wanted: str, of_kind: Callable[[str], Any], deployment: Deployment, until: Callable[..., Any]
) -> None:
    for name, alarm in of_kind(wanted).items():

        def told(name: str = name, alarm: dict[str, Any] = alarm) -> bool:
            c.put(deployment, alarm, c.DIRECT[wanted])
            return name in deployment.fired()

        until(told, name)


@pytest.mark.parametrize("wanted", sorted({*DRIVEN, *c.DIRECT} - set(NOT_HERE)))
def test_the_metrics_of_an_alarm_are_written_by_what_it_watches(
    wanted: str, story: set[Metric], of_kind: Callable[[str], Any]
) -> None:
    for alarm in of_kind(wanted).values():
        assert {query.metric for query in Alarm.of(alarm).queries.values()} <= story


@pytest.mark.parametrize(
    ("words", "page"),
    [
        ("REPLICATION_TASK_STOPPED", "task-stopped"),
        ("REPLICATION_TASK_FAILED", "task-stopped"),
        ("is FAILED", "spark-job"),
    ],
)
@pytest.mark.usefixtures("story")
def test_an_event_is_told_in_words(words: str, page: str, deployment: Deployment, until: Callable[..., Any]) -> None:
    (message,) = until(lambda: c.told(deployment, words), words)
    assert message.startswith('"catchment-laptop: ')
    assert f"What to do: docs/runbooks/{page}.md" in message


@pytest.mark.usefixtures("story")
def test_a_message_names_the_alarm_and_the_page_that_says_what_to_do(deployment: Deployment) -> None:
    (message,) = [each for each in deployment.received if "sales tables-in-error" in (each.get("Subject") or "")]
    assert message["Subject"] == 'ALARM: "catchment-laptop sales tables-in-error" in us-east-1'
    assert json.loads(message["Message"])["AlarmDescription"].endswith("docs/runbooks/tables-in-error.md")
