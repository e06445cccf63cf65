"""Brings the tables of the replica up to date; hands back what has to be tried again."""

from __future__ import annotations

import logging
from functools import cache
from os import environ
from typing import Any

from lambda_src.messages import deal
from lambda_src.replicate.environment import Environment
from lambda_src.replicate.tables import ReplicatedTables

logging.getLogger("botocore").setLevel(logging.WARNING)


@cache
def tables() -> ReplicatedTables:
    """What outlives a call: clients, stores and contracts."""
    return ReplicatedTables(Environment.read(environ))


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Apply each table named in a batch of queue messages once."""
    return deal(tables, event, context)
