"""Brings the tables that were poked up to date; hands back what has to be tried again."""

from __future__ import annotations

import logging
from functools import cache
from os import environ
from typing import Any

from lambda_src.apply.environment import Environment
from lambda_src.apply.tables import Tables
from lambda_src.messages import deal

logging.getLogger("botocore").setLevel(logging.WARNING)


@cache
def tables() -> Tables:
    """What outlives a call: clients, stores and contracts."""
    return Tables(Environment.read(environ))


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Apply each table named in a batch of queue messages once."""
    return deal(tables, event, context)
