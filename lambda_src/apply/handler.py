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
    files: dict[Poke, set[str | None]] = defaultdict(set)
    for record in event["Records"]:
        try:
            found = parse(record["body"])
        except (ValueError, KeyError, TypeError):
            LOG.exception("message %s is no poke", record["messageId"])
            failed.append(record["messageId"])
            continue
        if found is not None:
            messages[found[0]].append(record)
            files[found[0]].add(found[1])
    for poke, records in messages.items():
        if not _apply(poke, files[poke], records, context):
            failed += [record["messageId"] for record in records]
    return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}


def _apply(poke: Poke, files: set[str | None], records: list[dict[str, Any]], context: Any) -> bool:
    """Whether the messages are dealt with; False has them come back."""
    try:
        if poke.maintain:
            tables().maintain(poke, context)
            return True
        named = {file for file in files if file is not None}
        tables().apply(poke, None if None in files else named, context)
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
