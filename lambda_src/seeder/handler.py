"""Beside the databases, in their network: writes a sample system into a source, as far as a call's time goes.

``{"source": name, "kind": …, "rows": …, "seed": …}``; the same event again goes on from there, and once all is there it
writes nothing. What an engine says and wants is in its package in ``catchment.engines``.
"""

from __future__ import annotations

import json
from functools import cache
from os import environ
from typing import Any

import boto3

from catchment.engines import engine
from catchment.engines.connection import opened
from catchment.engines.statements import query_of
from catchment.engines.trust import Trust
from catchment.errors import SourceUnreachable
from catchment.samples.catalogue import sample_system
from catchment.samples.seeding import Seeding

LEFT_MS = 60_000
"""What is kept of a call's time for the batch that is being written."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """What has been written, and whether that is all. Raises SourceUnreachable, SampleRefused, the drivers' errors."""
    said = json.loads(environ["SOURCES"])[event["source"]]
    samples = engine(said["engine"]).samples
    assert samples is not None, "the stack names no source of another engine"
    login = _login(said["secret"])
    if samples.maker is not None:
        with opened(said["engine"], login, samples.maker.home, Trust()) as connection:
            samples.maker.make(query_of(connection), said["database"])
    with opened(said["engine"], login, said["database"], Trust()) as connection:
        seeding = Seeding(connection, samples, sample_system(event["kind"], samples), seed=event["seed"])
        seeded = seeding.write(rows=event["rows"], enough=lambda: context.get_remaining_time_in_millis() < LEFT_MS)
    return {"rows": dict(seeded.rows), "done": seeded.done}


def _login(secret: str) -> dict[str, Any]:
    gone = (_secrets().exceptions.ResourceNotFoundException, _secrets().exceptions.InvalidRequestException)
    try:
        return dict(json.loads(_secrets().get_secret_value(SecretId=secret)["SecretString"]))
    except gone as error:
        raise SourceUnreachable(secret, str(error)) from error


@cache
def _secrets() -> Any:
    return boto3.client("secretsmanager")
