"""Messages of a queue, dealt with table by table."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol

from catchment.errors import LeaseTaken, Terminal
from lambda_src.pokes import Poke, parse

LOG = logging.getLogger(__name__)


class Tables(Protocol):
    """What is done with a table that a message names."""

    def apply(self, poke: Poke, named: Collection[str] | None, context: Any) -> None:
        """Bring it up to date; ``named`` are the landing files of events, None has the whole folder listed."""
        ...

    def maintain(self, poke: Poke, context: Any) -> None:
        """Do what keeps it cheap to read."""
        ...

    def give_up(self, poke: Poke, records: Sequence[dict[str, Any]], error: Terminal) -> None:
        """Put the messages where nobody tries them again."""
        ...

    def count_failure(self, poke: Poke) -> None:
        """Count a call that did not bring it up to date."""
        ...


def deal(tables: Callable[[], Tables], event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Deal with each table named in a batch of queue messages once; the answer names those that have to come back."""
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
        if not _deal(tables, poke, files[poke], records, context):
            failed += [record["messageId"] for record in records]
    return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}


def _deal(
    tables: Callable[[], Tables], poke: Poke, files: set[str | None], records: list[dict[str, Any]], context: Any
) -> bool:
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
