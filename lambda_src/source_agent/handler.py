"""Beside the databases, in their network: looks at a source, and tidies up in it, as an event's ``action`` asks.

``{"action": "headroom"}``: how much of its log each source keeps, as metrics; asked for by a schedule.
``{"action": "held", "source": name, "task": id}``: what a replication task keeps the log with.
``{"action": "clean_up", "source": name, "held": […], "tables": [[schema, table], …]}``: takes away what it left.
``{"action": "plan", "source": name, "wanted": {…}, "before": […]}``: what is still to do, and undoes all.
``{"action": "prepare", "source": name, "wanted": {…}}``: does it.
``{"action": "unprepare", "source": name, "statements": […]}``: takes it back.
``{"action": "preflight", "source": name, "wanted": {…}}``: what stands in the way of its task.

What an engine says and wants is in its module in ``catchment.engines``.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cache
from os import environ
from pathlib import Path
from typing import Any

import boto3
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from catchment.engines import engine
from catchment.engines.base import Query, Upkeep
from catchment.engines.connection import connected, is_here
from catchment.engines.readiness import Wanted, undo, undo_of
from catchment.engines.trust import Login, Trust
from catchment.errors import SourceUnreachable
from catchment.prepare.sides import Direct

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Source:
    """A source, as the stack names it in SOURCES."""

    engine: str
    secret: str
    database: str
    verified: bool
    storage_gb: int | None = None
    """The size of its disk, where it is known."""
    certificate: str | None = None
    """A file of the function's code."""

    @contextmanager
    def open(self) -> Iterator[tuple[Upkeep, Query]]:
        """What its engine knows, and statements on it. Raises SourceUnreachable."""
        knowing = engine(self.engine).upkeep
        assert knowing is not None, "the stack names no source of another engine"
        with self._connected(json.loads(self._login())) as query:
            yield knowing, query

    @contextmanager
    def side(self, said: Mapping[str, Any]) -> Iterator[tuple[Direct, Wanted]]:
        """The source as preparation sees it, and what ``said`` wants of it. Raises SourceUnreachable."""
        login = json.loads(self._login())
        with self._connected(login) as query:
            wanted = replace(Wanted.from_json(said), encrypted=not is_here(login["host"]))
            yield Direct(self.engine, query), wanted

    def _connected(self, login: Login) -> AbstractContextManager[Query]:
        own = Path(environ["LAMBDA_TASK_ROOT"], self.certificate) if self.certificate is not None else None
        return connected(self.engine, login, self.database, Trust(self.verified, own))

    def _login(self) -> str:
        gone = (_secrets().exceptions.ResourceNotFoundException, _secrets().exceptions.InvalidRequestException)
        try:
            return str(_secrets().get_secret_value(SecretId=self.secret)["SecretString"])
        except gone as error:
            raise SourceUnreachable(self.secret, str(error)) from error


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Do what ``action`` names; what was found or done. Raises SourceUnreachable, KeyError, the drivers' errors."""
    return _ACTIONS[event["action"]](event)


def _headroom(_event: Mapping[str, Any]) -> dict[str, Any]:
    """Every source that can be reached is measured, before the call fails for the others."""
    found: dict[str, Any] = {}
    unreachable: list[SourceUnreachable] = []
    for name, source in _sources().items():
        try:
            with source.open() as (knowing, query):
                use = knowing.log_use(query, source.storage_gb * 2**30 if source.storage_gb is not None else None)
        except SourceUnreachable as error:
            _LOG.error("%s: %s", name, error)
            unreachable.append(error)
            continue
        metrics = EphemeralMetrics(namespace=environ["METRIC_NAMESPACE"])
        metrics.add_dimension(name="source", value=name)
        metrics.add_metric(name="LogRetainedBytes", unit=MetricUnit.Bytes, value=use.retained_bytes)
        if use.headroom_percent is not None:
            metrics.add_metric(name="LogHeadroomPercent", unit=MetricUnit.Percent, value=use.headroom_percent)
        metrics.flush_metrics()
        found[name] = {"retained_bytes": use.retained_bytes, "headroom_percent": use.headroom_percent}
    if unreachable:
        raise unreachable[0]
    return found


def _held(event: Mapping[str, Any]) -> dict[str, Any]:
    with _sources()[event["source"]].open() as (knowing, query):
        return {"held": knowing.held(query, event["task"])}


def _clean_up(event: Mapping[str, Any]) -> dict[str, Any]:
    with _sources()[event["source"]].open() as (knowing, query):
        tables = [(schema, table) for schema, table in event["tables"]]
        done = knowing.clean_up(query, event["held"], tables)
        return {"done": done, "left": knowing.left(query, event["held"])}


def _plan(event: Mapping[str, Any]) -> dict[str, Any]:
    with _sources()[event["source"]].side(event["wanted"]) as (side, wanted):
        steps = side.plan(wanted)
    return {"steps": [asdict(step) for step in steps], "undo": undo_of(steps, event.get("before", []))}


def _prepare(event: Mapping[str, Any]) -> dict[str, Any]:
    with _sources()[event["source"]].side(event["wanted"]) as (side, wanted):
        return {"done": side.take(wanted)}


def _unprepare(event: Mapping[str, Any]) -> dict[str, Any]:
    with _sources()[event["source"]].open() as (_, query):
        return asdict(undo(query, event["statements"]))


def _preflight(event: Mapping[str, Any]) -> dict[str, Any]:
    with _sources()[event["source"]].side(event["wanted"]) as (side, wanted):
        return {"findings": [{**asdict(finding), "fix": finding.fix} for finding in side.findings(wanted)]}


@cache
def _sources() -> dict[str, Source]:
    return {name: Source(**said) for name, said in json.loads(environ["SOURCES"]).items()}


@cache
def _secrets() -> Any:
    return boto3.client("secretsmanager")


_ACTIONS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "headroom": _headroom,
    "held": _held,
    "clean_up": _clean_up,
    "plan": _plan,
    "prepare": _prepare,
    "unprepare": _unprepare,
    "preflight": _preflight,
}
