"""Brings the tables that were poked up to date; hands back what has to be tried again."""

from __future__ import annotations

import logging
from collections import defaultdict
from functools import cache
from os import environ
from typing import Any

from catchment.errors import LeaseTaken, Terminal
from lambda_src.apply.environment import Environment
from lambda_src.apply.tables import Tables
from lambda_src.pokes import Poke, parse

LOG = logging.getLogger(__name__)
logging.getLogger("botocore").setLevel(logging.WARNING)


@cache
def tables() -> Tables:
    """What outlives a call: clients, stores and contracts."""
    return Tables(Environment.read(environ))


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Apply each table named in a batch of queue messages once."""
    failed: list[str] = []
    messages: dict[Poke, list[dict[str, Any]]] = defaultdict(list)
    for record in event["Records"]:
        try:
            poke = parse(record["body"])
        except (ValueError, KeyError, TypeError):
            LOG.exception("message %s is no poke", record["messageId"])
            failed.append(record["messageId"])
            continue
        if poke is not None:
            messages[poke].append(record)
    for poke, records in messages.items():
        if not _apply(poke, records, context):
            failed += [record["messageId"] for record in records]
    return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}


def _apply(poke: Poke, records: list[dict[str, Any]], context: Any) -> bool:
    """Whether the messages are dealt with; False has them come back."""
    try:
        tables().apply(poke, context)
    except LeaseTaken as taken:
        LOG.info("%s: %s, and looks once more", poke, taken)
    except Terminal as error:
        LOG.exception("%s: trying again cannot help", poke)
        tables().give_up(poke, records, error)
    except Exception:
        LOG.exception("%s: to be tried again", poke)
        tables().count_failure(poke)
        return False
    return True
